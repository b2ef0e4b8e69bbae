package inputs

import "math"

// shortestStuck is the least run that is called stuck, whatever the reference says: a
// few equal readings in a row are no fault.
const shortestStuck = 10

// run follows how long a value has stayed the same.
type run struct {
	last    float64
	length  uint32 // of the present run
	longest uint32
}

// add returns the length of the run that x ends.
func (r *run) add(x float64) uint32 {
	if r.length == 0 || x != r.last {
		r.last, r.length = x, 0
	}
	if r.length < math.MaxUint32 {
		r.length++
	}
	r.longest = max(r.longest, r.length)
	return r.length
}

// stuckRun is the run that is longer than the reference makes plausible in so many
// rows, where the reference may mislead with a probability of at most exp(-x); 0 if
// there is none. It is the greatest of three, the last two because values that repeat
// do not repeat independently:
//   - what independent repetitions would reach, at the upper confidence limit of
//     their rate;
//   - the same with the rate at which runs go on once they have begun;
//   - twice the reference's longest run, scaled up as the longest run of geometric ones
//     grows, with the logarithm of the rows.
func (f *Feature) stuckRun(rows, x float64) uint32 {
	n := float64(f.Counts.N())
	if f.Constant() || n < MinReference {
		return 0
	}
	rate := upperRate(float64(f.Repeats), n, x)
	if repeats := float64(f.Repeats); repeats >= MinReference {
		rate = max(rate, upperRate(repeats-float64(f.Runs), repeats, x))
	}
	if rate >= 1 {
		return 0
	}
	growth := max(math.Log(rows)/math.Log(n), 1)
	length := max(shortestStuck, 1+math.Log(rows)/-math.Log(rate), 2*growth*float64(f.Run))
	if length > math.MaxUint32 {
		return 0
	}
	return uint32(math.Ceil(length))
}
