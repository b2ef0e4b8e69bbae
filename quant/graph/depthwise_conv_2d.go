package graph

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
