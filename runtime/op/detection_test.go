package op_test

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"kedge/runtime"
	rt "kedge/runtime/runtimetest"
	"kedge/runtime/tensor"
)

// TestDetectionAtThreshold: a box that overlaps a better one by just the threshold,
// here 0.75/1.25, is kept.
func TestDetectionAtThreshold(t *testing.T) {
	b := rt.Detector(false)
	b.Ops[0].CustomOptions = rt.Flex(
		"max_detections", 3, "max_classes_per_detection", 1, "nms_score_threshold", float32(0.25), "nms_iou_threshold", float32(0.6),
		"num_classes", 2, "y_scale", float32(10), "x_scale", float32(10), "h_scale", float32(5), "w_scale", float32(5))
	codes := make([]float32, 16)
	codes[5] = 2.5
	s := session(t, b)
	invoke(t, s, rt.Float32s(codes...), rt.Float32s(0, 0.5, 0, 0, 0.75, 0, 0, 0, 0, 0, 0, 0))
	if got, want := s.Output(3), rt.Float32s(2); !bytes.Equal(got, want) {
		t.Errorf("number of boxes: got % x, want % x", got, want)
	}
}

// detections is what a model puts out: 4 values for each box, classes, scores,
// and the number.
func detections(values ...float32) []byte { return rt.Float32s(values...) }

// TestDetectionPostProcess has 4 boxes: the first two of size 1 around (½, ½), the
// second shifted to the right, the others of size 2 and far off. A coded 10 is a
// shift by the anchor's size.
func TestDetectionPostProcess(t *testing.T) {
	unit, right := []float32{0, 0, 1, 1}, []float32{0, 0.25, 1, 1.25}
	third, fourth := []float32{9, 9, 11, 11}, []float32{19, 19, 21, 21}
	none := []float32{0, 0, 0, 0}
	boxes := func(list ...[]float32) (all []float32) {
		for _, b := range list {
			all = append(all, b...)
		}
		return all
	}
	codes := make([]float32, 16)
	codes[5] = 2.5
	all := func(b, rest []float32) []byte { return detections(append(b, rest...)...) }
	for _, c := range []struct {
		name    string
		regular bool
		scores  []float32 // background, and two classes, of each box
		want    []byte
	}{
		{"fast: the better of two that overlap", false, []float32{1, 0.5, 0.1, 1, 0.1, 0.75, 1, 0.25, 0.2, 1, 0.2, 0.2},
			all(boxes(right, third, none), []float32{1, 0, 0, 0.75, 0.25, 0, 2})},
		{"fast: equal scores in order", false, []float32{0, 0.5, 0.5, 0, 0.5, 0.5, 0, 0.25, 0.5, 0, 0.5, 0.25},
			all(boxes(unit, third, fourth), []float32{0, 1, 0, 0.5, 0.5, 0.5, 3})},
		{"fast: nothing", false, make([]float32, 12), all(boxes(none, none, none), []float32{0, 0, 0, 0, 0, 0, 0})},
		{"fast: NaN is no score", false, []float32{0, float32(math.NaN()), float32(math.NaN()), 0, 0, 0, 0, 0, 0, 0, 0, 1},
			all(boxes(fourth, none, none), []float32{1, 0, 0, 1, 0, 0, 1})},
		{"regular: every class by itself", true, []float32{1, 0.5, 0.1, 1, 0.1, 0.75, 1, 0.25, 0.2, 1, 0.2, 0.2},
			all(boxes(right, unit, third), []float32{1, 0, 0, 0.75, 0.5, 0.25, 3})},
		{"regular: two of a class, equal scores by class", true, []float32{0, 0.5, 0.75, 0, 0.5, 0.5, 0, 0.5, 0.5, 0, 0.5, 0.5},
			all(boxes(unit, unit, third), []float32{1, 0, 0, 0.75, 0.5, 0.5, 3})},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := session(t, rt.Detector(c.regular))
			in := [][]byte{rt.Float32s(codes...), rt.Float32s(c.scores...)}
			if got := invoke(t, s, in...); !bytes.Equal(got, c.want) {
				t.Errorf("got\n% x, want\n% x", got, c.want)
			}
			if n := testing.AllocsPerRun(5, func() { s.Invoke() }); n != 0 {
				t.Errorf("got %v allocations, want 0", n)
			}
		})
	}
}

