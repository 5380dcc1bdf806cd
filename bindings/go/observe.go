package hotpart

// #include "native.h"
// #cgo noescape hotpart_observe
// #cgo nocallback hotpart_observe
import "C"

import (
	"math"
	"runtime"
	"strings"
	"sync"
	"unsafe"
)

// Exchange is one attempt at a request to DynamoDB, and its answer.
type Exchange struct {
	// Operation is "PutItem", or the header X-Amz-Target.
	Operation string
	// Request is the JSON body that was sent.
	Request []byte
	// Response is the answer's body, if there was one.
	Response []byte
	// Status is the answer's HTTP status, 100 to 999; 0: no answer came.
	Status int
	// Model is the model that the records are made for. Empty: none.
	Model string
}

// Observe records what a request to DynamoDB did, as far as its attempt and its answer tell: reads
// and writes of its items, capacity, and throttles. Call it for every attempt; the package
// awsmiddleware does so for the AWS SDK. It returns how many item-level actions were recorded, or
// wait for a table's key. A [MissingSchemaError] names tables whose key is needed; don't observe
// the request again. What is no JSON object of the operation is [ErrJSON].
func (c *core) Observe(e Exchange) (actions int64, err error) {
	o, err := c.open()
	if err != nil {
		return 0, err
	}
	var observed C.hotpart_observed
	request, response := view(e.Request), view(e.Response)
	// A status that the library's integers lack is refused as -1 is.
	status := C.int32_t(max(-1, min(e.Status, math.MaxInt32)))
	observing := C.hotpart_observe(o.native, text(e.Operation), length(e.Operation), text(request), length(request),
		text(response), length(response), text(e.Model), length(e.Model), status, &observed)
	c.warnAll(o, observed.warnings)
	runtime.KeepAlive(o)
	if observing.value == C.HPD_ERR_SCHEMA {
		names := goString(observed.tables, observed.tables_len)
		C.free(unsafe.Pointer(observed.tables))
		return 0, &MissingSchemaError{Tables: strings.FieldsFunc(names, func(r rune) bool { return r == 0 })}
	}
	if observing.value < 0 {
		return 0, refused(observing)
	}
	return int64(observing.value), nil
}

// tells is whether operations have the parameter ReturnConsumedCapacity, of those that were asked about.
var tells sync.Map

// TellsCapacity returns whether requests of an operation, such as "PutItem", have the parameter ReturnConsumedCapacity, by
// which their answers tell the capacity that they took.
func TellsCapacity(operation string) bool {
	if known, ok := tells.Load(operation); ok {
		return known.(bool)
	}
	var asking *C.hpd_text
	asks := C.hpd_ask_capacity(text(operation), length(operation), text("{}"), length("{}"), &asking) == 1
	C.hpd_text_free(asking)
	tells.Store(operation, asks)
	return asks
}

// warnAll tells of the warnings that a call gave, and frees them.
func (c *core) warnAll(o *owner, warnings *C.hpd_warnings) {
	if warnings == nil {
		return
	}
	type due struct {
		table, pk string
		numbers   C.hotpart_due
	}
	all := make([]due, C.hpd_warnings_len(warnings))
	for i := range all {
		w := C.hpd_warning{struct_size: C.sizeof_hpd_warning}
		if C.hpd_warnings_get(warnings, C.size_t(i), &w) == C.HPD_OK {
			all[i].table, all[i].pk = goString(w.table, w.table_len), goString(w.pk, w.pk_len)
			C.hotpart_copy_due(&all[i].numbers, &w)
		}
	}
	// OnWarning may never return.
	C.hpd_warnings_free(warnings)
	for i := range all {
		c.warn(o, all[i].table, all[i].pk, all[i].numbers)
	}
}

func goString(start *C.char, n C.size_t) string {
	return string(unsafe.Slice((*byte)(unsafe.Pointer(start)), n))
}

// SetKeySchema declares the attribute that is a table's partition key. table may be an ARN. What
// waited for the key is recorded, as of when it was observed.
func (c *core) SetKeySchema(table, attribute string) error {
	return c.setKeySchema(table, "", false, []string{attribute})
}

// SetIndexKeySchema declares the attributes, one to four, that make up the partition key of a table's index; otherwise as
// SetKeySchema.
func (c *core) SetIndexKeySchema(table, index string, attributes ...string) error {
	return c.setKeySchema(table, index, true, attributes)
}

func (c *core) setKeySchema(table, index string, isOfIndex bool, attributes []string) error {
	var names [4]*C.char
	var lens [4]C.size_t
	var pins runtime.Pinner
	defer pins.Unpin()
	// More are refused unread.
	for i, attribute := range attributes[:min(len(attributes), len(names))] {
		pins.Pin(unsafe.StringData(attribute))
		names[i], lens[i] = text(attribute), length(attribute)
	}
	o, err := c.open()
	if err != nil {
		return err
	}
	var ofIndex C.int
	if isOfIndex {
		ofIndex = 1
	}
	var warnings *C.hpd_warnings
	status := C.hotpart_set_key_schema(o.native, text(table), length(table), ofIndex, text(index), length(index),
		&names[0], &lens[0], C.size_t(len(attributes)), &warnings)
	c.warnAll(o, warnings)
	runtime.KeepAlive(o)
	return refused(status)
}

// ForgetTable says that a table's key will not be known, because DescribeTable is denied, for
// example. What waits for it is tallied as [Unread], and so is what comes until its key is known
// after all.
func (c *core) ForgetTable(table string) error {
	o, err := c.open()
	if err != nil {
		return err
	}
	status := C.hotpart_forget_table(o.native, text(table), length(table))
	runtime.KeepAlive(o)
	return refused(status)
}
