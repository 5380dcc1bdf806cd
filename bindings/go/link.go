//go:build !hotpart_static

package hotpart

// #cgo pkg-config: hotpart
import "C"
