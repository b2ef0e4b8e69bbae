package tflite

import (
	"fmt"

	"kedge/runtime/tensor"
)

// Sparsity is the compressed form of a constant: a tree with one level for each
// dimension of the tensor, in the order in which the file's writer went through
// them, followed by one for each dimension of the blocks that it was cut into. A
// level of the tree has a branch for every position (dense), or only for those
// listed (compressed sparse rows). The tensor's Data are the elements at the
// leaves, in order; all others are 0. Source: SparsityParameters of the TFLite
// schema; it follows the format abstraction of Kjolstad et al., The Tensor
// Algebra Compiler, 2017.
//
// Every level is checked when it is decoded: whatever path is taken from the root,
// positions are within the tensor, and no two leaves are the same element.
type Sparsity struct {
	Levels   []Level
	Elements int // of the tensor
	Stored   int // of them, those in Data
}

// Level is one level of the tree.
type Level struct {
	Dim    int  // of the tensor that it runs along
	Block  bool // within blocks; otherwise from block to block, or from element to element
	Size   int  // positions
	Stride int  // elements of the tensor from one position to the next
	// Branch b of the level above has the branches Segments[b] to Segments[b+1],
	// which is not included, at the positions that Indices gives them. Both are nil
	// for a dense level.
	Segments, Indices []int32
}

// Dense reports whether every position of the level has a branch.
func (l *Level) Dense() bool { return l.Segments == nil }

// Fraction is the part of the elements that is not stored.
func (s *Sparsity) Fraction() float64 {
	if s.Elements == 0 {
		return 0
	}
	return 1 - float64(s.Stored)/float64(s.Elements)
}

// Expand is the tensor's content as a tensor without Sparsity would hold it,
// paid from the budget.
func (t *Tensor) Expand(b *Budget) ([]byte, error) {
	n, _ := t.Shape.Bytes(t.Type)
	if err := b.SpendSlab(n); err != nil {
		return nil, fmt.Errorf("expanded: %w", err)
	}
	e := expansion{levels: t.Sparsity.Levels, from: t.Data, to: make([]byte, n), bits: t.Type.Bits()}
	if t.Sparsity.Stored > 0 {
		e.walk(0, 0, 0)
	}
	return e.to, nil
}

// expansion copies the leaves of a tree to their places.
type expansion struct {
	levels   []Level
	from, to []byte
	bits     int // of an element
}

// walk copies what lies below a branch into the level: its number there, and the
// first element of the tensor that it can hold.
func (e *expansion) walk(level, branch, at int) {
	if level == len(e.levels) {
		e.copy(branch, at, 1)
		return
	}
	l := &e.levels[level]
	switch {
	case !l.Dense():
		for i := l.Segments[branch]; i < l.Segments[branch+1]; i++ {
			e.walk(level+1, int(i), at+int(l.Indices[i])*l.Stride)
		}
	case level == len(e.levels)-1 && l.Stride == 1:
		e.copy(branch*l.Size, at, l.Size)
	default:
		for i := range l.Size {
			e.walk(level+1, branch*l.Size+i, at+i*l.Stride)
		}
	}
}

// copy copies n stored elements, from leaf on, to neighboring places.
func (e *expansion) copy(leaf, at, n int) {
	if e.bits >= 8 {
		size := e.bits / 8
		copy(e.to[at*size:(at+n)*size], e.from[leaf*size:])
		return
	}
	perByte := 8 / e.bits
	mask := byte(1)<<e.bits - 1
	for i := range n {
		v := e.from[(leaf+i)/perByte] >> ((leaf + i) % perByte * e.bits) & mask
		e.to[(at+i)/perByte] |= v << ((at + i) % perByte * e.bits)
	}
}

// storedBytes is what n elements take.
func storedBytes(n int, t tensor.Type) int { return int((int64(n)*int64(t.Bits()) + 7) / 8) }
