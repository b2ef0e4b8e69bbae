package kernel

import "kedge/runtime/fixed"

// Add is the addition of two 8-bit tensors of different quantization: both are
// brought to a common scale, and their sum is requantized. Bytes stand for int8
// or, with Unsigned set, for uint8: Min and Max lie within the one or the other,
// and the sum's low byte is stored.
type Add struct {
	X, Y     Addend
	Unsigned bool
	Output   fixed.Multiplier
	Zero     int32
	Min, Max int32

	tables *[2][256]int32 // both addends by byte
	linear *linearAdd     // nil where not used
	paired *pairedAdd     // nil where not used
	engine *engine
	shared bool // among threads
}

// Addend is one side: v stands for Factor·((v − Zero)·2^20), or for the negative
// of that. Factor is at most one half.
type Addend struct {
	Zero     int32
	Factor   fixed.Multiplier
	Negative bool
}

func (a *Addend) value(v int32) int32 {
	scaled := a.Factor.Apply((v - a.Zero) << 20)
	if a.Negative {
		return -scaled
	}
	return scaled
}

// plain: the factor is one half, as that of the side with the larger scale is,
// and the value (v − Zero)·2^19.
func (a *Addend) plain() bool { return a.Factor == fixed.Multiplier{M: 1 << 30} }

// prepareAddGeneric tabulates the sides, which are functions of one byte.
func prepareAddGeneric(a *Add) {
	a.tables = new([2][256]int32)
	for i := range 256 {
		v := int32(i)
		if !a.Unsigned {
			v = int32(int8(i))
		}
		a.tables[0][i], a.tables[1][i] = a.X.value(v), a.Y.value(v)
	}
}

// sumsPerPart is how many sums at least are worth a thread's attention.
const sumsPerPart = 2 << 10

// RunShared is Run on the threads of w's team where that is worth while.
func (a *Add) RunShared(x, y, out []int8, w *Work) {
	if n := len(out) / sumsPerPart; a.shared && n > 1 && w.Team != nil {
		w.Team.run(a, min(n, w.Team.size()), x, y, out, nil, w)
		return
	}
	a.Run(x, y, out)
}

// compute implements job.
func (a *Add) compute(first, end int, t *task, _ []int8, _ *Work) {
	from, to := t.part(len(t.out), first), t.part(len(t.out), end)
	a.Run(t.x[from:to], t.y[from:to], t.out[from:to])
}

// Run computes the sums of tensors of equal length. out may be x or y: no element
// is read again once its sum is written.
func (a *Add) Run(x, y, out []int8) {
	x, y = x[:len(out)], y[:len(out)]
	switch {
	case len(out) == 0:
	case a.paired != nil:
		a.engine.addPaired(a.paired, &x[0], &y[0], &out[0], len(out))
	case a.linear != nil && a.linear.swapped:
		a.engine.add(a.linear, &y[0], &x[0], &out[0], len(out))
	case a.linear != nil:
		a.engine.add(a.linear, &x[0], &y[0], &out[0], len(out))
	default:
		addGeneric(a, x, y, out)
	}
}

func addGeneric(a *Add, x, y, out []int8) {
	for i := range out {
		out[i] = a.At(x[i], y[i])
	}
}

// At is the sum of one pair.
func (a *Add) At(x, y int8) int8 {
	sum := a.tables[0][uint8(x)] + a.tables[1][uint8(y)]
	return int8(min(max(a.Output.Apply(sum)+a.Zero, a.Min), a.Max))
}

// linearAdd is an addition of which one side, w, is plain, in the constants of
// 32-bit arithmetic on the other side's v. With a factor of M·2^−31−e, split into
// M = high·2^16 + low with a low half that has a sign, that side is
//
//	t = v·high·2^5 + (v·low + 2^10)>>11        (v·2^20 times M, rounded)
//	(t + 2^(e−1) − [t<0]) >> e                 for e > 0
//
// and w·sign·2^19 is added. The output's factor is applied as in [channel].
type linearAdd struct {
	zero, high, low int32
	signs, e        int32 // signs is −1 for e > 0
	wZero, wSign    int32 // of the plain side; its sign times 2^13
	m               int32
	outE, outSigns  int32
	min, max, unit  int32 // unit is the output's zero point
	swapped         bool  // X is the plain side
}

// newLinearAdd is nil where the constants do not hold what they would have to.
func newLinearAdd(a *Add) *linearAdd {
	v, w := &a.X, &a.Y
	l := &linearAdd{swapped: a.X.plain()}
	if l.swapped {
		v, w = w, v
	}
	m := v.Factor
	l.high, l.low = (m.M+1<<15)>>16, int32(int16(m.M))
	o := a.Output
	if !w.plain() || v.Negative || m.M < 1<<30 || m.Shift < -24 || m.M >= 1<<31-1<<15 ||
		o.M < 1<<30 || o.Shift > 0 || o.Shift < -22 {
		return nil
	}
	l.zero, l.e = v.Zero, -m.Shift
	if l.e > 0 {
		l.signs = -1
	}
	l.wZero, l.wSign = w.Zero, 1<<13
	if w.Negative {
		l.wSign = -l.wSign
	}
	l.m, l.outE, l.min, l.max, l.unit = o.M, -o.Shift, a.Min, a.Max, a.Zero
	if l.outE > 0 {
		l.outSigns = -1
	}
	return l
}
