package hotpart

// #include "native.h"
import "C"

import (
	"errors"
	"fmt"
)

// What errors.Is tells about the errors of this package.
var (
	// ErrClosed: the detector has been closed.
	ErrClosed = errors.New("hotpart: the detector is closed")
	// ErrInvalid: an argument is not what it must be; the error names it.
	ErrInvalid = errors.New("hotpart: invalid argument")
	// ErrUnsupported: not with this detector, such as setting the time of a clock that runs.
	ErrUnsupported = errors.New("hotpart: not supported")
	// ErrMemory: there was no memory.
	ErrMemory = errors.New("hotpart: out of memory")
	// ErrInternal: a bug of the library's.
	ErrInternal = errors.New("hotpart: internal error")
	// ErrJSON: what was to be observed is not the JSON of that operation. Nothing was recorded.
	ErrJSON = errors.New("hotpart: not the JSON of the operation")
	// ErrMissingSchema: a key schema is needed. The error is a *MissingSchemaError.
	ErrMissingSchema = errors.New("hotpart: missing key schema")
)

// MissingSchemaError says that a request could not be observed because the name of a table's partition key is not known.
// Observe the answer of a DescribeTable or call SetKeySchema, then observe the request again.
type MissingSchemaError struct {
	// Table is the table's name.
	Table string
}

// Error names the table.
func (e *MissingSchemaError) Error() string {
	return fmt.Sprintf("hotpart: the key schema of table %q is not known", e.Table)
}

// Is makes it an [ErrMissingSchema].
func (e *MissingSchemaError) Is(target error) bool { return target == ErrMissingSchema }

// An argumentError is an ErrInvalid that says what is wrong with which argument.
type argumentError struct{ argument, problem string }

func (e *argumentError) Error() string { return "hotpart: " + e.argument + " " + e.problem }

func (e *argumentError) Unwrap() error { return ErrInvalid }

func invalid(argument, format string, args ...any) error {
	return &argumentError{argument, fmt.Sprintf(format, args...)}
}

// failed is the error for a status of the library's, or nil if that is none.
func failed(status int64) error {
	if status >= 0 {
		return nil
	}
	switch status {
	case C.HPD_ERR_NULL, C.HPD_ERR_INVALID:
		return ErrInvalid
	case C.HPD_ERR_UNSUPPORTED:
		return ErrUnsupported
	case C.HPD_ERR_MEMORY:
		return ErrMemory
	case C.HPD_ERR_JSON:
		return ErrJSON
	}
	return fmt.Errorf("%w (%s)", ErrInternal, C.GoString(C.hpd_status_message(C.int32_t(status))))
}

const (
	tableMax = 1_024
	keyMax   = 16_384
)

// refused is the error for a status of a call on a partition. The library judges; this only says what it did not like.
func refused(status int64, table, pk, model string) error {
	if status == C.HPD_ERR_INVALID {
		switch {
		case len(table) < 1 || len(table) > tableMax:
			return badName("table", table)
		case len(pk) > keyMax:
			return invalid("pk", "must have at most %d bytes, not %d", keyMax, len(pk))
		case len(model) > tableMax:
			return badName("model", model)
		}
	}
	return failed(status)
}

func badName(argument, name string) error {
	return invalid(argument, "must have 1 to %d bytes, not %d", tableMax, len(name))
}
