package eval

import (
	"context"
	"fmt"
	"math"
	"slices"
)

// Comparison says how a model answers beside the one it was made from. What
// was not measured is NaN.
type Comparison struct {
	Samples int
	// Agreement is the share of samples to which both give the same answer; NaN
	// where answers are no classes.
	Agreement float64
	// Logits is the signal-to-quantization-noise ratio of the Logits of the
	// models, of several outputs the lowest.
	Logits               float64
	Reference, Candidate *Result
	Layers               []Layer // in the reference's order of execution
}

// Layer is one activation of both models, compared.
type Layer struct {
	Name string
	// Reference and Candidate are its indices in the two models.
	Reference, Candidate int
	// SQNR is the signal-to-quantization-noise ratio in decibels,
	// 10·log10(Σ reference² / Σ (reference − candidate)²); +Inf when equal.
	SQNR float64
}

// Compare runs the samples of s through both models and compares them activation
// by activation: those that have the same name and shape, and the Logits.
// y holds the samples' classes or is nil.
// Errors match ErrModel, ErrSamples or ErrLabels, or are the context's.
func Compare(ctx context.Context, reference, candidate Model, s *Set, y []int, o Options) (*Comparison, error) {
	task, err := commonTask(reference, candidate, y)
	if err != nil {
		return nil, err
	}
	if y != nil && task != Other {
		if err := checkLabels(y, s.Count, classes(task, candidate)); err != nil {
			return nil, err
		}
	}
	c := &comparing{set: s, task: task, models: [2]Model{reference, candidate}, pairs: pairs(reference, candidate)}
	c.answers = [2][]answer{make([]answer, s.Count), make([]answer, s.Count)}
	c.sums = make([][]power, blocks(s.Count))
	if err := spread(ctx, s.Count, o, c.start); err != nil {
		return nil, err
	}
	return c.result(y), nil
}

// commonTask refuses models that cannot take the same samples or whose results
// are not of the same form.
func commonTask(a, b Model, y []int) (Task, error) {
	for _, side := range []struct {
		name string
		a, b []Tensor
	}{{"input", a.Inputs(), b.Inputs()}, {"output", a.Outputs(), b.Outputs()}} {
		if len(side.a) != len(side.b) {
			return Other, fmt.Errorf("%w: %d and %d %ss", ErrModel, len(side.a), len(side.b), side.name)
		}
		for i := range side.a {
			if !slices.Equal(squeeze(side.a[i].Shape), squeeze(side.b[i].Shape)) {
				return Other, fmt.Errorf("%w: %s %d has shape %v in one and %v in the other", ErrModel, side.name, i, side.a[i].Shape, side.b[i].Shape)
			}
		}
	}
	if task := taskFor(a, y); task == taskFor(b, y) {
		return task, nil
	}
	return Other, nil
}

// pair is an activation that both models have.
type pair struct {
	Layer
	logits bool // of the models, whatever their names
	named  bool
}

// pairs finds them by names that are unique in both models.
func pairs(reference, candidate Model) []pair {
	var out []pair
	theirs := byName(candidate)
	ours := byName(reference)
	for _, t := range reference.Activations() {
		u, ok := theirs[t.Name]
		if ok && u.Index >= 0 && ours[t.Name].Index >= 0 && slices.Equal(squeeze(t.Shape), squeeze(u.Shape)) {
			out = append(out, pair{Layer{t.Name, t.Index, u.Index, 0}, false, true})
		}
	}
	for i, a := range reference.Logits() {
		b := candidate.Logits()[i]
		if a.Size() != b.Size() {
			continue
		}
		at := slices.IndexFunc(out, func(p pair) bool { return p.Reference == a.Index && p.Candidate == b.Index })
		if at < 0 {
			out = append(out, pair{Layer{a.Name, a.Index, b.Index, 0}, true, false})
		} else {
			out[at].logits = true
		}
	}
	return out
}

// byName gives a model's activations by name; Index is −1 where several have it.
func byName(m Model) map[string]Tensor {
	names := make(map[string]Tensor)
	for _, t := range m.Activations() {
		if _, twice := names[t.Name]; twice {
			t.Index = -1
		}
		names[t.Name] = t
	}
	return names
}

