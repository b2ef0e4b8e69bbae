package op

import (
	"fmt"

	"kedge/runtime/kernel"
)

// maxReach bounds how far a window may reach, so that no coordinate overflows
// a 32-bit int.
const maxReach = 1 << 29

// window2D lays a kernel of kh×kw over in (NHWC) for the padding at option
// field 0 and the strides at fields 1 (width) and 2 (height), and checks that it
// yields out's height and width.
func (p *Prep) window2D(in, out operand, kh, kw, dilationH, dilationW int) (kernel.Window, error) {
	o := p.Operator.Options
	w := kernel.Window{
		Batch: in.Shape[0], InH: in.Shape[1], InW: in.Shape[2],
		OutH: out.Shape[1], OutW: out.Shape[2], KernelH: kh, KernelW: kw,
		StrideH: int(o.Int32(2, 0)), StrideW: int(o.Int32(1, 0)),
		DilationH: dilationH, DilationW: dilationW,
	}
	same := o.Byte(0, 0) == 0
	if o.Byte(0, 0) > 1 {
		return w, p.invalid(operand{}, fmt.Sprintf("padding %d", o.Byte(0, 0)), "0 (SAME) or 1 (VALID)")
	}
	outH, top, okH := slide(w.InH, kh, w.StrideH, dilationH, same)
	outW, left, okW := slide(w.InW, kw, w.StrideW, dilationW, same)
	if !okH || !okW {
		found := fmt.Sprintf("a %dx%d window, stride %dx%d, dilation %dx%d over %v", kh, kw, w.StrideH, w.StrideW, dilationH, dilationW, in.Shape)
		return w, p.invalid(in, found, "a window that fits")
	}
	w.PadTop, w.PadLeft = top, left
	if out.Shape[0] != w.Batch || w.OutH != outH || w.OutW != outW {
		return w, p.invalid(out, fmt.Sprintf("shape %v", out.Shape), fmt.Sprintf("[%d,%d,%d,...]", w.Batch, outH, outW))
	}
	return w, nil
}

// slide is the number of window positions along one axis and the padding before
// the first, by TensorFlow's rules for SAME and VALID.
func slide(size, kernel, stride, dilation int, same bool) (out, before int, ok bool) {
	if size <= 0 || kernel <= 0 || stride <= 0 || dilation <= 0 {
		return 0, 0, false
	}
	reach := int64(kernel-1)*int64(dilation) + 1
	if reach > maxReach || dilation > maxReach || stride > maxReach || size > maxReach {
		return 0, 0, false
	}
	if same {
		out = (size + stride - 1) / stride
	} else if out = (size + stride - int(reach)) / stride; out <= 0 {
		return 0, 0, false
	}
	total := int64(out-1)*int64(stride) + reach - int64(size)
	return out, int(max(total, 0) / 2), true
}
