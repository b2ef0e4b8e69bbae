package op

import (
	"cmp"
	"fmt"
	"math"

	"kedge/runtime/tensor"
)

// detectionPostProcess is TFLite_Detection_PostProcess, the end of SSD detectors
// (LiteRT's kernel; TensorFlow Lite Micro has it for float32): boxes are decoded
// from their anchors, those that overlap a better one are dropped, and the best
// are put out as box (ymin, xmin, ymax, xmax), class, score, and their number.
//
// A coded box is dequantized in float32; its center and half its size are
// computed in float64 and rounded to float32 each, y/y_scale·h + y of the anchor
// and e^(h/h_scale)/2·h. uint8 scores are dequantized in float64 and rounded to
// float32. Corners and areas are float32. Equal scores come in the order of their
// boxes, of one box as [worstFirst] has them.
//
// Outputs beyond the detections, which the reference partly leaves as they are,
// are 0. Where it fails, at a box of negative size, nothing is detected.
type detectionPostProcess struct {
	codes, anchors, scores operand
	out                    [4]int // boxes, classes, scores, number
	boxes                  int
	row                    int // values of a coded box
	columns, classes       int // with and without the background, which comes first
	most                   int // detections
	each                   int // regular: detections of a class; fast: classes of a detection
	regular                bool
	threshold, overlap     float32
	scale                  [4]float64    // y, x, h, w
	real                   *[256]float32 // what a uint8 score stands for
}

func prepareDetectionPostProcess(p *Prep) (Evaluator, error) {
	if err := p.arity(3, 3, 4); err != nil {
		return nil, err
	}
	d := &detectionPostProcess{codes: p.in(0), scores: p.in(1), anchors: p.in(2)}
	if err := d.layOut(p); err != nil {
		return nil, err
	}
	slots, err := d.options(p)
	if err != nil {
		return nil, err
	}
	for i, shape := range [4]tensor.Shape{{1, slots, 4}, {1, slots}, {1, slots}, {1}} {
		if err := p.shapeOrOpen(p.out(i), shape); err != nil {
			return nil, err
		}
		d.out[i] = p.out(i).id
	}
	if d.scores.Type == tensor.Uint8 {
		if err := cmp.Or(p.quantized(d.scores), p.Budget.Spend(256, 4)); err != nil {
			return nil, err
		}
		d.real = new([256]float32)
		for v := range d.real {
			d.real[v] = float32(float64(d.scores.Quant.Scale()) * float64(int32(v)-d.scores.Quant.ZeroPoint()))
		}
	}
	p.Work = int64(d.effort())
	return d, d.reserve(p)
}

// layOut checks the inputs.
func (d *detectionPostProcess) layOut(p *Prep) error {
	if err := cmp.Or(
		p.types(d.codes, tensor.Uint8, tensor.Float32), p.types(d.scores, tensor.Uint8, tensor.Float32), p.types(d.anchors, d.codes.Type),
		p.rank(d.codes, 3), p.rank(d.scores, 3), p.rank(d.anchors, 2),
	); err != nil {
		return err
	}
	if d.codes.Type == tensor.Uint8 {
		if err := cmp.Or(p.quantized(d.codes), p.quantized(d.anchors)); err != nil {
			return err
		}
	}
	d.boxes, d.row, d.columns = d.codes.Shape[1], d.codes.Shape[2], d.scores.Shape[2]
	if d.codes.Shape[0] != 1 || d.row < 4 {
		return p.invalid(d.codes, fmt.Sprintf("shape %v", d.codes.Shape), "one batch of boxes of 4 values or more")
	}
	return cmp.Or(p.shape(d.scores, tensor.Shape{1, d.boxes, d.columns}), p.shape(d.anchors, tensor.Shape{d.boxes, 4}))
}

// options reads the options and tells how many detections there is room for.
func (d *detectionPostProcess) options(p *Prep) (slots int, err error) {
	const limit = 1 << 20
	o := p.options()
	d.most = o.required("max_detections", 1, limit)
	perBox := o.required("max_classes_per_detection", 1, limit)
	d.classes = o.required("num_classes", 1, math.MaxInt32)
	d.regular = o.optional("use_regular_nms", 0, 1, 0) == 1
	d.each = perBox
	if perClass := o.optional("detections_per_class", math.MinInt32, math.MaxInt32, 100); d.regular {
		if d.each = min(perClass, d.most); d.each < 1 {
			o.fail(fmt.Sprintf("option detections_per_class = %d", perClass), "at least 1")
		}
	}
	d.reals(o)
	if background := d.columns - d.classes; background != 0 && background != 1 {
		o.fail(fmt.Sprintf("option num_classes = %d", d.classes), fmt.Sprintf("the scores' %d, or one less", d.columns))
	}
	if n := d.effort(); n > maxDetectionEffort {
		o.fail(fmt.Sprintf("%d boxes of %d classes for %d detections", d.boxes, d.classes, d.most),
			fmt.Sprintf("at most %d comparisons, not %.2g", maxDetectionEffort, n))
	}
	room := int64(d.most) * int64(perBox)
	if room > math.MaxInt32/16 {
		o.fail(fmt.Sprintf("%d detections of %d classes", d.most, perBox), "less than 2 GiB of boxes")
	}
	return int(room), o.err
}

