package eval

import (
	"context"
	"fmt"
	"math"
)

// Recording is what a model answered to a Set: its logits and answers. With it
// many candidates are compared with one reference that runs only once. It holds a
// float32 for every logit of every window, and is safe to share.
type Recording struct {
	model   Model
	set     *Set
	task    Task
	logits  [][]float32 // by window of the whole set: those of all outputs, joined
	answers []answer
}

// Score is how near a candidate comes to a Recording.
type Score struct {
	Logits    float64 // as Comparison.Logits
	Agreement float64 // as Comparison.Agreement
}

// Record runs m on the samples of s. Errors are those of Compare.
func Record(ctx context.Context, m Model, s *Set, o Options) (*Recording, error) {
	r := &Recording{model: m, set: s, task: TaskOf(m), logits: make([][]float32, s.Count*s.Windows), answers: make([]answer, s.Count)}
	err := r.run(ctx, m, o, func(int) func(window, output int, values []float32) {
		return func(window, _ int, values []float32) {
			r.logits[window] = append(r.logits[window], values...)
		}
	}, r.answers)
	return r, err
}

// Compare runs a candidate on the same samples.
// Errors match ErrModel or ErrSamples, or are the context's.
func (r *Recording) Compare(ctx context.Context, candidate Model, o Options) (Score, error) {
	task, err := commonTask(r.model, candidate, nil)
	if err != nil {
		return Score{}, err
	}
	offsets := make([]int, len(candidate.Logits())+1) // of each output's logits in the recording
	for i, l := range candidate.Logits() {
		if l.Size() != r.model.Logits()[i].Size() {
			return Score{}, fmt.Errorf("%w: logits %d have shape %v in one and %v in the other", ErrModel, i, r.model.Logits()[i].Shape, l.Shape)
		}
		offsets[i+1] = offsets[i] + l.Size()
	}
	sums := make([][]power, blocks(r.set.Count))
	answers := make([]answer, r.set.Count)
	err = r.run(ctx, candidate, o, func(block int) func(int, int, []float32) {
		sums[block] = make([]power, len(candidate.Logits()))
		return func(window, output int, values []float32) {
			sums[block][output].add(r.logits[window][offsets[output]:offsets[output+1]], values)
		}
	}, answers)
	if err != nil {
		return Score{}, err
	}
	score := Score{Logits: math.Inf(1), Agreement: agreement(task, r.answers, answers)}
	for i := range candidate.Logits() {
		score.Logits = min(score.Logits, total(sums, i).sqnr())
	}
	return score, nil
}

// run has each block's see shown the logits of every window of its samples, in
// order of samples, windows and outputs.
func (r *Recording) run(ctx context.Context, m Model, o Options, see func(block int) func(window, output int, values []float32), answers []answer) error {
	logits := m.Logits()
	watch := make([]int, len(logits))
	for i, l := range logits {
		watch[i] = l.Index
	}
	return spread(ctx, r.set.Count, o, func() (func(block, lo, hi int) error, error) {
		run, err := newRunner(m, r.set, r.task, watch)
		if err != nil {
			return nil, err
		}
		held := make([][]float32, len(logits))
		hold := func(tensor int, values []float32) {
			for i, index := range watch {
				if index == tensor {
					held[i] = append(held[i][:0], values...)
				}
			}
		}
		return func(block, lo, hi int) error {
			show := see(block)
			for i := lo; i < hi; i++ {
				for w := range r.set.Windows {
					if err := run.window(i, w, hold); err != nil {
						return fmt.Errorf("sample %d: %w", i, err)
					}
					for output, values := range held {
						show(i*r.set.Windows+w, output, values)
					}
				}
				answers[i] = run.judge.answer()
			}
			return nil
		}, nil
	})
}
