//go:build !hotpart_static

package bench

// #cgo pkg-config: hotpart
import "C"
