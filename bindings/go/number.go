package hotpart

// #include "native.h"
// #cgo noescape hotpart_number_key
// #cgo nocallback hotpart_number_key
import "C"

import "unsafe"

// NumberKey returns the key that a number, in DynamoDB's text, is counted as: 1, 1.0 and 1E0 are "1", and -0 is "0".
// (Integers of Go's need no such thing: strconv writes them in that way.)
func NumberKey(number string) (string, error) {
	var key [C.HPD_NUMBER_KEY_MAX]byte
	written := C.hotpart_number_key(text(number), length(number), (*C.char)(unsafe.Pointer(&key)))
	return string(key[:max(written.value, 0)]), refused(written)
}
