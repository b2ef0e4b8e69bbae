package op

import (
	"cmp"
	"fmt"
	"math"
	"unsafe"

	"kedge/runtime/kernel"
	"kedge/runtime/tensor"
	"kedge/runtime/tflite"
)

// resizeBilinear is RESIZE_BILINEAR for int8, in integers: positions in 1/1024
// of an input pixel, weights that multiply to 1/2^20, and the sum over four
// pixels rounded half away from zero.
//
// The step between positions is rounded, so that where a few pixels are drawn
// out to very many the last positions may lie behind the input, where the
// reference reads on. Here they take the edge.
type resizeBilinear struct {
	resize
	stepH   int32
	columns []kernel.Column
	kernels *kernel.Set
}

func prepareResizeBilinear(p *Prep) (Evaluator, error) {
	r, in, out, err := p.resize(2)
	if err != nil {
		return nil, err
	}
	if err := cmp.Or(p.types(in, tensor.Int8, tensor.Uint8, tensor.Float32), p.types(out, in.Type)); err != nil {
		return nil, err
	}
	if r.height.half && r.height.corners {
		return nil, p.invalid(operand{}, "aligned corners and half-pixel centers", "one of them")
	}
	switch in.Type {
	case tensor.Uint8:
		return &resizeReal[uint8]{r, r.height.scale(), r.width.scale(), 0.5}, nil
	case tensor.Float32:
		return &resizeReal[float32]{r, r.height.scale(), r.width.scale(), 0}, nil
	}
	q := &resizeBilinear{resize: r, kernels: p.Kernels}
	var okH bool
	q.stepH, okH = r.height.step()
	stepW, okW := r.width.step()
	if !okH || !okW {
		return nil, p.unsupported(out, fmt.Sprintf("%v resized to %v", in.Shape, out.Shape), "positions below 2^21")
	}
	return q, q.layColumns(p.Budget, stepW)
}

// step is the distance between output centers in 1/1024 of an input pixel; ok is
// false where a position would not fit in 32 bits.
func (d *resizedDim) step() (step int32, ok bool) {
	from, to := int64(d.from), int64(d.to)
	if d.corners && to > 1 {
		from, to = from-1, to-1
	}
	s := (from<<10 + to/2) / to
	return int32(s), from<<10+to/2 <= math.MaxInt32 && s*int64(d.to)+1<<10 <= math.MaxInt32
}

// between is the two input positions that output position i lies between, and
// the weight of the second, of 1024.
func (d *resizedDim) between(i int, step int32) (a, b int, weight int32) {
	at := int32(i) * step
	if d.half {
		at += step/2 - 1<<9
	}
	at = min(max(at, 0), int32(d.from-1)<<10) // beyond an edge both are the edge
	return int(at >> 10), int((at + 1<<10 - 1) >> 10), at & (1<<10 - 1)
}

// layColumns lays out what the columns of the output are made of.
func (r *resizeBilinear) layColumns(budget *tflite.Budget, step int32) error {
	if err := budget.Spend(r.width.to, int(unsafe.Sizeof(kernel.Column{}))); err != nil {
		return err
	}
	r.columns = make([]kernel.Column, r.width.to)
	for x := range r.columns {
		first, second, weight := r.width.between(x, step)
		r.columns[x] = kernel.Column{First: int32(first * r.depth), Second: int32(second * r.depth), Weights: uint32(1<<10-weight) | uint32(weight)<<16}
	}
	return nil
}

func (r *resizeBilinear) Kernel() string { return r.kernels.BilinearKernel() }

func (r *resizeBilinear) Eval(m *Memory) {
	in, out := get[int8](m, r.in), get[int8](m, r.out)
	if len(out) == 0 {
		return
	}
	row, outRow := r.width.from*r.depth, r.width.to*r.depth
	for b := range r.batch {
		image := in[b*r.imageElements():]
		for y := range r.height.to {
			first, second, weight := r.height.between(y, r.stepH)
			r.kernels.Bilinear(out[:outRow], image[first*row:][:row], image[second*row:][:row], r.columns, r.depth, weight)
			out = out[outRow:]
		}
	}
}
