package eval

import (
	"fmt"
	"math"
	"slices"

	"kedge/quant/data"
	"kedge/runtime/tensor"
)

// Set holds samples in the layout of a model's inputs. A sample is one window,
// or several that slide over it.
type Set struct {
	Count   int      // samples
	Windows int      // of each sample; 1 where nothing slides
	Notes   []string // what was done to the arrays to make them fit
	series  []series // one for each input
}

// series is one input's values. Windows overlap in values, where window w of
// sample s begins at s·sample + w·step.
type series struct {
	values             []float32
	size, sample, step int
}

// ArrayNames are the names of the arrays that a file of samples holds for a
// model with that many inputs: x, or x0, x1 and so on.
func ArrayNames(inputs int) []string {
	if inputs == 1 {
		return []string{"x"}
	}
	names := make([]string, inputs)
	for i := range names {
		names[i] = fmt.Sprintf("x%d", i)
	}
	return names
}

// NewSet fits arrays, one for each input, to a model's inputs. The first axis of
// an array counts samples; the others are fitted in this order:
//
//   - perms[i], where given, says what layout the model was made for, as
//     onnx.Input.Perm does: axis k of the input is axis perms[i][k] of the original.
//     Samples in that layout are transposed, flat ones too.
//   - Axes as the input has them, axes of extent 1 aside.
//   - Channels before rows and columns, for one image in NHWC: transposed.
//   - A flat sample, or a flat input, of the right size.
//   - For a model of one input of rank up to 2 (axes of extent 1 aside), a longer
//     sample of rank 2 whose last axis divides the input's size: windows slide
//     over its first axis by one step.
//
// Errors match ErrSamples, or are package data's.
func NewSet(inputs []Tensor, arrays []data.Array, perms [][]int) (*Set, error) {
	if len(arrays) != len(inputs) {
		return nil, fmt.Errorf("%w: %d arrays for %d inputs", ErrSamples, len(arrays), len(inputs))
	}
	names := ArrayNames(len(inputs))
	s := &Set{Windows: 1}
	for i, a := range arrays {
		var perm []int
		if i < len(perms) {
			perm = perms[i]
		}
		if err := s.add(names[i], inputs[i], a.Shape, a.Float32s, perm, len(inputs) == 1); err != nil {
			return nil, fmt.Errorf("array %q: %w", names[i], err)
		}
	}
	return s, nil
}

// FromSamples fits samples of any source to a model with one input, as NewSet does
// an array. Images have their channels last already, whatever perms says of the
// model. The Set refers to x.X where nothing has to be transposed, and begins with
// x's notes. Errors match ErrSamples.
func FromSamples(inputs []Tensor, x *data.Samples, perms [][]int) (*Set, error) {
	if len(inputs) != 1 {
		return nil, fmt.Errorf("%w: samples of one input, the model has %d", ErrSamples, len(inputs))
	}
	var perm []int
	if len(perms) == 1 && !x.Pixels {
		perm = perms[0]
	}
	s := &Set{Notes: slices.Clone(x.Notes)}
	shape := slices.Concat(tensor.Shape{x.Count()}, x.Shape)
	if err := s.add("x", inputs[0], shape, func() ([]float32, error) { return x.X, nil }, perm, true); err != nil {
		return nil, err
	}
	return s, nil
}

// FromRows makes a Set of rows that already have the layout of a model's only
// input; it refers to values. Errors match ErrSamples.
func FromRows(m Model, values []float32) (*Set, error) {
	inputs := m.Inputs()
	if len(inputs) != 1 {
		return nil, fmt.Errorf("%w: rows for %d inputs, want one", ErrSamples, len(inputs))
	}
	size := inputs[0].Size()
	if len(values) == 0 || len(values)%size != 0 {
		return nil, fmt.Errorf("%w: %d values for rows of %d", ErrSamples, len(values), size)
	}
	return &Set{Count: len(values) / size, Windows: 1, series: []series{{values, size, size, 0}}}, nil
}

// add fits the values that read gives, of a shape whose first axis counts samples.
func (s *Set) add(name string, in Tensor, shape tensor.Shape, read func() ([]float32, error), perm []int, alone bool) error {
	if n, _ := shape.Elements(); len(shape) == 0 || n == 0 {
		return fmt.Errorf("%w: empty, its shape is %v", ErrSamples, shape)
	}
	count := shape[0]
	if len(s.series) > 0 && count != s.Count {
		return fmt.Errorf("%w: %d samples, the array before has %d", ErrSamples, count, s.Count)
	}
	f, ok := fit(in.Shape, shape[1:], perm, alone)
	if !ok {
		return fmt.Errorf("%w: %d samples of shape %v, the model takes %v", ErrSamples, count, shape[1:], in.Shape)
	}
	values, err := read()
	if err != nil {
		return err
	}
	size := len(values) / count
	if at := slices.IndexFunc(values, notFinite); at >= 0 {
		return fmt.Errorf("%w: sample %d holds %v at index %d", ErrSamples, at/size, values[at], at%size)
	}
	if f.perm != nil {
		values = transpose(values, in.Shape, f.perm)
	}
	if f.note != "" {
		s.Notes = append(s.Notes, name+": "+f.note)
	}
	s.Count, s.Windows = count, f.windows
	s.series = append(s.series, series{values, in.Size(), size, f.step})
	return nil
}

