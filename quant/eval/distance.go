package eval

import (
	"context"
	"fmt"
	"math"
	"slices"
)

// Distance is how far a candidate's logits lie from a Recording's, sample by
// sample, so that parts of the samples can be judged on their own.
type Distance struct {
	raw, decisive [][]power // by output and sample
	same          []bool    // by sample: the answers; nil where they are no classes
}

// Samples is the number of samples measured.
func (d *Distance) Samples() int { return len(d.raw[0]) }

// Logits is the signal-to-quantization-noise ratio of the logits over the samples
// that pick chooses, all with nil; of several outputs the lowest.
func (d *Distance) Logits(pick func(sample int) bool) float64 { return lowest(d.raw, pick) }

// Decisive is Logits for what decides the answer. Logits that go into a SOFTMAX or
// LOG_SOFTMAX compete: what is added to a whole row changes nothing, and errors
// matter the more the nearer a logit is to the greatest of its row. Others count as
// in Logits.
func (d *Distance) Decisive(pick func(sample int) bool) float64 { return lowest(d.decisive, pick) }

// Agreement is the share of the samples with equal answers; NaN where they are no
// classes.
func (d *Distance) Agreement() float64 {
	if d.same == nil {
		return math.NaN()
	}
	n := 0
	for _, s := range d.same {
		n += one(s)
	}
	return float64(n) / float64(len(d.same))
}

func lowest(outputs [][]power, pick func(int) bool) float64 {
	least := math.Inf(1)
	for _, samples := range outputs {
		var sum power
		for i, p := range samples {
			if pick == nil || pick(i) {
				sum.signal += p.signal
				sum.noise += p.noise
			}
		}
		least = min(least, sum.sqnr())
	}
	return least
}

// Measure runs a candidate on the recorded samples and keeps each apart.
// Errors are those of Compare.
func (r *Recording) Measure(ctx context.Context, candidate Model, o Options) (*Distance, error) {
	task, err := commonTask(r.model, candidate, nil)
	if err != nil {
		return nil, err
	}
	meters := make([]meter, len(candidate.Logits()))
	d := &Distance{}
	start := 0
	for i, l := range candidate.Logits() {
		ours := r.model.Logits()[i]
		if l.Size() != ours.Size() {
			return nil, fmt.Errorf("%w: logits %d have shape %v in one and %v in the other", ErrModel, i, ours.Shape, l.Shape)
		}
		meters[i] = meter{start: start, size: l.Size(), raw: make([]power, r.set.Count), decisive: make([]power, r.set.Count)}
		if n := len(ours.Shape); n > 0 && (ours.By == "SOFTMAX" || ours.By == "LOG_SOFTMAX") {
			meters[i].row = ours.Shape[n-1]
		}
		d.raw, d.decisive = append(d.raw, meters[i].raw), append(d.decisive, meters[i].decisive)
		start += l.Size()
	}
	answers := make([]answer, r.set.Count)
	err = r.run(ctx, candidate, o, func(int) func(int, int, []float32) {
		return func(window, output int, values []float32) {
			m := &meters[output]
			m.add(window/r.set.Windows, r.logits[window][m.start:m.start+m.size], values)
		}
	}, answers)
	if err != nil {
		return nil, err
	}
	if task == Classification || task == Detection {
		d.same = make([]bool, len(answers))
		for i := range answers {
			d.same[i] = answers[i].class == r.answers[i].class
		}
	}
	return d, nil
}

// meter sums up one output's logits for each sample. Workers add to their own
// samples.
type meter struct {
	start, size   int // in a recorded window
	row           int // logits that compete; 0 where they do not
	raw, decisive []power
}

func (m *meter) add(sample int, want, got []float32) {
	m.raw[sample].add(want, got)
	if m.row == 0 {
		m.decisive[sample].add(want, got)
		return
	}
	for at := 0; at < len(want); at += m.row {
		m.decisive[sample].contest(want[at:at+m.row], got[at:at+m.row])
	}
}

// temperature softens the softmax that weighs logits, as in distillation (Hinton,
// Vinyals and Dean, 2015): at 1, the weights of probabilities, nearly all of the
// sum would come from the few samples whose answer is in doubt.
const temperature = 4

// contest adds up the signal of the logits that compete in a row, and the noise of
// those that could win: each counts by the softmax of the reference's logits over
// temperature, and the mean is taken out by the same weights.
func (p *power) contest(want, got []float32) {
	top := float64(slices.Max(want))
	var sum, a, b float64
	for i, v := range want {
		w := math.Exp((float64(v) - top) / temperature)
		sum += w
		a += w * float64(v)
		b += w * float64(got[i])
	}
	a, b = a/sum, b/sum
	for i, v := range want {
		signal := float64(v) - a
		noise := signal - (float64(got[i]) - b)
		p.signal += signal * signal / float64(len(want))
		p.noise += noise * noise * math.Exp((float64(v)-top)/temperature) / sum
	}
}

// Task is what the recorded model is for.
func (r *Recording) Task() Task { return r.task }

// Samples is the number of recorded samples, and Windows that of each one's windows.
func (r *Recording) Samples() int { return r.set.Count }
func (r *Recording) Windows() int { return r.set.Windows }

// Thin keeps at most n samples, evenly chosen. The recording itself is not changed.
func (r *Recording) Thin(n int) *Recording {
	if n >= r.set.Count || n <= 0 {
		return r
	}
	set := &Set{Count: n, Windows: r.set.Windows, Notes: r.set.Notes, series: slices.Clone(r.set.series)}
	out := &Recording{model: r.model, set: set, task: r.task}
	for k := range set.series {
		set.series[k].values = nil
	}
	for i := range n {
		from := i * r.set.Count / n
		for k, s := range r.set.series {
			set.series[k].values = append(set.series[k].values, s.values[from*s.sample:(from+1)*s.sample]...)
		}
		out.logits = append(out.logits, r.logits[from*set.Windows:(from+1)*set.Windows]...)
		out.answers = append(out.answers, r.answers[from])
	}
	return out
}
