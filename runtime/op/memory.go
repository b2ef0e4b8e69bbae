package op

import (
	"unsafe"

	"kedge/runtime/kernel"
)

// Memory is what one session's operators compute on.
type Memory struct {
	// Tensors holds the bytes of every tensor of the subgraph, constants
	// included. Each starts at an address aligned for its element type.
	Tensors [][]byte
	// Scratch is the working memory of the operator being evaluated, at least
	// as long as it asked for, aligned as tensors are.
	Scratch []byte
	// Work is what kernels compute with beside it.
	Work kernel.Work
	// States holds what operators remember from one inference to the next, by
	// Prep.StateSlot, as long as they asked for, aligned as tensors are. A reset
	// clears it.
	States [][]byte
	// Variables holds the content of every resource variable.
	Variables [][]byte
	// Once runs the subgraph of a CALL_ONCE by its Prep.Slot, unless it has run
	// since the last reset. Only the main subgraph has calls.
	Once func(slot int)
}

// stored are the types that memory is read as.
type stored interface{ element | uint32 | uint64 }

// view reads bytes as elements of T without copying. The platforms that this
// module supports are little-endian, as the format is; package runtime checks.
func view[T stored](b []byte) []T {
	var zero T
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/int(unsafe.Sizeof(zero)))
}

// get is the content of tensor id.
func get[T stored](m *Memory, id int) []T {
	return view[T](m.Tensors[id])
}
