package prune

import (
	"fmt"
	"math"
)

// Schedule says how sparse a network is to be after a step of training. OneShot
// and Cubic make one.
type Schedule struct {
	initial, final    float64
	begin, end, every int
}

// OneShot prunes to sparsity at one step.
func OneShot(sparsity float64, step int) (Schedule, error) {
	return Cubic(0, sparsity, step, step, 1)
}

// Cubic prunes from the sparsity initial at step begin to final at step end,
// fast at first and ever more slowly, and changes every so many steps:
//
//	final + (initial − final)·(1 − (step − begin)/(end − begin))³
//
// Source: Zhu and Gupta, "To prune, or not to prune" (2017). Errors match
// ErrOptions: 0 ≤ initial ≤ final < 1, 0 ≤ begin ≤ end and every ≥ 1.
func Cubic(initial, final float64, begin, end, every int) (Schedule, error) {
	if !(initial >= 0 && initial <= final && final < 1) {
		return Schedule{}, fmt.Errorf("%w: schedule from sparsity %v to %v, want 0 ≤ from ≤ to < 1", ErrOptions, initial, final)
	}
	if begin < 0 || end < begin || every < 1 {
		return Schedule{}, fmt.Errorf("%w: schedule from step %d to %d every %d, want 0 ≤ from ≤ to, every 1 or more", ErrOptions, begin, end, every)
	}
	return Schedule{initial, final, begin, end, every}, nil
}

// At is the sparsity after step, 0 before the first.
func (s Schedule) At(step int) float64 {
	switch {
	case step < s.begin:
		return 0
	case step >= s.end:
		return s.final
	}
	step -= (step - s.begin) % s.every
	left := 1 - float64(step-s.begin)/float64(s.end-s.begin)
	return s.final + (s.initial-s.final)*math.Pow(left, 3)
}
