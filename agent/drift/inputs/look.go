package inputs

import "math"

// Test is one of the tests, or several together.
type Test uint8

// The tests. An alarm names all that fired.
const (
	// KS is Kolmogorov and Smirnov's: the greatest difference D of the distribution
	// functions.
	KS Test = 1 << iota
	// PSI is the population stability index.
	PSI
	// Range: values outside the reference's range, or far outside it.
	Range
	// Missing: more missing values.
	Missing
	// Stuck: a value stays the same for too long.
	Stuck
)

// shares is by how many the promise is divided: the five tests, of which Range is
// two.
const shares = 6

var testNames = [...]string{"ks", "psi", "range", "missing", "stuck"}

// Names lists the names of the tests.
func (t Test) Names() []string {
	names := []string{}
	for i, name := range testNames {
		if t&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// The least effects that count: a long reference and a long window make differences
// significant that no model minds.
const (
	leastD   = 0.1
	leastPSI = 0.1
)

// watch is a feature of the reference prepared for its tests.
type watch struct {
	*Feature
	groups  groups
	n       float64 // values in the reference
	loBin   int     // bins of the range
	hiBin   int
	farLo   float64 // beyond these a value is far outside
	farHi   float64
	stuck   uint32 // run that fires; 0 for none
	lengths []length
	far     float64 // rate of values far outside that the reference permits
}

// length is what holds for windows of one length.
type length struct {
	inflation
	rows     int
	d        float64 // the reference's own part in D
	psi      float64 // the same in the root of PSI
	outside  float64 // rates that the reference permits
	missing  float64
	evidence float64 // -ln of the probability of a false alarm
}

// newWatch prepares a feature of a reference of n rows; x is -ln of the probability
// with which the reference may mislead one test of one feature, and a the rows
// between the false alarms of one test of one feature.
func newWatch(f *Feature, n int64, x, a float64) watch {
	w := watch{Feature: f, groups: newGroups(&f.Counts), n: float64(f.Counts.N())}
	w.loBin, w.hiBin = f.rangeBins()
	w.stuck = f.stuckRun(a, x)
	w.far = outsideRate(w.n, x)
	all := f.inflations(n)
	worst := 1.0
	for _, in := range all {
		worst = max(worst, in.point)
	}
	// The range of a few independent values says little.
	span := (f.Hi - f.Lo) * max(1, MinReference*worst/max(w.n, 1))
	w.farLo, w.farHi = f.Lo-span, f.Hi+span
	rows := blockLengths(n)
	longest := rows[len(rows)-1]
	for i, in := range all {
		l := length{inflation: in, rows: rows[i]}
		// The block is looked at once in its rows, every other length once in the rows
		// of the longest; half of the promise to either.
		l.evidence = math.Log(2 * a / float64(l.rows))
		if i > 0 {
			l.evidence = math.Log(2 * a * float64(len(all)-1) / float64(longest))
		}
		l.evidence = max(l.evidence, 1)
		l.d = math.Sqrt((x + math.Ln2) / (2 * w.n / worst))
		dof := float64(w.groups.n - 1)
		l.inflation.psi = max(in.psi, in.ks)
		l.psi = math.Sqrt(chiSquareTail(dof, 1, x) * worst / w.n)
		l.outside = outsideRate(w.n/worst, x)
		l.missing = upperRate(float64(f.Counts.Missing)/in.missing, float64(n)/in.missing, x)
		w.lengths = append(w.lengths, l)
	}
	return w
}

// threshold is the D beyond which n values differ from the reference. The window's
// part is the inequality of Dvoretzky, Kiefer and Wolfowitz with Massart's constant,
// P(D >= t) <= 2exp(-2nt^2), which holds for every distribution, also on a lattice
// with ties; the reference's part is the same for its own deviation from the truth,
// so that the sum holds for the reference at hand and not merely on average over
// references. Dependent rows count as fewer.
func (l *length) threshold(n int) float64 {
	return math.Sqrt((l.evidence+math.Ln2)*l.ks/(2*float64(n))) + l.d
}

// psiThreshold is that of PSI; infinite if the window's effective number of values
// is too small for chi-square. In the chi-square norm the window's and the
// reference's deviations add at most, hence the sum of the roots.
func (l *length) psiThreshold(g *groups, n int) float64 {
	effective := float64(n) / l.inflation.psi
	if g.n < 2 || effective < 10*float64(g.n) {
		return math.Inf(1)
	}
	root := math.Sqrt(chiSquareTail(float64(g.n-1), 1, l.evidence)/effective) + l.psi
	return root * root
}

// look is what one window showed of one feature.
type look struct {
	fired   Test
	level   float64 // the greatest statistic, in units of its threshold
	d       float64
	psi     float64
	outside float64 // rate
	missing float64 // rate
	// effect is the share of rows that differ, in [0, 1]: the greatest of D, the rate
	// outside, and the rate of missing values above the reference's.
	effect float64
	// score is effect over the D that is plausible for this feature.
	score float64
}

// tally is a window's counts.
type tally struct {
	counts  [Bins]uint16
	missing int
	far     int
}

// look tests a window. at is the length whose thresholds hold.
func (w *watch) look(t *tally, at int) look {
	l := &w.lengths[at]
	var k look
	outside, below, whole, n := 0, 0, 0.0, 0
	for _, c := range t.counts {
		n += int(c)
	}
	for i, c := range t.counts {
		below += int(c)
		whole += float64(w.Counts.Counts[i])
		if i < w.loBin || i > w.hiBin {
			outside += int(c)
		}
		if n > 0 && w.n > 0 {
			k.d = max(k.d, math.Abs(float64(below)/float64(n)-whole/w.n))
		}
	}
	k.missing = float64(t.missing) / float64(max(n+t.missing, 1))
	k.rate(Missing, k.missing, l.missing, float64(n+t.missing)/l.inflation.missing, l.evidence)
	before := float64(w.Counts.Missing) / (w.n + float64(w.Counts.Missing))
	k.effect = max(k.missing-before, 0)
	plausible := l.threshold(max(n, 1))
	if n > 0 && w.n > 0 {
		k.outside = float64(outside) / float64(n)
		k.rate(Range, k.outside, l.outside, float64(n)/l.ks, l.evidence)
		// However slow a signal, it does not get this far by itself: each row counts.
		k.rate(Range, float64(t.far)/float64(n), w.far, float64(n), l.evidence)
		if n >= l.rows/4 {
			k.compare(KS, k.d, max(plausible, leastD))
			k.psi = w.groups.psi(&t.counts, n)
			k.compare(PSI, k.psi, max(l.psiThreshold(&w.groups, n), leastPSI))
		}
		k.effect = max(k.effect, k.d, k.outside)
	} else {
		plausible = l.threshold(l.rows)
	}
	k.score = k.effect / plausible
	return k
}

// compare is a test of a statistic against its threshold.
func (k *look) compare(t Test, statistic, threshold float64) {
	if statistic >= threshold {
		k.fired |= t
	}
	k.level = max(k.level, statistic/threshold)
}

// rate is a test of a rate among n against the permitted one, by Chernoff's bound on
// the binomial tail.
func (k *look) rate(t Test, rate, permitted, n, evidence float64) {
	if rate > permitted {
		k.compare(t, n*divergence(rate, permitted), evidence)
	}
}
