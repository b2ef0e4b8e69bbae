package eval

import (
	"context"
	"fmt"
	"math"
)

// Result is how well a model answers. What was not measured is NaN.
type Result struct {
	Task    Task
	Samples int
	Windows int // of each sample

	Accuracy float64 // share of right answers
	// AccuracyError is the standard error of Accuracy as an estimate for samples
	// of the same kind, √(p·(1−p)/n).
	AccuracyError float64
	Classes       []Class // of Classification and Detection

	// AUC is the probability that a random sample of class 1 scores higher than
	// one of class 0, half of it for equal scores; AUCError its standard error.
	AUC, AUCError float64
	// Scores are the mean scores of the samples of class 0 and 1.
	Scores [2]float64
}

// Class is the part of the samples with one label.
type Class struct {
	Label   int
	Samples int
	Right   int // samples of this label for which it was the answer
	Answers int // samples, of whatever label, for which it was the answer
}

// Recall is the share of the class's samples that were found; NaN without any.
func (c Class) Recall() float64 { return float64(c.Right) / float64(c.Samples) }

// Evaluate runs m on the samples of s, whose classes are y, counted from 0.
// Errors match ErrModel, ErrSamples or ErrLabels, or are the context's.
func Evaluate(ctx context.Context, m Model, s *Set, y []int, o Options) (*Result, error) {
	task := taskFor(m, y)
	if task == Other {
		return nil, fmt.Errorf("%w: %s; accuracy is measured of one output of one class or score", ErrModel, describeOutputs(m))
	}
	if err := checkLabels(y, s.Count, classes(task, m)); err != nil {
		return nil, err
	}
	answers := make([]answer, s.Count)
	err := spread(ctx, s.Count, o, func() (func(block, lo, hi int) error, error) {
		r, err := newRunner(m, s, task, nil)
		return func(_, lo, hi int) error {
			for i := lo; i < hi; i++ {
				if answers[i], err = r.sample(i, nil); err != nil {
					return fmt.Errorf("sample %d: %w", i, err)
				}
			}
			return nil
		}, err
	})
	if err != nil {
		return nil, err
	}
	return score(task, classes(task, m), s, answers, y), nil
}

func describeOutputs(m Model) string {
	if n := len(m.Outputs()); n > 1 {
		return fmt.Sprintf("%d outputs", n)
	}
	return fmt.Sprintf("output of shape %v", m.Outputs()[0].Shape)
}

// runner runs one model on a Set's samples.
type runner struct {
	session Session
	set     *Set
	judge   *judge
	inputs  [][]float32
}

func newRunner(m Model, s *Set, task Task, watch []int) (*runner, error) {
	session, err := m.NewSession(watch)
	if err != nil {
		return nil, err
	}
	return &runner{session, s, newJudge(m, task), make([][]float32, len(m.Inputs()))}, nil
}

func (r *runner) sample(i int, observe func(int, []float32)) (answer, error) {
	for w := range r.set.Windows {
		if err := r.window(i, w, observe); err != nil {
			return answer{}, err
		}
	}
	return r.judge.answer(), nil
}

func (r *runner) window(i, w int, observe func(int, []float32)) error {
	r.set.window(r.inputs, i, w)
	outputs, err := r.session.Run(r.inputs, observe)
	if err != nil {
		return err
	}
	return r.judge.window(r.inputs[0], outputs[0])
}

// score sums answers up; y may be nil.
func score(task Task, classes int, s *Set, answers []answer, y []int) *Result {
	nan := math.NaN()
	r := &Result{
		Task: task, Samples: s.Count, Windows: s.Windows, Accuracy: nan, AccuracyError: nan,
		AUC: nan, AUCError: nan, Scores: [2]float64{nan, nan},
	}
	if y == nil || task == Other {
		return r
	}
	if task != Reconstruction {
		r.count(classes, answers, y)
	}
	if task != Classification {
		var scores [2][]float64
		for i, a := range answers {
			scores[y[i]] = append(scores[y[i]], a.score)
		}
		r.Scores = [2]float64{mean(scores[0]), mean(scores[1])}
		r.AUC, r.AUCError = auc(scores[0], scores[1])
	}
	return r
}

func (r *Result) count(classes int, answers []answer, y []int) {
	r.Classes = make([]Class, classes)
	for i := range r.Classes {
		r.Classes[i].Label = i
	}
	right := 0
	for i, a := range answers {
		r.Classes[y[i]].Samples++
		r.Classes[a.class].Answers++
		if a.class == y[i] {
			r.Classes[y[i]].Right++
			right++
		}
	}
	n := float64(len(answers))
	r.Accuracy = float64(right) / n
	r.AccuracyError = math.Sqrt(r.Accuracy * (1 - r.Accuracy) / n)
}

func mean(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}
