package graph

import "kedge/runtime/tensor"

// Reshape gives the same elements another shape with as many elements. SQUEEZE
// and EXPAND_DIMS are read as this.
type Reshape struct{ Shape tensor.Shape }

// Name implements Op.
func (Reshape) Name() string { return "RESHAPE" }

// Transpose reorders dimensions: output dimension i is input dimension Perm[i].
type Transpose struct{ Perm []int }

// Name implements Op.
func (Transpose) Name() string { return "TRANSPOSE" }

// Concatenation joins its inputs, of which some may be constants, along Axis
// (not negative).
type Concatenation struct {
	Axis       int
	Activation Activation
}

// Name implements Op.
func (Concatenation) Name() string { return "CONCATENATION" }

// Split cuts its input along Axis (not negative) into parts of the given
// Sizes, one output each.
type Split struct {
	Axis  int
	Sizes []int
}

// Name implements Op. Equal parts are TFLite's SPLIT.
func (op Split) Name() string {
	for _, s := range op.Sizes {
		if s != op.Sizes[0] {
			return "SPLIT_V"
		}
	}
	return "SPLIT"
}

// StridedSlice takes Count[i] elements of dimension i, beginning at Begin[i]
// (0 ≤ Begin < dimension) and Stride[i] apart; a stride may be negative, never 0.
// The rank stays.
type StridedSlice struct {
	Begin, Count, Stride []int
}

// Name implements Op. Strides of one are TFLite's SLICE.
func (op StridedSlice) Name() string {
	for _, s := range op.Stride {
		if s != 1 {
			return "STRIDED_SLICE"
		}
	}
	return "SLICE"
}

// PadMode is what a Pad fills the border with.
type PadMode uint8

// The ways to pad.
const (
	PadConstant  PadMode = iota // Value
	PadReflect                  // mirrored at the edge element, which is not repeated
	PadSymmetric                // mirrored behind the edge element, which is repeated
)

// Pad adds Before[i] and After[i] elements (not negative) to dimension i.
type Pad struct {
	Before, After []int
	Mode          PadMode
	Value         float32 // of PadConstant
}

// Name implements Op.
func (op Pad) Name() string {
	switch {
	case op.Mode != PadConstant:
		return "MIRROR_PAD"
	case op.Value != 0:
		return "PADV2"
	}
	return "PAD"
}

// Resize scales an image (n, h, w, c) to (n, H, W, c), to the nearest element
// or bilinearly, with TFLite's meaning of AlignCorners and HalfPixelCenters
// (at most one of them).
type Resize struct {
	H, W                           int
	Bilinear                       bool
	AlignCorners, HalfPixelCenters bool
}

// Name implements Op.
func (op Resize) Name() string {
	if op.Bilinear {
		return "RESIZE_BILINEAR"
	}
	return "RESIZE_NEAREST_NEIGHBOR"
}

// Reduction is what a Reduce computes.
type Reduction uint8

// The reductions.
const (
	ReduceMean Reduction = iota
	ReduceSum
	ReduceMax
	ReduceMin
)

var reduceNames = [...]string{ReduceMean: "MEAN", ReduceSum: "SUM", ReduceMax: "REDUCE_MAX", ReduceMin: "REDUCE_MIN"}

// Reduce combines all elements along Axes (ascending, not negative, at least
// one), which have extent 1 afterwards or, without KeepDims, are gone.
type Reduce struct {
	Kind     Reduction
	Axes     []int
	KeepDims bool
}

// Name implements Op.
func (op Reduce) Name() string { return reduceNames[op.Kind] }