// quantizedDetector is Detector on uint8, with two classes for each detection.
func quantizedDetector() *rt.Builder {
	b := rt.Detector(false)
	for i, scale := range []float32{0.5, 1.0 / 256, 0.25} {
		q := typed(tensor.Uint8, scale, []int{128, 0, 0}[i], b.Tensors[i].Shape...)
		b.Tensors[i] = q
	}
	b.Tensors[2].Data = []byte{2, 2, 4, 4, 2, 2, 4, 4, 40, 40, 8, 8, 80, 80, 8, 8}
	b.Ops[0].CustomOptions = rt.Flex("max_detections", 2, "max_classes_per_detection", 2, "nms_score_threshold", float32(0.25),
		"nms_iou_threshold", float32(0.5), "num_classes", 3, "y_scale", float32(10), "x_scale", float32(10), "h_scale", float32(5), "w_scale", float32(5))
	return b
}

func TestDetectionPostProcessQuantized(t *testing.T) {
	s := session(t, quantizedDetector())
	codes := bytes.Repeat([]byte{128}, 16)
	codes[12] = 133 // the last box by a quarter of its size down
	got := invoke(t, s, codes, []byte{128, 64, 128, 0, 0, 0, 0, 0, 0, 64, 192, 64})
	want := detections(19.5, 19, 21.5, 21, 19.5, 19, 21.5, 21, 0, 0, 1, 1, 0, 0, 1, 1, 1, 0, 2, 0, 0.75, 0.25, 0.5, 0.5, 2)
	if !bytes.Equal(got, want) {
		t.Errorf("got\n% x, want\n% x", got, want)
	}
}

// TestDetectionOfBadBoxes: a box of negative size makes the reference fail; here
// nothing is detected.
func TestDetectionOfBadBoxes(t *testing.T) {
	b := rt.Detector(false)
	b.Tensors[2].Data = rt.Float32s(0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, -1)
	s := session(t, b)
	scores := rt.Float32s(0, 1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 1)
	if got := invoke(t, s, make([]byte, 64), scores); !bytes.Equal(got, make([]byte, len(got))) {
		t.Errorf("got % x, want zeros", got)
	}
	// Corners that are no numbers have the same bits everywhere.
	nan := float32(math.NaN())
	b.Tensors[2].Data = rt.Float32s(0, 0, nan, nan, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1)
	got := invoke(t, session(t, b), make([]byte, 64), scores)
	if want := bytes.Repeat([]byte{0, 0, 0xc0, 0x7f}, 4); !bytes.Equal(got[:16], want) {
		t.Errorf("got % x, want % x", got[:16], want)
	}
}

