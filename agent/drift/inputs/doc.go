// Package inputs notices that a model's inputs no longer look like those it was
// released for, feature by feature. Confidence alone stays silent when a model is
// confidently wrong; its inputs do not.
//
// The trainer makes a [Reference] with a [Builder] from rows in the order in which
// they were taken; it travels in the signed release. The device gives it to [New]
// and feeds the [Monitor] every row; [Monitor.Explain] ranks the features that moved,
// with before and after, for the report. [Replay] does both over recorded rows.
//
// Each feature is counted in 256 bins: a byte of an int8 model is its own bin, any
// other feature has bins of equal frequency in the reference and one on either side
// of its range. Five things are tested: the distribution (Kolmogorov-Smirnov and the
// population stability index), values outside the range, missing values, and a value
// that stays the same for longer than it used to.
//
// What is guaranteed:
//   - The caller states one number, the rows between false alarms. It is split over
//     features, tests and looks (Bonferroni: no assumption on how these depend on
//     each other), so that the expected number of false alarms in as many rows is
//     at most one while the rows are like the reference's, for nineteen references
//     in twenty. For independent rows it follows from inequalities that hold for any
//     distribution, save PSI's, whose null distribution is asymptotic, and the stuck
//     value's, which supposes that long runs thin out geometrically; for dependent
//     ones it rests on how much the blocks of the reference differ ([Spread]).
//   - Update allocates nothing and costs the same however long the run; the tests
//     run at the end of a block of rows. A feature takes less than 1 KiB.
//   - NaN and infinities are missing values.
//   - Bytes and references from outside are checked; malformed ones are errors.
//
// The package is pure: no clock, no input or output, no goroutines. Nothing in it may
// be used by two goroutines at once; separate values are independent. A context (hour
// of the day, season) has a Reference and a Monitor of its own: a promise per row
// holds for all of them together.
package inputs
