package graph

import (
	"testing"

	"kedge/runtime/tensor"
)

// subShape drops leading dimensions and sets others to 1, so that the result
// broadcasts to s.
func subShape(r interface{ IntN(int) int }, s tensor.Shape) tensor.Shape {
	out := append(tensor.Shape{}, s[r.IntN(len(s)+1):]...)
	for i := range out {
		if r.IntN(3) == 0 {
			out[i] = 1
		}
	}
	return out
}

// spread is a read at index of a larger shape.
func (a array) spread(index []int) float32 {
	own := make([]int, len(a.shape))
	for d := range own {
		if a.shape[d] > 1 {
			own[d] = index[len(index)-len(own)+d]
		}
	}
	return a.at(own)
}

func TestBinaryAgainstDefinition(t *testing.T) {
	definitions := []func(a, b float32) float32{
		Add: func(a, b float32) float32 { return a + b },
		Sub: func(a, b float32) float32 { return a - b },
		Mul: func(a, b float32) float32 { return a * b },
		Div: func(a, b float32) float32 { return a / b },
		Maximum: func(a, b float32) float32 {
			if a > b {
				return a
			}
			return b
		},
		Minimum: func(a, b float32) float32 {
			if a < b {
				return a
			}
			return b
		},
		SquaredDifference: func(a, b float32) float32 { return (a - b) * (a - b) },
	}
	r := seeded()
	for i := range 700 {
		kind := Arithmetic(i % len(definitions))
		full := randomShape(r, 0, 5)
		if i%10 == 0 {
			full = append(full, 2*chunk+r.IntN(99)) // rows longer than one chunk
		}
		shapes := [2]tensor.Shape{full, subShape(r, full)}
		if len(full) > 0 && i%4 == 3 { // both repeat, in different dimensions
			d := r.IntN(len(full))
			shapes[0] = append(tensor.Shape{}, full...)
			shapes[0][d], shapes[1] = 1, full[d:]
		}
		if i%2 == 1 {
			shapes[0], shapes[1] = shapes[1], shapes[0]
		}
		a, b := randomArray(r, shapes[0]...), randomArray(r, shapes[1]...)
		b.constant = i%3 == 0
		want := newArray(full...).fill(func(index []int) float32 { return definitions[kind](a.spread(index), b.spread(index)) })
		got := run(t, Binary{Kind: kind}, 1, a, b)[0]
		sameArray(t, []any{Binary{Kind: kind}.Name(), a.shape, b.shape}, got, want, 0)
	}
}

func TestFusedActivations(t *testing.T) {
	x := row(-7, -1, -0.5, 0, 0.5, 1, 6, 7)
	for _, c := range []struct {
		activation Activation
		want       array
	}{
		{Linear, x},
		{ReLU, row(0, 0, 0, 0, 0.5, 1, 6, 7)},
		{ReLUN1To1, row(-1, -1, -0.5, 0, 0.5, 1, 1, 1)},
		{ReLU6, row(0, 0, 0, 0, 0.5, 1, 6, 6)},
	} {
		zero := array{v: []float32{0}, constant: true}
		sameArray(t, c.activation, run(t, Binary{Kind: Add, Activation: c.activation}, 1, x, zero)[0], c.want, 0)
		sameArray(t, c.activation, run(t, Concatenation{Activation: c.activation}, 1, x)[0], c.want, 0)
	}
}

func TestPReLUAgainstDefinition(t *testing.T) {
	r := seeded()
	for range 200 {
		shape := randomShape(r, 1, 4)
		x, alpha := randomArray(r, shape...), randomArray(r, subShape(r, shape)...)
		alpha.constant = true
		want := newArray(shape...).fill(func(index []int) float32 {
			if v := x.at(index); v < 0 {
				return v * alpha.spread(index)
			}
			return x.at(index)
		})
		sameArray(t, alpha.shape, run(t, PReLU{}, 1, x, alpha)[0], want, 0)
	}
}

func BenchmarkBinary(b *testing.B) {
	r := seeded()
	for name, shape := range map[string]tensor.Shape{"equal": {56, 56, 24}, "vector": {24}, "scalar": {}, "pixel": {56, 56, 1}} {
		x, y := randomArray(r, 56, 56, 24), randomArray(r, shape...)
		y.constant = true
		g := build(Binary{Kind: Mul, Activation: ReLU6}, 1, x, y)
		if err := g.Infer(); err != nil {
			b.Fatal(err)
		}
		e, err := NewExecutor(g)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := e.Run([][]float32{x.v}, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
