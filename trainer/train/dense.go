package train

import (
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
)

// Layer is a fully connected layer: y = W·x + B.
type Layer struct {
	// In and Out are the lengths of x and y.
	In, Out int
	// W is Out rows of In weights (TFLite's layout).
	W []float32
	// B is one bias per output.
	B []float32
}

// Dense is a classifier of fully connected layers: ReLU between the layers,
// softmax after the last. It is plain data; methods that only read it may run
// concurrently.
type Dense struct {
	Layers []Layer
}

// NewDense makes a network with the given layer widths (features, hidden…,
// classes; at least two) and He-normal weights (He et al. 2015) drawn from rng.
func NewDense(widths []int, rng *rand.Rand) (*Dense, error) {
	if len(widths) < 2 {
		return nil, fmt.Errorf("%w: %d widths, want features and classes at least", ErrNetwork, len(widths))
	}
	d := &Dense{Layers: make([]Layer, len(widths)-1)}
	for i := range d.Layers {
		in, out := widths[i], widths[i+1]
		if in < 1 || out < 1 {
			return nil, fmt.Errorf("%w: layer %d is %d×%d", ErrNetwork, i, in, out)
		}
		l := Layer{In: in, Out: out, W: make([]float32, in*out), B: make([]float32, out)}
		std := math.Sqrt(2 / float64(in))
		for j := range l.W {
			l.W[j] = float32(rng.NormFloat64() * std)
		}
		d.Layers[i] = l
	}
	return d, nil
}

// Features is the length of an input row.
func (d *Dense) Features() int { return d.Layers[0].In }

// Classes is the number of outputs.
func (d *Dense) Classes() int { return d.Layers[len(d.Layers)-1].Out }

// Hidden returns the widths of the hidden layers, from input to output.
func (d *Dense) Hidden() []int {
	hidden := make([]int, 0, len(d.Layers)-1)
	for _, l := range d.Layers[:len(d.Layers)-1] {
		hidden = append(hidden, l.Out)
	}
	return hidden
}

// Clone returns a copy that shares nothing with d.
func (d *Dense) Clone() *Dense {
	c := &Dense{Layers: make([]Layer, len(d.Layers))}
	for i, l := range d.Layers {
		c.Layers[i] = Layer{In: l.In, Out: l.Out, W: append([]float32(nil), l.W...), B: append([]float32(nil), l.B...)}
	}
	return c
}

// Validate checks shapes and that every weight is finite; the error matches
// ErrNetwork.
func (d *Dense) Validate() error {
	if len(d.Layers) == 0 {
		return fmt.Errorf("%w: no layers", ErrNetwork)
	}
	for i, l := range d.Layers {
		if l.In < 1 || l.Out < 1 || len(l.W) != l.In*l.Out || len(l.B) != l.Out {
			return fmt.Errorf("%w: layer %d is %d×%d with %d weights and %d biases", ErrNetwork, i, l.In, l.Out, len(l.W), len(l.B))
		}
		if i > 0 && l.In != d.Layers[i-1].Out {
			return fmt.Errorf("%w: layer %d takes %d values, layer %d gives %d", ErrNetwork, i, l.In, i-1, d.Layers[i-1].Out)
		}
		for _, w := range l.W {
			if !finite(w) {
				return fmt.Errorf("%w: layer %d has weight %v", ErrNetwork, i, w)
			}
		}
		for _, b := range l.B {
			if !finite(b) {
				return fmt.Errorf("%w: layer %d has bias %v", ErrNetwork, i, b)
			}
		}
	}
	return nil
}

// Probabilities runs x (rows of Features values) and returns one row of class
// probabilities for each.
func (d *Dense) Probabilities(x []float32) []float32 {
	rows := len(x) / d.Features()
	const block = 64 // keeps activations in cache
	out := make([]float32, rows*d.Classes())
	var p pass
	for lo := 0; lo < rows; lo += block {
		hi := min(lo+block, rows)
		z := p.forward(d, x[lo*d.Features():hi*d.Features()], hi-lo)
		copy(out[lo*d.Classes():], z)
	}
	for i := range rows {
		softmax(out[i*d.Classes() : (i+1)*d.Classes()])
	}
	return out
}

// pass keeps the activations of one minibatch. act[0] is the input, act[i] the
// output of layer i-1; buffers are reused from one batch to the next.
type pass struct {
	act [][]float32
}

// forward returns the logits, valid until the next call.
func (p *pass) forward(d *Dense, x []float32, rows int) []float32 {
	if p.act == nil {
		p.act = make([][]float32, len(d.Layers)+1)
	}
	p.act[0] = x
	for i, l := range d.Layers {
		p.act[i+1] = grow(p.act[i+1], rows*l.Out)
		z := p.act[i+1]
		for r := range rows {
			copy(z[r*l.Out:(r+1)*l.Out], l.B)
		}
		blas32.Gemm(blas.NoTrans, blas.Trans, 1, matrix(p.act[i], rows, l.In), matrix(l.W, l.Out, l.In), 1, matrix(z, rows, l.Out))
		if i < len(d.Layers)-1 {
			for j, v := range z {
				z[j] = max(v, 0)
			}
		}
	}
	return p.act[len(d.Layers)]
}

func matrix(data []float32, rows, cols int) blas32.General {
	return blas32.General{Rows: rows, Cols: cols, Stride: cols, Data: data}
}

func grow(buf []float32, n int) []float32 {
	if cap(buf) < n {
		return make([]float32, n)
	}
	return buf[:n]
}

// softmax replaces z by exp(z)/Σexp(z), shifted by the maximum against overflow.
func softmax(z []float32) {
	top := z[0]
	for _, v := range z {
		top = max(top, v)
	}
	sum := 0.0
	for i, v := range z {
		e := math.Exp(float64(v - top))
		z[i] = float32(e)
		sum += e
	}
	for i := range z {
		z[i] = float32(float64(z[i]) / sum)
	}
}
