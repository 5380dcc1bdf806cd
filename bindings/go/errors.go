package hotpart

// #include "native.h"
import "C"

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// The errors of this package, for errors.Is.
var (
	// ErrClosed: the detector has been closed.
	ErrClosed = errors.New("hotpart: the detector is closed")
	// ErrInvalid: an argument is not what it must be; the error names it.
	ErrInvalid = errors.New("hotpart: invalid argument")
	// ErrUnsupported: this detector does not support the call, such as setting the time of a clock that runs.
	ErrUnsupported = errors.New("hotpart: not supported")
	// ErrMemory: there was no memory.
	ErrMemory = errors.New("hotpart: out of memory")
	// ErrInternal: a bug of the library's.
	ErrInternal = errors.New("hotpart: internal error")
	// ErrJSON: what was to be observed is no JSON object of that operation. Nothing was recorded.
	ErrJSON = errors.New("hotpart: not the JSON of the operation")
	// ErrMissingSchema: a key schema is needed, and what needs it waits. The error is a
	// *MissingSchemaError.
	ErrMissingSchema = errors.New("hotpart: missing key schema")
)

// MissingSchemaError says that a part of what a request did waits, because the partition keys of
// tables are not known. All else of it is recorded. For each table observe the answer of a
// DescribeTable or call SetKeySchema: what waits is recorded then, as of when it was observed. Else
// call ForgetTable. Don't observe the request again: it would count twice. The error comes with the
// first request on such a table, and then once a minute at most while more come.
type MissingSchemaError struct {
	// Tables are the names of the tables to describe.
	Tables []string
}

// Error names the tables.
func (e *MissingSchemaError) Error() string {
	return fmt.Sprintf("hotpart: the key schema is not known of %q", e.Tables)
}

// Is makes it an [ErrMissingSchema].
func (e *MissingSchemaError) Is(target error) bool { return target == ErrMissingSchema }

// An argumentError says what is wrong with which argument.
type argumentError struct {
	kind              error
	argument, problem string
}

func (e *argumentError) Error() string { return "hotpart: " + e.argument + " " + e.problem }

func (e *argumentError) Unwrap() error { return e.kind }

func invalid(argument, format string, args ...any) error {
	return &argumentError{ErrInvalid, argument, fmt.Sprintf(format, args...)}
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

// refused is the error for what a call returned, or nil. It names the argument that the library refused.
func refused(result C.hotpart_result) error {
	err := failed(int64(result.value))
	if err == nil || *result.argument == 0 {
		return err
	}
	return &argumentError{err, spelt(C.GoString(result.argument)), C.GoString(result.must)}
}

// valued adds to an error the value that a field of a Config has, if the error is about that.
func valued(err error, config any) error {
	var refusal *argumentError
	if errors.As(err, &refusal) {
		if field := reflect.ValueOf(config).FieldByName(refusal.argument); field.IsValid() {
			refusal.problem += fmt.Sprintf(", not %v", field)
		}
	}
	return err
}

// spelt is the library's name of an argument as it is called here. What has an underscore in it are fields of a Config.
func spelt(argument string) string {
	switch argument {
	case "amount", "writes", "reads", "least":
		return strings.ToUpper(argument[:1]) + argument[1:]
	case "what":
		return "kind"
	case "http_status":
		return "Status"
	case "filter_bytes":
		return "Memory"
	case "promote_permille":
		return "PromoteShare"
	}
	words := strings.Split(argument, "_")
	for i, word := range words {
		if len(words) > 1 {
			words[i] = strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return strings.Join(words, "")
}
