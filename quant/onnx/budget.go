package onnx

import (
	"fmt"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// budget bounds what an import may allocate beside the decoded file (elements of
// rearranged weights and computed constants, and the bookkeeping of nodes) and
// how long it may take. A few bytes of a hostile file could ask for any amount,
// by a shape or by naming the same weights again and again.
type budget struct{ elements, work int64 }

// Elements are of 4 bytes. Rearranging every weight once takes an element for 4
// bytes of file, for 1 byte if the file has int8 weights. Work is what constants
// are gone through, element by element, and multiplications.
const (
	elementsPerByte = 8
	elementsBase    = 4 << 20
	workPerByte     = 64
	workBase        = 1 << 30
	// tensorCost is what a tensor with its node takes, whatever it holds.
	tensorCost = 64
)

func newBudget(fileBytes int) *budget {
	return &budget{
		elements: int64(fileBytes)*elementsPerByte + elementsBase,
		work:     int64(fileBytes)*workPerByte + workBase,
	}
}

// spend takes n elements or fails.
func (b *budget) spend(n int) error {
	if n < 0 || int64(n) > b.elements {
		return fmt.Errorf("%w: %d more elements of constants than a file of this length may ask for", graph.ErrInvalid, n)
	}
	b.elements -= int64(n)
	return nil
}

// labor takes n units of work or fails.
func (b *budget) labor(n int64) error {
	if n < 0 || n > b.work {
		return fmt.Errorf("%w: its operators share too many constants", graph.ErrInvalid)
	}
	b.work -= n
	return nil
}

// maxRank bounds the dimensions of every tensor, to 2 more than any operator of
// TFLite has.
const maxRank = 8

func checkRank(shape tensor.Shape) error {
	if len(shape) > maxRank {
		return fmt.Errorf("%w: %d dimensions, want at most %d", graph.ErrUnsupported, len(shape), maxRank)
	}
	return nil
}