// reals reads the options that are no integers.
func (d *detectionPostProcess) reals(o *options) {
	d.threshold, d.overlap = o.float("nms_score_threshold"), o.float("nms_iou_threshold")
	if !(d.overlap > 0 && d.overlap <= 1) {
		o.fail(fmt.Sprintf("option nms_iou_threshold = %g", d.overlap), "above 0, at most 1")
	}
	for i, name := range [4]string{"y_scale", "x_scale", "h_scale", "w_scale"} {
		if d.scale[i] = float64(o.float(name)); d.scale[i] == 0 {
			o.fail("option "+name+" = 0", "another number")
		}
	}
}

// maxDetectionEffort bounds the comparisons of one inference, whose number is a
// product that no size of a tensor bounds. 50,000 boxes of 90 classes with 100
// detections each, regular, are below it.
const maxDetectionEffort = 1 << 29

// effort is the most comparisons of one inference: of boxes with those that are
// kept, and of a kept box's classes with each other.
func (d *detectionPostProcess) effort() float64 {
	kept, classes := float64(min(d.most, d.boxes)), float64(d.classes)
	if d.regular {
		return float64(d.boxes) * float64(min(d.each, d.boxes)) * classes
	}
	return max(float64(d.boxes)*kept, kept*float64(min(d.each, d.classes))*classes)
}

// shapeOrOpen checks that t is float32 of the given shape, or gives it that
// where the file says none: converters leave the outputs' shapes open.
func (p *Prep) shapeOrOpen(t operand, shape tensor.Shape) error {
	if err := p.types(t, tensor.Float32); err != nil {
		return err
	}
	if len(t.Shape) > 0 {
		return p.shape(t, shape)
	}
	if t.Data != nil {
		return p.invalid(t, "a constant", "a tensor to be computed")
	}
	p.Tensors[t.id].Shape = shape
	return p.Budget.Spend(len(shape), 8)
}

// reserve asks for the scratch that work divides.
func (d *detectionPostProcess) reserve(p *Prep) error {
	n := 6*int64(d.boxes) + 2*int64(d.list())
	if n > math.MaxInt32/4 {
		return p.invalid(d.codes, fmt.Sprintf("%d boxes", d.boxes), "less than 2 GiB of working memory")
	}
	p.Scratch = int(4 * n)
	return nil
}

// detectionWork is scratch in pieces: corners and one score of each box, boxes
// in an order, and a list of detections.
type detectionWork struct {
	corners, scores []float32
	order           []int32
	found           []int32 // score's index in the scores' tensor; fast: classes of a box
	values          []float32
}

// list is how long lists of detections get, fast: of a box's classes.
func (d *detectionPostProcess) list() int {
	if d.regular {
		return d.most + d.each
	}
	return min(d.each, d.classes)
}

func (d *detectionPostProcess) work(m *Memory) detectionWork {
	n, list := d.boxes, d.list()
	reals, indices := view[float32](m.Scratch), view[int32](m.Scratch)
	return detectionWork{
		corners: reals[:4*n], scores: reals[4*n : 5*n], order: indices[5*n : 6*n],
		found: indices[6*n : 6*n+list], values: reals[6*n+list : 6*n+2*list],
	}
}

func (d *detectionPostProcess) Eval(m *Memory) {
	for _, t := range d.out {
		clear(m.Tensors[t])
	}
	w := d.work(m)
	if !d.decode(m, w.corners) {
		return
	}
	n := 0
	if d.regular {
		n = d.regularNMS(m, &w)
	} else {
		n = d.fastNMS(m, &w)
	}
	get[float32](m, d.out[3])[0] = float32(n)
}

// score is element i of the class predictions.
func (d *detectionPostProcess) score(m *Memory, i int) float32 {
	if d.real != nil {
		return d.real[m.Tensors[d.scores.id][i]]
	}
	return get[float32](m, d.scores.id)[i]
}

// coordinates reads 4 values, dequantized.
func coordinates(m *Memory, t operand, at int) (v [4]float64) {
	for i := range v {
		if t.Type == tensor.Float32 {
			v[i] = float64(get[float32](m, t.id)[at+i])
			continue
		}
		q := float32(m.Tensors[t.id][at+i]) - float32(t.Quant.ZeroPoint())
		v[i] = float64(float32(q * t.Quant.Scale()))
	}
	return v
}

// decode computes the corners of all boxes and reports whether all are sound.
func (d *detectionPostProcess) decode(m *Memory, corners []float32) bool {
	for i := range d.boxes {
		code, anchor := coordinates(m, d.codes, i*d.row), coordinates(m, d.anchors, 4*i)
		for axis := range 2 {
			center := float32(float64(float64(code[axis]/d.scale[axis])*anchor[2+axis]) + anchor[axis])
			half := float32(float64(0.5*exp(code[2+axis]/d.scale[2+axis])) * anchor[2+axis])
			low, high := center-half, center+half
			if low > high {
				return false
			}
			corners[4*i+axis], corners[4*i+2+axis] = quiet(low), quiet(high)
		}
	}
	return true
}

// quiet makes one of all NaN, whose bits depend on the processor.
func quiet(v float32) float32 {
	if v != v {
		return math.Float32frombits(0x7fc00000)
	}
	return v
}
