package onnx

import (
	"fmt"
	"testing"

	"kedge/runtime/tensor"
)

// geometry is a convolution or its transposition; extents are height, width.
type geometry struct {
	in, out, groups      int
	image, kernel        [2]int
	stride, dilation     [2]int
	before, after, extra [2]int
}

var geometries = []geometry{
	{in: 3, out: 4, groups: 1, image: [2]int{7, 9}, kernel: [2]int{3, 2}, stride: [2]int{2, 1}, dilation: [2]int{1, 3}, before: [2]int{1, 0}, after: [2]int{2, 1}},
	{in: 4, out: 6, groups: 2, image: [2]int{6, 5}, kernel: [2]int{3, 3}, stride: [2]int{1, 2}, dilation: [2]int{2, 1}, before: [2]int{2, 1}, after: [2]int{2, 1}},
	{in: 4, out: 4, groups: 4, image: [2]int{5, 8}, kernel: [2]int{2, 3}, stride: [2]int{1, 1}, dilation: [2]int{1, 2}, before: [2]int{0, 2}, after: [2]int{1, 2}},
	{in: 3, out: 6, groups: 3, image: [2]int{5, 5}, kernel: [2]int{3, 3}, stride: [2]int{2, 2}, dilation: [2]int{1, 1}, before: [2]int{0, 1}, after: [2]int{1, 1}},
}

// TestConv compares with the definition, written as loops.
func TestConv(t *testing.T) {
	for _, g := range geometries {
		x, w, b := reals("x", 2, g.in, g.image[0], g.image[1]), reals("w", g.out, g.in/g.groups, g.kernel[0], g.kernel[1]), reals("b", g.out)
		got := convolve(t, "Conv", g, x, w, b)
		if err := compare(got, g.conv(x, w, b)); err != nil {
			t.Errorf("%+v: %v", g, err)
		}
	}
}

func TestConvTranspose(t *testing.T) {
	for _, g := range geometries {
		g.extra = [2]int{1, 0}
		x, w, b := reals("x", 2, g.in, g.image[0], g.image[1]), reals("w", g.in, g.out/g.groups, g.kernel[0], g.kernel[1]), reals("b", g.out)
		got := convolve(t, "ConvTranspose", g, x, w, b)
		if err := compare(got, g.convTranspose(x, w, b)); err != nil {
			t.Errorf("%+v: %v", g, err)
		}
	}
}

// convolve imports a model of one node and runs it.
func convolve(t *testing.T, operator string, g geometry, x, w, b testTensor) *Tensor {
	t.Helper()
	node := testNode{operator: operator, inputs: []string{"x", "w", "b"}, outputs: []string{"y"}, attributes: []message{
		intAttribute("group", g.groups), intsAttribute("strides", g.stride[:]...), intsAttribute("dilations", g.dilation[:]...),
		intsAttribute("pads", g.before[0], g.before[1], g.after[0], g.after[1]),
	}}
	if g.extra != [2]int{} {
		node.attributes = append(node.attributes, intsAttribute("output_padding", g.extra[:]...))
	}
	m := testModel{opset: 13, inputs: []testInput{{"x", x.Shape}}, initializers: []testTensor{w, b}, nodes: []testNode{node}, outputs: []string{"y"}}
	out, err := evaluate(m.encode(), Options{}, map[string]*Tensor{"x": &x.Tensor})
	if err != nil {
		t.Fatal(fmt.Errorf("%+v: %w", g, err))
	}
	return out[0]
}

func (g geometry) span(i int) int { return (g.kernel[i]-1)*g.dilation[i] + 1 }

func (g geometry) conv(x, w, b testTensor) *Tensor {
	extent := func(i int) int { return (g.image[i]+g.before[i]+g.after[i]-g.span(i))/g.stride[i] + 1 }
	oh, ow := extent(0), extent(1)
	y := &Tensor{Shape: tensor.Shape{x.Shape[0], g.out, oh, ow}, Type: tensor.Float32}
	for n := range x.Shape[0] {
		for o := range g.out {
			first := o / (g.out / g.groups) * (g.in / g.groups)
			for at := range oh * ow {
				sum := float64(b.Float[o])
				g.taps(func(ky, kx int) {
					iy, ix := at/ow*g.stride[0]+ky*g.dilation[0]-g.before[0], at%ow*g.stride[1]+kx*g.dilation[1]-g.before[1]
					if iy < 0 || iy >= g.image[0] || ix < 0 || ix >= g.image[1] {
						return
					}
					for c := range g.in / g.groups {
						sum += float64(x.Float[((n*g.in+first+c)*g.image[0]+iy)*g.image[1]+ix]) *
							float64(w.Float[((o*w.Shape[1]+c)*g.kernel[0]+ky)*g.kernel[1]+kx])
					}
				})
				y.Float = append(y.Float, float32(sum))
			}
		}
	}
	return y
}

func (g geometry) taps(f func(ky, kx int)) {
	for k := range g.kernel[0] * g.kernel[1] {
		f(k/g.kernel[1], k%g.kernel[1])
	}
}

func (g geometry) convTranspose(x, w, b testTensor) *Tensor {
	extent := func(i int) int {
		return (g.image[i]-1)*g.stride[i] + g.extra[i] + g.span(i) - g.before[i] - g.after[i]
	}
	oh, ow := extent(0), extent(1)
	y := &Tensor{Shape: tensor.Shape{x.Shape[0], g.out, oh, ow}, Type: tensor.Float32, Float: make([]float32, x.Shape[0]*g.out*oh*ow)}
	for i := range y.Float {
		y.Float[i] = b.Float[i/(oh*ow)%g.out]
	}
	each := g.out / g.groups
	for i, v := range x.Float {
		ix, iy, c, n := i%g.image[1], i/g.image[1]%g.image[0], i/g.image[1]/g.image[0]%g.in, i/g.image[1]/g.image[0]/g.in
		first := c / (g.in / g.groups) * each
		g.taps(func(ky, kx int) {
			ty, tx := iy*g.stride[0]+ky*g.dilation[0]-g.before[0], ix*g.stride[1]+kx*g.dilation[1]-g.before[1]
			if ty < 0 || ty >= oh || tx < 0 || tx >= ow {
				return
			}
			for o := range each {
				y.Float[((n*g.out+first+o)*oh+ty)*ow+tx] += v * w.Float[((c*each+o)*g.kernel[0]+ky)*g.kernel[1]+kx]
			}
		})
	}
	return y
}
