package graph

// Conv2D is y = Activation(conv(x, W) + b). Inputs: x (n, h, w, in), W (out,
// kh, kw, in) constant, optionally b (out) constant; outside the image x is 0.
// Output: (n, oh, ow, out).
type Conv2D struct {
	Window     Window
	Activation Activation
}

// Name implements Op.
func (Conv2D) Name() string { return "CONV_2D" }
