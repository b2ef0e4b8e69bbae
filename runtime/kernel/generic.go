package kernel

import "unsafe"

// generic is the set in plain Go, for every architecture.
var generic = Set{
	Name: "generic",

	PrepareSparseDense: prepareSparseDenseGeneric,
	SparseDense:        sparseDenseGeneric,

	PrepareConv:      prepareConvGeneric,
	Conv:             convGeneric,
	PrepareDepthwise: prepareDepthwiseGeneric,
	Depthwise:        depthwiseGeneric,
	PrepareDense:     prepareDenseGeneric,
	Dense:            denseGeneric,
	Add:              addGeneric,
}

// int8s views scratch memory as int8.
func int8s(b []byte) []int8 {
	return unsafe.Slice((*int8)(unsafe.Pointer(unsafe.SliceData(b))), len(b))
}

// int32s views scratch memory as int32; the arena aligns it.
func int32s(b []byte) []int32 {
	return unsafe.Slice((*int32)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/4)
}
