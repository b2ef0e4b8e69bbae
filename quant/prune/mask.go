package prune

import (
	"fmt"
	"maps"
	"math/bits"
	"slices"

	"kedge/quant/graph"
)

// Mask says which weights of a tensor stay, one bit each. The zero value is the
// mask of no weights.
type Mask struct {
	n       int
	dropped []uint64
}

// NewMask returns a mask of n weights that keeps all.
func NewMask(n int) Mask { return Mask{n, make([]uint64, (n+63)/64)} }

// Len is the number of weights.
func (m Mask) Len() int { return m.n }

// Keeps reports whether weight i, from 0 to Len−1, stays.
func (m Mask) Keeps(i int) bool { return m.dropped[i/64]>>(i%64)&1 == 0 }

// Drop marks weight i, from 0 to Len−1, as one that goes.
func (m Mask) Drop(i int) { m.dropped[i/64] |= 1 << (i % 64) }

// Dropped is the number of weights that go.
func (m Mask) Dropped() int {
	n := 0
	for _, word := range m.dropped {
		n += bits.OnesCount64(word)
	}
	return n
}

// Apply sets the weights that go to 0, in place. There have to be Len of them,
// else the error matches ErrMask.
func (m Mask) Apply(w []float32) error {
	if len(w) != m.n {
		return fmt.Errorf("%w: %d weights, mask of %d", ErrMask, len(w), m.n)
	}
	for i, word := range m.dropped {
		for ; word != 0; word &= word - 1 {
			w[64*i+bits.TrailingZeros64(word)] = 0
		}
	}
	return nil
}

// Masks are those of a network, by the names of the weight tensors, which stay
// the same when the network is written and read again.
type Masks map[string]Mask

// Apply replaces the weights of g by masked copies. The error matches ErrMask
// when a mask finds no weights of its name and length.
func (m Masks) Apply(g *graph.Graph) error {
	layers := make(map[string]graph.TensorID)
	for _, l := range Layers(g) {
		layers[g.Tensor(l.Weights).Name] = l.Weights
	}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		id, ok := layers[name]
		if !ok {
			return fmt.Errorf("%w: there are no weights %q", ErrMask, name)
		}
		t := g.Tensor(id)
		w := slices.Clone(t.Float)
		if err := m[name].Apply(w); err != nil {
			return fmt.Errorf("weights %q: %w", name, err)
		}
		t.Float = w
	}
	return nil
}

// FromZeros returns masks that keep what is not 0, of all layers of g with a 0.
func FromZeros(g *graph.Graph) Masks {
	masks := make(Masks)
	for _, l := range Layers(g) {
		if l.Zeros == 0 {
			continue
		}
		t := g.Tensor(l.Weights)
		m := NewMask(len(t.Float))
		for i, v := range t.Float {
			if v == 0 {
				m.Drop(i)
			}
		}
		masks[t.Name] = m
	}
	return masks
}
