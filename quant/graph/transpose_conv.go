package graph

// TransposeConv spreads every element of x over the output through the filter:
// tap (ky, kx) of x's element (y, x) adds to the output's element
// (y·StrideH + ky − PadTop, x·StrideW + kx − PadLeft) where that lies in the output.
// Inputs: x (n, h, w, in), W (out, kh, kw, in) constant, optionally b (out)
// constant. Output: (n, OutputH, OutputW, out). (TFLite has the output's shape
// as its first operand; here it is in the fields.)
type TransposeConv struct {
	StrideH, StrideW int
	PadTop, PadLeft  int
	OutputH, OutputW int
	Activation       Activation
}

// Name implements Op.
func (TransposeConv) Name() string { return "TRANSPOSE_CONV" }
