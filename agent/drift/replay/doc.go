// Package replay runs drift detectors over a recorded signal, a column of a CSV
// file: what would they have said, and when?
//
// The first call to make is [Run]. It reads the rows one by one, so that a recording
// may be of any length, and gives back the rows of the alarms; a [Chart] draws what
// happened, whatever the length.
//
// A file that is no such table is an error that names the line. Cells without a
// number (empty, NaN, NA, null, an infinity) are no error: detectors skip them, and
// [Result.Skipped] counts them.
//
// The package is pure: readers and writers in, results out. Calls are independent.
package replay
