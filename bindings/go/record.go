package hotpart

// #include "native.h"
// #cgo noescape hotpart_record
// #cgo nocallback hotpart_record
// #cgo noescape hotpart_get_write_count
// #cgo nocallback hotpart_get_write_count
// #cgo noescape hotpart_get_read_count
// #cgo nocallback hotpart_get_read_count
import "C"

import (
	"runtime"
	"unsafe"
)

// RecordOf is one record in full; see [Record] and [CapacityRecord].
type RecordOf[N Amount] struct {
	// Table is a table's name, or TABLE/index/INDEX for an index. An ARN counts apart from the table's name.
	Table string
	// PK is the partition key's value: any bytes.
	PK string
	// Operation is [Write] or [Read].
	Operation Operation
	// Amount is what the record adds: at least 1 or, of capacity, 0.5.
	Amount N
	// Model is the kind of the item; its thresholds, if it has any, win over the table's. Empty: none.
	Model string
}

// RecordWrite records a write of one operation or unit, and warns if the partition is hot. It returns the partition's count
// of writes, this one included. table is a table's name, or TABLE/index/INDEX for an index. An ARN counts apart from the
// table's name.
func (d *DetectorOf[N]) RecordWrite(table, pk string) (count N, err error) {
	n, err := d.record(Write, table, pk, "", d.one)
	return amountOf[N](n), err
}

// RecordRead records a read, and returns the count of reads; otherwise as RecordWrite.
func (d *DetectorOf[N]) RecordRead(table, pk string) (count N, err error) {
	n, err := d.record(Read, table, pk, "", d.one)
	return amountOf[N](n), err
}

// RecordWriteBytes is RecordWrite for a key in bytes, which are not kept.
func (d *DetectorOf[N]) RecordWriteBytes(table string, pk []byte) (count N, err error) {
	n, err := d.record(Write, table, view(pk), "", d.one)
	return amountOf[N](n), err
}

// RecordReadBytes is RecordRead for a key in bytes, which are not kept.
func (d *DetectorOf[N]) RecordReadBytes(table string, pk []byte) (count N, err error) {
	n, err := d.record(Read, table, view(pk), "", d.one)
	return amountOf[N](n), err
}

// Record records what r says, and returns the partition's count of that operation, the record included.
func (d *DetectorOf[N]) Record(r RecordOf[N]) (count N, err error) {
	amount, err := native("Amount", r.Amount)
	if err != nil {
		return 0, err
	}
	n, err := d.record(r.Operation, r.Table, r.PK, r.Model, amount)
	return amountOf[N](n), err
}

// WriteCount returns the partition's count of writes in the window. Asking does not start to track it.
func (d *DetectorOf[N]) WriteCount(table, pk string) (count N, err error) {
	n, err := d.count(Write, table, pk)
	return amountOf[N](n), err
}

// ReadCount returns the partition's count of reads in the window.
func (d *DetectorOf[N]) ReadCount(table, pk string) (count N, err error) {
	n, err := d.count(Read, table, pk)
	return amountOf[N](n), err
}

func (c *core) record(operation Operation, table, pk, model string, amount int64) (int64, error) {
	o := c.owner.Load()
	if o == nil {
		return 0, ErrClosed
	}
	var due C.hotpart_due
	count := C.hotpart_record(o.native, text(table), length(table), text(pk), length(pk), text(model), length(model),
		C.uint64_t(amount), C.int32_t(operation), &due)
	if count.value < 0 {
		return 0, refused(count)
	}
	if due.count != 0 {
		c.warn(o, table, pk, due)
	}
	runtime.KeepAlive(o)
	return int64(count.value), nil
}

func (c *core) count(operation Operation, table, pk string) (int64, error) {
	o, err := c.open()
	if err != nil {
		return 0, err
	}
	var count C.hotpart_result
	if operation == Write {
		count = C.hotpart_get_write_count(o.native, text(table), length(table), text(pk), length(pk))
	} else {
		count = C.hotpart_get_read_count(o.native, text(table), length(table), text(pk), length(pk))
	}
	runtime.KeepAlive(o)
	if count.value < 0 {
		return 0, refused(count)
	}
	return int64(count.value), nil
}

// text and length are a text as the library takes it. It keeps none, and so nothing is copied.
func text(s string) *C.char { return (*C.char)(unsafe.Pointer(unsafe.StringData(s))) }

func length(s string) C.size_t { return C.size_t(len(s)) }

// view is bytes as a text, for the time of a call.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
