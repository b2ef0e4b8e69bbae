package kernel

import (
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"syscall"
	"testing"
	"unsafe"
)

// fences hands out memory that lies between pages which nobody may touch: a
// kernel that reads or writes a byte beyond its slices faults. Memory ends at the
// page behind it, or begins at that before it, and is misaligned where its length
// is.
type fences struct {
	t      *testing.T
	front  bool // memory begins at the page before it
	mapped [][]byte
}

// bytes is fenced memory of n bytes, filled with what must not matter.
func (f *fences) bytes(n int) []byte {
	page := os.Getpagesize()
	inner := (n + page - 1) / page * page
	m, err := syscall.Mmap(-1, 0, inner+2*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		f.t.Fatal(err)
	}
	f.mapped = append(f.mapped, m)
	for _, guard := range [][]byte{m[:page], m[page+inner:]} {
		if err := syscall.Mprotect(guard, syscall.PROT_NONE); err != nil {
			f.t.Fatal(err)
		}
	}
	at := page
	if !f.front {
		at += inner - n
	}
	copy(m[page:page+inner], scratch(inner))
	return m[at : at+n : at+n]
}

func (f *fences) release() {
	for _, m := range f.mapped {
		if err := syscall.Munmap(m); err != nil {
			f.t.Fatal(err)
		}
	}
	f.mapped = nil
}

// fenced copies s into memory with fences.
func fenced[T int8 | byte | int32 | float32](f *fences, s []T) []T {
	if s == nil {
		return nil
	}
	b := f.bytes(len(s) * int(unsafe.Sizeof(*new(T))))
	c := unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), len(s))
	copy(c, s)
	return c
}

// layer moves everything that micro-kernels read beside the tensors.
func (f *fences) layer(l *layer) {
	if l == nil {
		return
	}
	l.bands.offsets, l.bands.reach = fenced(f, l.bands.offsets), fenced(f, l.bands.reach)
	for i := range l.panels {
		l.panels[i].weights, l.panels[i].params = fenced(f, l.panels[i].weights), fenced(f, l.panels[i].params)
	}
	if q := l.quads; q != nil {
		q.padding = fenced(f, q.padding)
		for i := range q.reach {
			q.reach[i] = fenced(f, q.reach[i])
		}
	}
}

// guarded runs a kernel on fenced memory and reports a fault as a failure.
func guarded(t *testing.T, what string, run func()) {
	t.Helper()
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			t.Fatalf("%s: %v", what, p)
		}
	}()
	run()
}

// fencedSets runs f with every set, with the fences close behind and before.
func fencedSets(t *testing.T, runs int, f func(t *testing.T, s *Set, r values, m *fences)) {
	each(t, runs, func(t *testing.T, s *Set, r values) {
		m := &fences{t: t, front: r.IntN(2) == 0}
		f(t, s, r, m)
		m.release()
	})
}

// shape is a window over an image with one of several forms that layers have.
func (r values) shape() Window {
	w := r.window()
	switch r.IntN(5) {
	case 4: // whatever there is
		return w
	case 0: // fully connected
		w = Window{Batch: 1, InH: 1 + r.IntN(3), InW: 1, KernelH: 1, KernelW: 1, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1}
	case 1: // pointwise
		w = Window{Batch: 1, InH: 1 + r.IntN(9), InW: 1 + r.IntN(9), KernelH: 1, KernelW: 1, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1}
	case 2: // the usual
		w.KernelH, w.KernelW, w.StrideH, w.StrideW, w.DilationH, w.DilationW = 3, 3, 1, 1, 1, 1
		w.PadTop, w.PadLeft = r.IntN(2), r.IntN(2)
	}
	if r.IntN(6) == 0 { // bands of one row
		w.InW += 40
	}
	w.OutH, w.OutW = (w.InH-1)/w.StrideH+1, (w.InW-1)/w.StrideW+1
	if w.PadTop == 0 && w.PadLeft == 0 {
		w.OutH = max((w.InH-(w.KernelH-1)*w.DilationH-1)/w.StrideH+1, 1)
		w.OutW = max((w.InW-(w.KernelW-1)*w.DilationW-1)/w.StrideW+1, 1)
	}
	return w
}

