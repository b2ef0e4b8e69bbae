package drift

import (
	"compress/gzip"
	"encoding/csv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
)

// mixed is Beta(19, 1) with one sample in a hundred anywhere.
func mixed() []float64 {
	w := beta(19)
	for q := range w {
		w[q] = 0.99*w[q] + 0.01/LatticeSize
	}
	return w
}

func even() []float64 { return slices.Repeat([]float64{1}, LatticeSize) }

// TestPairPromise draws references and counts how many of them keep the promise of the
// pair, both detectors' alarms together.
func TestPairPromise(t *testing.T) {
	draws := accepted(10, 200)
	for i, c := range []struct {
		name    string
		weights []float64
	}{
		{"Beta(19,1)", beta(19)}, {"Beta(3,1)", beta(3)}, {"saturated", saturated()}, {"even", even()},
		{"one in 20 at zero", bernoulli(0.05)}, {"one in 200 at zero", bernoulli(0.005)}, {"mixed", mixed()},
	} {
		for n, least := range map[int]float64{500: 0.95, 100: 0.90} {
			s, kept := newSampler(c.weights, uint64(100*i+n)), 0
			for range draws {
				kept += btoi(pairRunLength(t, s, n) >= DefaultARL)
			}
			t.Logf("%s, %d: %d of %d", c.name, n, kept, draws)
			if float64(kept) < least*float64(draws) {
				t.Errorf("%s: %d of %d references of %d samples keep the promise, want a share of %v", c.name, kept, draws, n, least)
			}
		}
	}
}

// pairRunLength simulates the pair until its run length is clearly on one side of the
// wanted one, or 400,000 samples.
func pairRunLength(t *testing.T, s *sampler, n int) float64 {
	m, alarms := mustNew(t, Options{Reference: s.reference(n)}), 0
	for steps := 1; ; steps++ {
		alarms += btoi(m.Update(s.next()).Fired != nil)
		length := float64(steps) / max(float64(alarms), 1)
		if steps%DefaultARL == 0 && (steps == 40*DefaultARL || steps >= 6*DefaultARL && (length > 4*DefaultARL || length < DefaultARL/3)) {
			return length
		}
	}
}

// delays are the samples from a change to the alarm, sorted, after 1,000 without one.
func delays(before, after *sampler, streams int, make func(Reference) Detector) []int {
	var all []int
	for range streams {
		d := make(before.reference(500))
		for range 1000 {
			if d.Update(before.next()) == Drift {
				d.Reset()
			}
		}
		n := 1
		for n < 5000 && d.Update(after.next()) != Drift {
			n++
		}
		all = append(all, n)
	}
	slices.Sort(all)
	return all
}

func mean(delays []int) float64 {
	sum := 0
	for _, d := range delays {
		sum += d
	}
	return float64(sum) / float64(len(delays))
}

