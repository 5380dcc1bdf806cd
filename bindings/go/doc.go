// Package hotpart counts reads and writes per DynamoDB partition key, inside the program that makes them, and warns before
// DynamoDB throttles the key.
//
// A partition is a pair of a table and a partition key's value. It is hot when its count in a sliding window reaches a
// threshold: the record's model's, else its table's, else the detector's own. Then a line is logged, at most once an interval
// (by default the window), and OnWarning is called:
//
//	Hot partition detected - table="events" pk="EVENTS" had 500 writes in 60s
//
// [New] makes a [Detector], which counts operations. [NewCapacity] and [NewForDynamoDB] make a [CapacityDetector], which
// counts capacity, in DynamoDB's units and in steps of half a unit. They are one type but for their numbers.
//
// Tables and keys are any bytes: a table 1 to 1,024 of them, a key up to 16,384. Any number of goroutines may use a
// detector at once; a record takes no lock and allocates nothing.
//
// With Config.Memory a count that is returned is the most that it can be (see [DetectorOf.Bounds]), and lists have only
// partitions that are counted exactly.
//
// An argument that is wrong gives an error that names it, and for which errors.Is(err, [ErrInvalid]) holds. Once a detector
// is closed, what it returns is [ErrClosed].
//
// The package awsmiddleware, a module of its own, watches a client of the AWS SDK.
//
// libhotpart is found by pkg-config or, with the build tag hotpart_static, taken from this repository's own build.
package hotpart
