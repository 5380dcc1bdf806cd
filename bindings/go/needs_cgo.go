//go:build !cgo

package hotpart

// The compiler's error is what whoever builds this without cgo reads; no other file is built then.
const _ int = "hotpart needs cgo: set CGO_ENABLED=1 and have a C compiler; to build for another system or processor, set CC to a C compiler for it, and have libhotpart for it"