// extremes is int8s, or only the ends of the range.
func (r values) extremes(n int) []int8 {
	s := r.int8s(n)
	if r.IntN(3) > 0 {
		return s
	}
	for i := range s {
		s[i] = -128 + int8(r.Uint32()&1)
		if r.IntN(2) == 0 {
			s[i] = 127
		}
	}
	return s
}

func TestGuardConv(t *testing.T) {
	fencedSets(t, 300, func(t *testing.T, s *Set, r values, m *fences) {
		groups, depth, filters := 1, 1+r.IntN(40), 1+r.IntN(150)
		switch r.IntN(8) {
		case 0:
			groups, filters = 2, 1+r.IntN(40)
		case 1:
			filters = 4 << r.IntN(2)
		}
		c := Conv{Window: r.shape(), InC: groups * depth, OutC: groups * filters, Groups: groups, InZero: int32(r.IntN(256)) - 128}
		c.Weights = r.extremes(c.OutC * c.KernelH * c.KernelW * depth)
		c.Bias, c.Output = r.bias(c.OutC), r.output(c.OutC)
		in, want := r.extremes(c.Batch*c.InH*c.InW*c.InC), make([]int8, c.Batch*c.OutH*c.OutW*c.OutC)
		plain := c
		(&Set{}).PrepareConv(&plain, granted)
		plain.Run(in, want, scratch(plain.Scratch), new(Work))
		s.PrepareConv(&c, granted)
		m.layer(c.layer)
		what := fmt.Sprintf("%+v InC %d OutC %d groups %d, fence before %t", c.Window, c.InC, c.OutC, groups, m.front)
		in, out, work := fenced(m, in), fenced(m, make([]int8, len(want))), m.bytes(c.Scratch)
		guarded(t, what, func() { c.Run(in, out, work, new(Work)) })
		if !slices.Equal(out, want) {
			t.Fatalf("%s: got %v, want %v", what, out, want)
		}
	})
}

func TestGuardDepthwise(t *testing.T) {
	fencedSets(t, 300, func(t *testing.T, s *Set, r values, m *fences) {
		d := Depthwise{Window: r.shape(), InC: 1 + r.IntN(70), Multiplier: 1, InZero: int32(r.IntN(256)) - 128}
		if r.IntN(2) == 0 {
			d.InC = 1 << r.IntN(7)
		}
		if r.IntN(3) == 0 {
			d.Window, d.InC = r.broad(), 1+r.IntN(200)
		}
		d.OutC = d.InC
		d.Weights = r.extremes(d.KernelH * d.KernelW * d.OutC)
		d.Bias, d.Output = r.bias(d.OutC), r.output(d.OutC)
		in, want := r.extremes(d.Batch*d.InH*d.InW*d.InC), make([]int8, d.Batch*d.OutH*d.OutW*d.OutC)
		plain := d
		(&Set{}).PrepareDepthwise(&plain, granted)
		plain.Run(in, want, scratch(plain.Scratch), new(Work))
		s.PrepareDepthwise(&d, granted)
		m.layer(d.layer)
		what := fmt.Sprintf("%+v channels %d, fence before %t", d.Window, d.InC, m.front)
		in, out, work := fenced(m, in), fenced(m, make([]int8, len(want))), m.bytes(d.Scratch)
		guarded(t, what, func() { d.Run(in, out, work, new(Work)) })
		if !slices.Equal(out, want) {
			t.Fatalf("%s: got %v, want %v", what, out, want)
		}
	})
}

// TestGuardLengths: every number of inputs of one row, and of several.
func TestGuardLengths(t *testing.T) {
	k := 0
	fencedSets(t, 200, func(t *testing.T, s *Set, r values, m *fences) {
		k = k%200 + 1
		d := Dense{Batch: 1 + r.IntN(6)*r.IntN(2), K: k, N: 1 + r.IntN(80), InZero: int32(r.IntN(256)) - 128}
		d.Weights, d.Bias, d.Output = r.extremes(d.N*d.K), r.bias(d.N), r.output(d.N)
		in, want := r.extremes(d.Batch*d.K), make([]int8, d.Batch*d.N)
		plain := d
		(&Set{}).PrepareDense(&plain, granted)
		plain.Run(in, want, nil, new(Work))
		s.PrepareDense(&d, granted)
		m.layer(d.layer)
		what := fmt.Sprintf("%d×%d×%d, fence before %t", d.Batch, d.K, d.N, m.front)
		in, out, work := fenced(m, in), fenced(m, make([]int8, len(want))), m.bytes(d.Scratch)
		guarded(t, what, func() { d.Run(in, out, work, new(Work)) })
		if !slices.Equal(out, want) {
			t.Fatalf("%s: got %v, want %v", what, out, want)
		}
	})
}

