// Package dataset turns recorded and captured samples into training sets.
//
// [ReadCSV] reads a labeled base set; [Table.Clean] removes exact repetitions and
// sets outliers aside; [Table.BaseSet] and [FromBaseSet] move it into the store and
// out again. [Field] does the same for the samples that devices captured.
// [Split] divides rows by class, seeded.
//
// Values are kept as the sensor gave them; transforms are declared for each
// column and applied where a model is trained or run. Outliers are never
// deleted: drift looks like outliers, and what is set aside can be looked at.
//
// Functions do no I/O beside the reader that they are given, keep no state and
// may run concurrently.
package dataset

import "errors"

// Errors of a data set.
var (
	// ErrFormat: not a table of the expected form.
	ErrFormat = errors.New("bad table")
	// ErrColumns: the columns are not those that are expected.
	ErrColumns = errors.New("columns differ")
)