// TestDelayFrozen: Page-Hinkley alone, with the threshold at which one stream in 20
// has a false alarm in 10,000 samples.
func TestDelayFrozen(t *testing.T) {
	streams := accepted(100, 400)
	s := newSampler(beta(19), 301)
	most := make([]float64, streams)
	detector := func(ref Reference, h int) *Frozen {
		d, err := NewFrozen(int(Quantize(ref.Mean()-DefaultDelta)), h)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for i := range most {
		d := detector(s.reference(500), 1<<30)
		for range 10000 {
			d.Update(s.next())
			most[i] = max(most[i], d.Statistic())
		}
	}
	slices.Sort(most)
	h := int(most[streams-streams/20-1]*LatticeSize) + 1
	for _, c := range []struct{ mean, want float64 }{{0.92, 75}, {0.85, 12}, {0.76, 6}} {
		got := delays(s, newSampler(beta(c.mean/(1-c.mean)), 302), streams, func(ref Reference) Detector { return detector(ref, h) })
		t.Logf("mean %v: %.1f, median %d", c.mean, mean(got), got[streams/2])
		if mean(got) > c.want {
			t.Errorf("mean falls to %v: got a mean delay of %.1f, want at most %v", c.mean, mean(got), c.want)
		}
	}
}

// TestDelayESR: the e-detector alone, with nothing but the reference's mean.
func TestDelayESR(t *testing.T) {
	streams := accepted(100, 400)
	check := func(name string, before, after []float64, arl float64, want int) {
		got := delays(newSampler(before, 311), newSampler(after, 312), streams, func(ref Reference) Detector {
			d, err := NewESR(ESROptions{Mu0: ref.ESRMean(arl), ARL: arl})
			if err != nil {
				t.Fatal(err)
			}
			return d
		})
		t.Logf("%s, %g: median %d, mean %.1f", name, arl, got[streams/2], mean(got))
		if got[streams/2] > want {
			t.Errorf("%s, run length %g: got a median delay of %d, want at most %d", name, arl, got[streams/2], want)
		}
	}
	check("Beta(19,1) to .92", beta(19), beta(0.92/0.08), 1e4, 95)
	check("Beta(19,1) to .85", beta(19), beta(0.85/0.15), 1e4, 16)
	check("Beta(19,1) to .76", beta(19), beta(0.76/0.24), 1e4, 9)
	held, batches := gas(t)
	for i, want := range [][2]int{{40, 95}, {9, 19}, {5, 10}} {
		name := "gas, batch " + strconv.Itoa([]int{3, 6, 8}[i])
		check(name, held, batches[i], 1e4, want[0])
		check(name, held, batches[i], 1e9, want[1])
	}
}

// gas counts the recorded int8 confidences of a model for gas sensors, held out and in
// batches 3, 6 and 8.
func gas(t *testing.T) (held []float64, batches [3][]float64) {
	file, err := os.Open(filepath.Join(golden(t), "real_gas_conf_int8.csv.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(unzipped).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	count := func(from, to int) []float64 {
		w := make([]float64, LatticeSize)
		for _, row := range rows[1+from : 1+to] {
			x, err := strconv.ParseFloat(row[0], 64)
			if err != nil {
				t.Fatal(err)
			}
			w[Quantize(x)]++
		}
		return w
	}
	return count(0, 507), [3][]float64{count(507, 2093), count(2451, 4751), count(4751, 5045)}
}

// TestCorrelatedPromise: where samples depend on each other, false alarms in 10,000
// samples stay below one in ten streams, and a drop of ten points is found.
func TestCorrelatedPromise(t *testing.T) {
	streams := accepted(20, 200)
	for _, c := range []struct {
		ratio float64
		delay float64 // 0 for no demand
	}{{0.9, 300}, {0.99, 0}} {
		rng := rand.New(rand.NewPCG(321, uint64(100*c.ratio)))
		alarms, found := 0, []int{}
		for range streams {
			xs := correlated(rng, c.ratio, 17000)
			ref, err := NewReference(xs[:2000])
			if err != nil {
				t.Fatal(err)
			}
			m := mustNew(t, Options{Reference: ref})
			for _, x := range xs[2000:12000] {
				m.Update(x)
			}
			if m.Explain().Alarms > 0 {
				alarms++
				m = mustNew(t, Options{Reference: ref})
			}
			n := 0
			for n < 5000 && m.Update(xs[12000+n]-0.1).State != Drift {
				n++
			}
			found = append(found, n)
		}
		t.Logf("correlation %v: %d of %d with a false alarm, mean delay %.0f", c.ratio, alarms, streams, mean(found))
		if 10*alarms > streams {
			t.Errorf("correlation %v: false alarms in %d of %d streams, want at most one in ten", c.ratio, alarms, streams)
		}
		if c.delay > 0 && mean(found) > c.delay {
			t.Errorf("correlation %v: got a mean delay of %.0f, want at most %v", c.ratio, mean(found), c.delay)
		}
	}
}
