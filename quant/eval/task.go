package eval

import (
	"fmt"
	"slices"
)

// Task is what a model is for, as far as it can be measured here.
type Task string

// The tasks.
const (
	// Classification: the greatest of several outputs is the answer.
	Classification Task = "classification"
	// Detection: one output, whose height speaks for class 1. The answer is 1
	// where it is above 0.5 after LOGISTIC, above 0 otherwise.
	Detection Task = "detection"
	// Reconstruction: the output is to equal the input, and the mean squared error
	// speaks for class 1, the anomalies.
	Reconstruction Task = "reconstruction"
	// Other: no answer that labels could be compared with.
	Other Task = "other"
)

// TaskOf says what m is for. A model whose output has the input's shape and is
// not made by SOFTMAX reconstructs.
func TaskOf(m Model) Task {
	in, out := m.Inputs(), m.Outputs()
	if len(out) != 1 {
		return Other
	}
	by := m.Logits()[0].By
	switch shape := squeeze(out[0].Shape); {
	case out[0].Size() == 1:
		return Detection
	case len(in) == 1 && by != "SOFTMAX" && by != "LOG_SOFTMAX" && slices.Equal(squeeze(in[0].Shape), shape):
		return Reconstruction
	case len(shape) == 1:
		return Classification
	}
	return Other
}

// taskFor is TaskOf, but that a model whose labels are not all 0 or 1 classifies.
func taskFor(m Model, y []int) Task {
	task := TaskOf(m)
	if task == Reconstruction && !twoClasses(y) && len(squeeze(m.Outputs()[0].Shape)) == 1 {
		return Classification
	}
	return task
}

// classes is how many labels the task knows.
func classes(task Task, m Model) int {
	if task == Classification {
		return m.Outputs()[0].Size()
	}
	return 2
}

// answer is what a model says about one sample.
type answer struct {
	class int     // of Classification and Detection
	score float64 // of Detection and Reconstruction
}

// judge turns a model's outputs into answers. Over a sample's windows, outputs
// and errors are averaged.
type judge struct {
	task      Task
	threshold float64
	sums      []float64 // of each output over the windows
	windows   int
}

func newJudge(m Model, task Task) *judge {
	j := &judge{task: task, sums: make([]float64, m.Outputs()[0].Size())}
	if m.Logits()[0].By == "LOGISTIC" {
		j.threshold = 0.5
	}
	return j
}

// window takes in what the model made of one window. A result that is no number
// is an error that matches ErrModel.
func (j *judge) window(input, output []float32) error {
	if at := slices.IndexFunc(output, notFinite); at >= 0 {
		return fmt.Errorf("%w: output %d is %v", ErrModel, at, output[at])
	}
	j.windows++
	if j.task != Reconstruction {
		for i, v := range output {
			j.sums[i] += float64(v)
		}
		return nil
	}
	sum := 0.0
	for i, v := range output {
		d := float64(v) - float64(input[i])
		sum += d * d
	}
	j.sums[0] += sum / float64(len(output))
	return nil
}

// answer ends a sample.
func (j *judge) answer() answer {
	a := answer{score: j.sums[0] / float64(j.windows)}
	switch j.task {
	case Classification:
		for i, v := range j.sums {
			if v > j.sums[a.class] {
				a.class = i
			}
		}
	case Detection:
		a.class = one(a.score > j.threshold)
	}
	clear(j.sums)
	j.windows = 0
	return a
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}