func TestDetectionRefusals(t *testing.T) {
	option := func(edits ...any) func(b *rt.Builder) {
		return func(b *rt.Builder) {
			options := []any{
				"max_detections", 3, "max_classes_per_detection", 1, "nms_score_threshold", float32(0.25), "nms_iou_threshold", float32(0.5),
				"num_classes", 2, "y_scale", float32(10), "x_scale", float32(10), "h_scale", float32(5), "w_scale", float32(5),
				"use_regular_nms", true, "detections_per_class", 2,
			}
			for i := 0; i < len(edits); i += 2 {
				options[slices.Index(options, edits[i])+1] = edits[i+1]
			}
			b.Ops[0].CustomOptions = rt.Flex(options...)
		}
	}
	for _, c := range []struct {
		name string
		edit func(b *rt.Builder)
		kind error
		want string
	}{
		{"no options", func(b *rt.Builder) { b.Ops[0].CustomOptions = nil }, runtime.ErrInvalid, "operator 0 CUSTOM(TFLite_Detection_PostProcess): tensor \"boxes\": found"},
		{"no maximum", option("max_detections", nil), runtime.ErrInvalid, "found no option max_detections"},
		{"maximum", option("max_detections", 0), runtime.ErrInvalid, "found option max_detections = 0, want 1 to"},
		{"too many", option("max_detections", 1<<30), runtime.ErrInvalid, "found option max_detections = 1073741824"},
		{"classes of a detection", option("max_classes_per_detection", -1), runtime.ErrInvalid, "max_classes_per_detection = -1"},
		{"too many in all", func(b *rt.Builder) {
			b.Ops[0].CustomOptions = rt.Flex("max_detections", 1<<20, "max_classes_per_detection", 1<<20, "nms_iou_threshold", float32(1), "num_classes", 2,
				"y_scale", 1, "x_scale", 1, "h_scale", 1, "w_scale", 1)
		}, runtime.ErrInvalid, "less than 2 GiB of boxes"},
		{"effort", func(b *rt.Builder) {
			b.Tensors[0] = typed(tensor.Uint8, 1, 0, 1, 1<<15, 4)
			b.Tensors[1] = typed(tensor.Uint8, 1, 0, 1, 1<<15, 2)
			b.Tensors[2] = typed(tensor.Uint8, 1, 0, 1<<15, 4)
			b.Inputs = []int{0, 1, 2}
			option("max_detections", 1<<15, "use_regular_nms", false)(b)
		}, runtime.ErrInvalid, "found 32768 boxes of 2 classes for 32768 detections, want at most 536870912 comparisons"},
		{"classes", option("num_classes", 1), runtime.ErrInvalid, "found option num_classes = 1, want the scores' 3, or one less"},
		{"detections of a class", option("detections_per_class", 0), runtime.ErrInvalid, "found option detections_per_class = 0"},
		{"overlap", option("nms_iou_threshold", float32(1.5)), runtime.ErrInvalid, "found option nms_iou_threshold = 1.5"},
		{"overlap NaN", option("nms_iou_threshold", float32(math.NaN())), runtime.ErrInvalid, "found option nms_iou_threshold = NaN"},
		{"no scale", option("h_scale", nil), runtime.ErrInvalid, "found option h_scale = 0, want another number"},
		{"int8", func(b *rt.Builder) { b.Tensors[0].Type = tensor.Int8 }, runtime.ErrUnsupported, `tensor "boxes": found int8, want uint8 or float32`},
		{"anchors' type", func(b *rt.Builder) { b.Tensors[0].Type = tensor.Uint8 }, runtime.ErrUnsupported, `tensor "anchors": found float32, want uint8`},
		{"short boxes", func(b *rt.Builder) { b.Tensors[0].Shape = []int{1, 4, 3} }, runtime.ErrInvalid, "want one batch of boxes of 4 values or more"},
		{"two batches", func(b *rt.Builder) { b.Tensors[0].Shape = []int{2, 4, 4} }, runtime.ErrInvalid, "want one batch"},
		{"scores of other boxes", func(b *rt.Builder) { b.Tensors[1].Shape = []int{1, 5, 3} }, runtime.ErrInvalid, `tensor "scores": found shape [1,5,3], want [1,4,3]`},
		{"anchors of other boxes", func(b *rt.Builder) {
			b.Tensors[0].Shape, b.Tensors[1].Shape = []int{1, 5, 4}, []int{1, 5, 3}
		}, runtime.ErrInvalid, `tensor "anchors": found shape [4,4], want [5,4]`},
		{"room", func(b *rt.Builder) { b.Tensors[3].Shape = []int{1, 2, 4} }, runtime.ErrInvalid, `tensor "corners": found shape [1,2,4], want [1,3,4]`},
		{"outputs' type", func(b *rt.Builder) { b.Tensors[6].Type = tensor.Int32 }, runtime.ErrUnsupported, "found int32, want float32"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := rt.Detector(false)
			c.edit(b)
			_, err := runtime.Load(b.Bytes(), runtime.Options{})
			if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %v and %q", err, c.kind, c.want)
			}
		})
	}
}
