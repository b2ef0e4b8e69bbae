package pass

import (
	"kedge/quant/graph"
)

// fusePads merges zeros around an image into the window of the convolution
// that reads them. For MAX_POOL_2D, whose border holds nothing, values count
// that are no greater than any of the image's. What TFLite has no name for is
// written as PAD again when the graph is lowered.
func fusePads(e *editor) error {
	ranges := bounds(e.g)
	for i := range e.g.Nodes {
		p := e.maker(i, 0)
		if e.g.Nodes[i].Op == nil || p < 0 {
			continue
		}
		pad, ok := e.g.Nodes[p].Op.(graph.Pad)
		if !ok || !spatial(pad) {
			continue
		}
		op := withPadding(e.g.Nodes[i].Op, pad, ranges[e.g.Nodes[p].Inputs[0]])
		if op == nil {
			continue
		}
		e.note("%s into %s", e.describe(p), e.describe(i))
		e.g.Nodes[i].Op = op
		e.skip(i, p)
	}
	return nil
}

// spatial reports whether a pad adds constant rows and columns only.
func spatial(p graph.Pad) bool {
	return p.Mode == graph.PadConstant && len(p.Before) == 4 && p.Before[0] == 0 && p.After[0] == 0 && p.Before[3] == 0 && p.After[3] == 0
}

// withPadding is op with p added to its window, nil where it cannot be. image
// bounds the values that are padded.
func withPadding(op graph.Op, p graph.Pad, image clamp) graph.Op {
	switch op := op.(type) {
	case graph.Conv2D:
		if p.Value == 0 {
			op.Window = padWindow(op.Window, p)
			return op
		}
	case graph.DepthwiseConv2D:
		if p.Value == 0 {
			op.Window = padWindow(op.Window, p)
			return op
		}
	case graph.MaxPool2D:
		// Every window must still see the image.
		op.Window = padWindow(op.Window, p)
		w := op.Window.Pad
		if p.Value <= image.lo && max(w.Top, w.Bottom) < op.FilterH && max(w.Left, w.Right) < op.FilterW {
			return op
		}
	}
	return nil
}

func padWindow(w graph.Window, p graph.Pad) graph.Window {
	w.Pad.Top += p.Before[1]
	w.Pad.Bottom += p.After[1]
	w.Pad.Left += p.Before[2]
	w.Pad.Right += p.After[2]
	return w
}