func TestGuardAdd(t *testing.T) {
	n := -1
	fencedSets(t, 402, func(t *testing.T, s *Set, r values, m *fences) {
		n = (n + 1) % 201
		a := r.usualAdd()
		s.PrepareAdd(&a)
		x, y := fenced(m, r.extremes(n)), fenced(m, r.extremes(n))
		out := fenced(m, make([]int8, n))
		what := fmt.Sprintf("%+v of %d, fence before %t", a, n, m.front)
		guarded(t, what, func() { a.Run(x, y, out) })
		for i := range out {
			if want := a.At(x[i], y[i]); out[i] != want {
				t.Fatalf("%s: [%d] %d+%d: got %d, want %d", what, i, x[i], y[i], out[i], want)
			}
		}
	})
}

// TestGuardLines copies rows with padding; behind the last row are margin bytes
// that may be overwritten.
func TestGuardLines(t *testing.T) {
	size := -1
	fencedSets(t, 603, func(t *testing.T, s *Set, r values, m *fences) {
		if s.engine == nil || s.engine.lines == nil {
			return
		}
		size = (size + 1) % 201
		c := lines{n: 1 + r.IntN(4), left: r.IntN(3) * r.IntN(90), right: r.IntN(3) * r.IntN(90), size: max(size, 1), pad: int8(r.Uint32())}
		gap := r.IntN(3) * r.IntN(50)
		element := 1
		if s.engine.wide {
			element = 2
		}
		c.srcPitch, c.dstPitch = c.size+gap, (c.left+c.size+c.right)*element
		src, dst := fenced(m, r.int8s(c.n*c.srcPitch-gap)), fenced(m, make([]int8, c.n*c.dstPitch+margin))
		c.src, c.dst = &src[0], &dst[0]
		what := fmt.Sprintf("%+v, fence before %t", c, m.front)
		guarded(t, what, func() { s.engine.lines(&c) })
		for y := range c.n {
			for x := range c.dstPitch / element {
				want := int16(c.pad)
				if i := x - c.left; i >= 0 && i < c.size {
					want = int16(src[y*c.srcPitch+i] ^ int8(s.engine.flip))
				}
				at := dst[y*c.dstPitch+x*element:]
				got := int16(at[0])
				if element == 2 {
					got = int16(uint8(at[0])) | int16(at[1])<<8
				}
				if got != want {
					t.Fatalf("%s: row %d element %d: got %d, want %d", what, y, x, got, want)
				}
			}
		}
	})
}

func TestGuardFlipped(t *testing.T) {
	n := -1
	fencedSets(t, 402, func(t *testing.T, s *Set, r values, m *fences) {
		if s.engine == nil || s.engine.flipped == nil {
			return
		}
		n = (n + 1) % 201
		src, dst := fenced(m, r.int8s(n)), fenced(m, make([]int8, n))
		guarded(t, fmt.Sprintf("%d bytes", n), func() { s.engine.flipped(dst, src) })
		for i, v := range src {
			if dst[i] != v^-128 {
				t.Fatalf("%d bytes: [%d] got %d, want %d", n, i, dst[i], v^-128)
			}
		}
	})
}

// TestGuards: the fences themselves hold.
func TestGuards(t *testing.T) {
	for _, front := range []bool{false, true} {
		f := &fences{t: t, front: front}
		b := f.bytes(13)
		at := unsafe.Pointer(&b[0])
		beyond := unsafe.Add(at, len(b))
		if front {
			beyond = unsafe.Add(at, -1)
		}
		func() {
			defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
			defer func() {
				if recover() == nil {
					t.Errorf("front %t: a byte beyond was read", front)
				}
			}()
			t.Log(*(*byte)(beyond))
		}()
		f.release()
	}
}