func notFinite(v float32) bool { return math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) }

// fitting is how samples become inputs.
type fitting struct {
	perm          []int // to transpose by; nil for none
	windows, step int
	note          string
}

// channelsLast is the permutation that makes NHWC of NCHW.
var channelsLast = []int{0, 2, 3, 1}

// fit finds how samples of one shape fit an input of another.
func fit(want, have tensor.Shape, perm []int, alone bool) (fitting, bool) {
	wide, given := squeeze(want), squeeze(have)
	size, _ := want.Elements()
	n, _ := have.Elements()
	flat := len(given) <= 1 && n == size
	known := len(perm) == len(want) && len(perm) > 0
	switch {
	case known && (flat || slices.Equal(squeeze(before(want, perm)), given)):
		return transposed(want, perm, "in the layout of the ONNX model"), true
	case slices.Equal(wide, given):
		f := fitting{windows: 1}
		if known {
			f.note = fmt.Sprintf("in the layout %v already, taken as it is", want)
		}
		return f, true
	case len(want) == 4 && want[0] == 1 && slices.Equal(squeeze(before(want, channelsLast)), given):
		return transposed(want, channelsLast, "channels first"), true
	case flat, len(wide) <= 1 && n == size:
		return fitting{windows: 1}, true
	case alone && len(wide) <= 2 && len(given) == 2 && slides(wide, given, size):
		steps := size / given[1]
		return fitting{windows: given[0] - steps + 1, step: given[1], note: fmt.Sprintf(
			"%d windows of %d of the %d steps of each sample, sliding by one", given[0]-steps+1, steps, given[0])}, true
	}
	return fitting{}, false
}

// transposed transposes, unless values keep their places.
func transposed(want tensor.Shape, perm []int, why string) fitting {
	var order []int // of the axes that matter
	for _, axis := range perm {
		if before(want, perm)[axis] != 1 {
			order = append(order, axis)
		}
	}
	if slices.IsSorted(order) {
		return fitting{windows: 1}
	}
	return fitting{perm: perm, windows: 1, note: fmt.Sprintf("%s, transposed from %v to %v", why, before(want, perm), want)}
}

// before is the shape that perm makes want of.
func before(want tensor.Shape, perm []int) tensor.Shape {
	out := make(tensor.Shape, len(want))
	for i, axis := range perm {
		out[axis] = want[i]
	}
	return out
}

// slides reports whether an input, squeezed, is a window of a sample of rank 2.
func slides(input, sample tensor.Shape, size int) bool {
	frame := sample[1]
	return size%frame == 0 && size/frame <= sample[0] && (len(input) <= 1 || input[1] == frame)
}

// squeeze leaves out axes of extent 1.
func squeeze(s tensor.Shape) tensor.Shape {
	out := tensor.Shape{}
	for _, d := range s {
		if d != 1 {
			out = append(out, d)
		}
	}
	return out
}

// transpose reorders the axes of every sample: axis i of the result, whose shape
// is want, is axis perm[i] of the source.
func transpose(x []float32, want tensor.Shape, perm []int) []float32 {
	from := before(want, perm)
	strides := make([]int, len(from)) // in the source
	size := 1
	for i, d := range slices.Backward(from) {
		strides[i] = size
		size *= d
	}
	out := make([]float32, len(x))
	index := make([]int, len(want))
	for base := 0; base < len(x); base += size {
		at := 0
		for to := range size {
			out[base+to] = x[base+at]
			for i := len(want) - 1; i >= 0; i-- {
				index[i]++
				at += strides[perm[i]]
				if index[i] < want[i] {
					break
				}
				at -= index[i] * strides[perm[i]]
				index[i] = 0
			}
		}
	}
	return out
}

// window points inputs, one slice for each of the model's, at one window of a sample.
func (s *Set) window(inputs [][]float32, sample, window int) {
	for i, v := range s.series {
		at := sample*v.sample + window*v.step
		inputs[i] = v.values[at : at+v.size]
	}
}

// Values gives, for every input, all windows of all samples one behind the other.
func (s *Set) Values() [][]float32 {
	out := make([][]float32, len(s.series))
	for i, v := range s.series {
		if s.Windows == 1 {
			out[i] = v.values
			continue
		}
		out[i] = make([]float32, 0, s.Count*s.Windows*v.size)
		for sample := range s.Count {
			for w := range s.Windows {
				at := sample*v.sample + w*v.step
				out[i] = append(out[i], v.values[at:at+v.size]...)
			}
		}
	}
	return out
}
