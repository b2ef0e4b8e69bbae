// Package drift notices that a model no longer sees the data it was released
// for. It watches one number per inference in which lower is worse (top-1
// probability, scaled to [0, 1]) and raises an alarm when its mean has fallen.
//
// The first call to make is [New]: a [Monitor] runs several detectors side by
// side over one signal, splits the wanted false-alarm rate between them, latches
// the first alarm and keeps the evidence for the report. [NewReference] condenses
// known good samples of the signal into the [Reference] that a release carries.
//
// [Kinds] is the table of all detectors, those included that other projects are
// known for; these also run by themselves, as a [Detector].
//
// What is guaranteed:
//   - The caller states one number, the expected count of inferences between
//     false alarms. Page-Hinkley's threshold is computed from the reference
//     histogram by an exact Markov chain with a margin for the reference's
//     finite size ([Calibrate]); the e-detector needs no calibration at all.
//   - Update allocates nothing, and costs the same however long the run.
//   - An alarm is never lost nor repeated over [Monitor.Snapshot] and
//     [Monitor.Restore].
//   - Bytes and references from outside are checked; malformed ones are errors.
//
// The package is pure: no clock, no input or output, no goroutines. Nothing in it
// may be used by two goroutines at once; separate values are independent.
package drift
