package graph

import (
	"fmt"

	"kedge/runtime/tensor"
)

// DepthwiseConv2D filters every channel by itself. Inputs: x (n, h, w, in), W
// (1, kh, kw, in·Multiplier) constant, optionally b (in·Multiplier) constant;
// channel c makes the outputs c·Multiplier to (c+1)·Multiplier − 1.
// Output: (n, oh, ow, in·Multiplier).
type DepthwiseConv2D struct {
	Window     Window
	Multiplier int
	Activation Activation
}

// Name implements Op.
func (DepthwiseConv2D) Name() string { return "DEPTHWISE_CONV_2D" }

func (op DepthwiseConv2D) infer(g *Graph, n *Node) ([]tensor.Shape, error) {
	x, w, err := g.weighted(n, op.Activation, 4, 3)
	if err != nil {
		return nil, err
	}
	if err := image(x); err != nil {
		return nil, err
	}
	// By division, because the product of two hostile numbers may overflow.
	if w[0] != 1 || w[3]%x[3] != 0 || w[3]/x[3] != op.Multiplier {
		return nil, fmt.Errorf("%w: weights %v, want (1, kh, kw, %d channels × multiplier %d)", ErrInvalid, w, x[3], op.Multiplier)
	}
	oh, ow, err := op.Window.fit(x, w[1], w[2])
	if err != nil {
		return nil, err
	}
	return []tensor.Shape{{x[0], oh, ow, w[3]}}, nil
}

func (op DepthwiseConv2D) eval(e *Executor, n *Node) {
	x, w, y := e.values[n.Inputs[0]], e.values[n.Inputs[1]], e.values[n.Outputs[0]]
	ws := e.g.Tensor(n.Inputs[1]).Shape
	bias := e.bias(n)
	op.Window.slide(e.g.Tensor(n.Inputs[0]).Shape, e.g.Tensor(n.Outputs[0]).Shape, ws[1], ws[2], func(s sight) {
		to := y[s.output:][:ws[3]]
		fill(to, bias)
		for ky := s.y0; ky < s.y1; ky++ {
			from, filter := s.line(ky), w[(ky*ws[2]+s.x0)*ws[3]:]
			if op.Multiplier == 1 {
				addTaps(to, x[from:], filter, s.x1-s.x0, s.stepX)
			} else {
				addMultiplied(to, x[from:], filter, s.x1-s.x0, s.stepX, op.Multiplier)
			}
		}
		op.Activation.apply(to)
	})
}

// addTaps adds the products of count taps, whose elements are step apart in x
// and follow each other in w, to every channel of y. Three taps in one go, the
// width of the usual filter, save two of three loads and stores of y.
func addTaps(y, x, w []float32, count, step int) {
	c := len(y)
	for ; count >= 3; count -= 3 {
		x0, x1, x2 := x[:c], x[step:][:c], x[2*step:][:c]
		w0, w1, w2 := w[:c], w[c:][:c], w[2*c:][:c]
		for i, v := range y {
			y[i] = v + x0[i]*w0[i] + x1[i]*w1[i] + x2[i]*w2[i]
		}
		if count > 3 {
			x, w = x[3*step:], w[3*c:]
		}
	}
	for k := range count {
		x0, w0 := x[k*step:][:c], w[k*c:][:c]
		for i, v := range y {
			y[i] = v + x0[i]*w0[i]
		}
	}
}

// addMultiplied is addTaps where every channel of x makes multiplier outputs.
func addMultiplied(y, x, w []float32, count, step, multiplier int) {
	for k := range count {
		filter := w[k*len(y):][:len(y)]
		for i, v := range x[k*step:][:len(y)/multiplier] {
			to := y[i*multiplier:][:multiplier]
			for j, f := range filter[i*multiplier:][:multiplier] {
				to[j] += v * f
			}
		}
	}
}
