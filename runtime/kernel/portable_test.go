package kernel

import (
	"math"
	"unsafe"

	"kedge/runtime/fixed"
)

// portable are engines in plain Go, of shapes that exercise every way of laying
// out operands. What they share with the real ones is tested with them on every
// architecture.
func portable() []*engine {
	flip := func(dst, src []int8) {
		for i, v := range src {
			dst[i] = v ^ math.MinInt8
		}
	}
	return []*engine{
		portableEngine("portable-4", 4, 3, 0x80, flip),
		portableEngine("portable-1", 1, 4, 0, nil),
		portableEngine("portable-8", 8, 2, 0, nil),
		portableEngine("portable-wide", 2, 4, 0, nil),
	}
}

func portableEngine(name string, depth, rows int, flip byte, flipped func(dst, src []int8)) *engine {
	e := &engine{name: name, detected: func() bool { return true }, depth: depth, flip: flip, flipped: flipped,
		narrow: depth == 8, params: plainParams, lanes: 8, tapGroup: 1 + depth/4, tapFlip: flip, wide: depth == 2}
	if e.wide {
		e.lines = portableLines
	}
	for _, columns := range []int{6, 3} {
		gemm := func(b *block) { portableGEMM(b, e, columns) }
		if e.wide {
			bytes := func(b *block) { portableGEMM(b, e.bytes(), columns) }
			e.single = append(e.single, panelKernels{columns: columns, tiles: []tile{{1, bytes}}})
		} else if flip != 0 {
			e.single = append(e.single, panelKernels{columns: columns, tiles: []tile{{1, func(b *block) { portableFlipped(b, e, columns) }}}})
		}
		e.gemm = append(e.gemm, panelKernels{columns: columns, tiles: []tile{{rows, gemm}, {1, gemm}}})
	}
	e.depthwise = []tile{{rows, func(b *block) { portableDepthwise(b, e) }}, {1, func(b *block) { portableDepthwise(b, e) }}}
	e.bytewise = []tile{{1, func(b *block) { portableDepthwise(b, e.bytes()) }}}
	return e
}

func portableGEMM(b *block, e *engine, columns int) {
	offsets, reach := unsafe.Slice(b.offsets, b.rows), unsafe.Slice(b.reach, b.runs)
	weights := unsafe.Slice((*int8)(b.b), b.runs*b.length*columns)
	for row, off := range offsets {
		for column := range b.columns {
			acc := int32(0)
			for run, at := range reach {
				for i := range b.length {
					w := weights[run*b.length*columns+i/e.depth*columns*e.depth+column*e.depth+i%e.depth]
					acc += portableElement(unsafe.Add(b.a, off+at), i, e, e.flip) * int32(w)
				}
			}
			portableStore(b, row, columns, column, acc)
		}
	}
}

func portableDepthwise(b *block, e *engine) {
	lanes := e.lanes
	offsets, reach := unsafe.Slice(b.offsets, b.rows), unsafe.Slice(b.reach, b.runs)
	weights := unsafe.Slice((*int8)(b.b), b.runs*lanes)
	for row, off := range offsets {
		for lane := range b.columns {
			acc := int32(0)
			for t, at := range reach {
				w := int32(weights[(t/e.tapGroup*lanes+lane)*e.tapGroup+t%e.tapGroup])
				acc += portableElement(unsafe.Add(b.a, off+at), lane, e, e.tapFlip) * w
			}
			portableStore(b, row, lanes, lane, acc)
		}
	}
}

// portableElement is the i-th number at p as the engine's micro-kernels take it.
func portableElement(p unsafe.Pointer, i int, e *engine, flip byte) int32 {
	switch {
	case e.wide:
		return int32(*(*int16)(unsafe.Add(p, 2*i)))
	case flip != 0:
		return int32(*(*uint8)(unsafe.Add(p, i)))
	}
	return int32(*(*int8)(unsafe.Add(p, i)))
}

// portableLines copies rows as 16-bit numbers.
func portableLines(c *lines) {
	for y := range c.n {
		dst := unsafe.Slice((*int16)(unsafe.Add(unsafe.Pointer(c.dst), y*c.dstPitch)), c.left+c.size+c.right)
		for i := range dst {
			dst[i] = int16(c.pad)
			if x := i - c.left; x >= 0 && x < c.size {
				dst[i] = int16(*(*int8)(unsafe.Add(unsafe.Pointer(c.src), y*c.srcPitch+x)))
			}
		}
	}
}

func portableStore(b *block, row, width, column int, acc int32) {
	p := unsafe.Slice((*int32)(b.params), 3*width)
	m := fixed.Multiplier{M: p[width+column], Shift: -p[2*width+column]}
	v := m.Apply(acc+p[column]) + b.zero
	*(*int8)(unsafe.Add(b.out, row*b.stride+column)) = int8(min(max(v, b.min), b.max))
}

// portableFlipped is portableGEMM for rows that are not flipped yet.
func portableFlipped(b *block, e *engine, columns int) {
	zero := int32(0)
	for i, off := range unsafe.Slice(b.offsets, b.rows) {
		var row []int8
		var reach []int32
		for _, at := range unsafe.Slice(b.reach, b.runs) {
			reach = append(reach, int32(len(row)))
			for _, v := range unsafe.Slice((*int8)(unsafe.Add(b.a, off+at)), b.length) {
				row = append(row, v^math.MinInt8)
			}
		}
		x := *b
		x.rows, x.a, x.offsets, x.reach = 1, unsafe.Pointer(&row[0]), &zero, &reach[0]
		x.out = unsafe.Add(b.out, i*b.stride)
		portableGEMM(&x, e, columns)
	}
}
