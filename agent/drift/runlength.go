package drift

import (
	"fmt"
	"math"
)

// RunLength is the exact mean number of samples to the first alarm, the ARL, of
// the frozen Page-Hinkley S = max(0, S + k - q), alarm S >= h, from S = 0, for
// independent samples that fall on the lattice steps in proportion to weights (at
// most LatticeSize of them; none negative, not all zero). It is +Inf when no step
// with weight lies below k.
//
// This is the Markov chain of Brook and Evans, "An approach to the probability
// distribution of CUSUM run length" (1972), which on integers is no approximation.
func RunLength(weights []float64, k, h int) (float64, error) {
	c, err := newChain(weights, k)
	if err != nil {
		return 0, err
	}
	if h < 1 {
		return 0, fmt.Errorf("drift: %w: h is %d, want at least 1", ErrParameter, h)
	}
	if c.up == 0 {
		return math.Inf(1), nil
	}
	for c.h < h {
		c.next()
	}
	return c.arl, nil
}

// maxThreshold bounds the search for h, and with it the time: 64 whole units of the
// signal, at which a detector is as good as blind.
const maxThreshold = 1 << 14

// findThreshold returns the smallest h whose run length is at least arl, with that
// run length; if even maxThreshold falls short, that and what it reaches.
func findThreshold(weights []float64, k int, arl float64) (int, float64, error) {
	c, err := newChain(weights, k)
	if err != nil {
		return 0, 0, err
	}
	if c.up == 0 {
		return 1, math.Inf(1), nil
	}
	for c.next(); c.arl < arl && c.h < maxThreshold; {
		c.next()
	}
	return c.h, c.arl, nil
}

// chain computes the run lengths of h = 1, 2, 3, ... in one pass, so that finding a
// threshold costs no more than one run length.
//
// It censors the chain on ever higher states. For state n let G_n be the
// distribution of where a path from n first leaves {0..n}, and t_n the mean time it
// takes. Both follow from one step out of n and the G and t of the states below
// that the step can reach, at most down of them. Likewise land and arl are the exit
// from {0..h-1} of a path from 0: that is the alarm. Only sums and products of
// positive numbers and divisions by them occur (after Grassmann, Taksar and Heyman,
// 1985), so that no digits cancel however long the run. A state costs down*up steps.
type chain struct {
	down, up int       // longest step down and up
	step     []float64 // probability of a step of d at [d+down]
	exit     [][]float64
	time     []float64 // G_n at exit[n % (down+1)] over n+1..n+up, and t_n
	path     []float64 // scratch: where a path is, over n-down..n+up

	h    int
	arl  float64
	land []float64 // exit from {0..h-1} over h..h+up-1
}

func newChain(weights []float64, k int) (*chain, error) {
	if k < 0 || k >= LatticeSize {
		return nil, fmt.Errorf("drift: %w: k is %d, want 0..%d", ErrParameter, k, LatticeSize-1)
	}
	if len(weights) > LatticeSize {
		return nil, fmt.Errorf("drift: %w: %d weights, want at most %d", ErrParameter, len(weights), LatticeSize)
	}
	total, low, high := 0.0, len(weights), 0
	for q, w := range weights {
		if !finite(w) || w < 0 {
			return nil, fmt.Errorf("drift: %w: weight %d is %v", ErrParameter, q, w)
		}
		if w > 0 {
			total, low, high = total+w, min(low, q), q
		}
	}
	if !(total > 0) || !finite(total) {
		return nil, fmt.Errorf("drift: %w: weights sum to %v", ErrParameter, total)
	}
	c := &chain{down: max(high-k, 0), up: max(k-low, 0)}
	c.step = make([]float64, c.down+c.up+1)
	for q := low; q <= high; q++ {
		c.step[k-q+c.down] += weights[q] / total
	}
	c.exit = make([][]float64, c.down+1)
	for i := range c.exit {
		c.exit[i] = make([]float64, c.up)
	}
	c.time = make([]float64, c.down+1)
	c.path = make([]float64, len(c.step))
	c.land = make([]float64, c.up)
	return c, nil
}

// next moves on from h to h+1 by letting paths leave state n = h. The caller has
// seen to it that up is at least 1.
func (c *chain) next() {
	n := c.h
	out, t := c.leave(n)
	if n == 0 {
		copy(c.land, out)
		c.arl = t
	} else {
		here := c.land[0]
		copy(c.land, c.land[1:])
		c.land[c.up-1] = 0
		axpy(here, out, c.land)
		c.arl += here * t
	}
	c.h++
}

// leave computes and keeps G_n and t_n.
func (c *chain) leave(n int) (exit []float64, time float64) {
	copy(c.path, c.step)
	here := c.down // index of state n in path
	if floor := here - n; floor > 0 {
		for i := range floor { // steps below 0 end at 0
			c.path[floor] += c.path[i]
		}
	}
	time = 1
	for i := max(here-n, 0); i < here; i++ {
		w := c.path[i]
		if w == 0 {
			continue
		}
		slot := (n - here + i) % (c.down + 1)
		time += w * c.time[slot]
		axpy(w, c.exit[slot], c.path[i+1:])
	}
	above := c.path[here+1:]
	gone := 0.0
	for _, w := range above {
		gone += w
	}
	slot := n % (c.down + 1)
	exit, time = c.exit[slot], time/gone
	for i, w := range above {
		exit[i] = w / gone
	}
	c.time[slot] = time
	return exit, time
}

// axpy adds a*x to y, over the length of x.
func axpy(a float64, x, y []float64) {
	y = y[:len(x)]
	for i, v := range x {
		y[i] += a * v
	}
}
