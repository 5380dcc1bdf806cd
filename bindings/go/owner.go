package hotpart

// #include "native.h"
import "C"

import "runtime"

// An owner has the library's detector freed when nothing refers to the owner any more: so closing in one goroutine frees
// nothing that a call in another still uses, and calls share no counter. Who uses native keeps the owner alive.
type owner struct {
	native *C.hpd_detector
	// Go sees no pointer in native, and would put the owner in one block with others' small values, which keep each other alive.
	_ *int
}

func newOwner(detector *C.hpd_detector) *owner {
	o := &owner{native: detector}
	runtime.AddCleanup(o, func(detector *C.hpd_detector) { C.hpd_free(detector) }, detector)
	return o
}

// open is the owner, or nil if the detector is closed.
func (c *core) open() (*owner, error) {
	if o := c.owner.Load(); o != nil {
		return o, nil
	}
	return nil, ErrClosed
}