// power sums up an activation's signal and error.
type power struct{ signal, noise float64 }

func (p *power) add(want, got []float32) {
	signal, noise := 0.0, 0.0
	for i, v := range want {
		d := float64(v) - float64(got[i])
		signal += float64(v) * float64(v)
		noise += d * d
	}
	p.signal += signal
	p.noise += noise
}

// total adds up one place of all blocks.
func total(blocks [][]power, at int) power {
	var sum power
	for _, b := range blocks {
		sum.signal += b[at].signal
		sum.noise += b[at].noise
	}
	return sum
}

func (p power) sqnr() float64 {
	if p.noise == 0 {
		return math.Inf(1)
	}
	return 10 * math.Log10(p.signal/p.noise)
}

// comparing is one Compare at work. Workers write to their own samples' answers
// and their own blocks' sums.
type comparing struct {
	set     *Set
	task    Task
	models  [2]Model
	pairs   []pair
	answers [2][]answer
	sums    [][]power // by block and pair
}

// start makes a worker.
func (c *comparing) start() (func(block, lo, hi int) error, error) {
	w := &compareWorker{comparing: c, held: make([][]float32, len(c.pairs))}
	var watch [2][]int
	for _, p := range c.pairs {
		watch[0] = append(watch[0], p.Reference)
		watch[1] = append(watch[1], p.Candidate)
	}
	for i, m := range c.models {
		var err error
		if w.runners[i], err = newRunner(m, c.set, c.task, watch[i]); err != nil {
			return nil, err
		}
	}
	return w.block, nil
}

type compareWorker struct {
	*comparing
	runners [2]*runner
	held    [][]float32 // what the reference computed, by pair
	sums    []power
}

func (w *compareWorker) block(block, lo, hi int) error {
	w.sums = make([]power, len(w.pairs))
	for i := lo; i < hi; i++ {
		if err := w.sample(i); err != nil {
			return fmt.Errorf("sample %d: %w", i, err)
		}
	}
	w.comparing.sums[block] = w.sums
	return nil
}

func (w *compareWorker) sample(i int) error {
	for window := range w.set.Windows {
		if err := w.runners[0].window(i, window, w.hold); err != nil {
			return err
		}
		if err := w.runners[1].window(i, window, w.add); err != nil {
			return err
		}
	}
	for k, r := range w.runners {
		w.answers[k][i] = r.judge.answer()
	}
	return nil
}

// hold keeps what the reference computed.
func (w *compareWorker) hold(tensor int, values []float32) {
	for i := range w.pairs {
		if w.pairs[i].Reference == tensor {
			w.held[i] = append(w.held[i][:0], values...)
		}
	}
}

// add compares what the candidate computed with it.
func (w *compareWorker) add(tensor int, values []float32) {
	for i := range w.pairs {
		if w.pairs[i].Candidate != tensor || len(w.held[i]) != len(values) {
			continue
		}
		w.sums[i].add(w.held[i], values)
	}
}

func (c *comparing) result(y []int) *Comparison {
	out := &Comparison{Samples: c.set.Count, Agreement: agreement(c.task, c.answers[0], c.answers[1]), Logits: math.NaN()}
	n := classes(c.task, c.models[1])
	out.Reference, out.Candidate = score(c.task, n, c.set, c.answers[0], y), score(c.task, n, c.set, c.answers[1], y)
	for i, p := range c.pairs {
		sum := total(c.sums, i)
		p.SQNR = sum.sqnr()
		if p.named && sum.signal > 0 {
			out.Layers = append(out.Layers, p.Layer)
		}
		if p.logits && !(out.Logits <= p.SQNR) {
			out.Logits = p.SQNR
		}
	}
	return out
}

// agreement is the share of equal answers; NaN where they are no classes.
func agreement(task Task, a, b []answer) float64 {
	if task != Classification && task != Detection {
		return math.NaN()
	}
	same := 0
	for i := range a {
		same += one(a[i].class == b[i].class)
	}
	return float64(same) / float64(len(a))
}
