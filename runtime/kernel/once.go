package kernel

import "unsafe"

// once is a layer that one call of a micro-kernel computes, as dense layers are:
// the kernel and its argument, which lacks only where to read and write. Going
// through bands and panels would take such a layer as long as its products.
type once struct {
	kernel func(*block)
	block  block
}

// newOnce returns nil for a layer that takes more.
func (l *layer) newOnce() *once {
	s := &l.bands
	if l.parts != 1 || len(l.panels) != 1 || l.quads != nil || l.exceptions != nil || !s.direct || s.rows < s.outH {
		return nil
	}
	p := &l.panels[0]
	rows := p.largest(len(s.offsets))
	if rows == 0 || len(s.offsets)%rows != 0 {
		return nil
	}
	o := new(once)
	for _, t := range p.tiles {
		if t.rows == rows {
			o.kernel = t.run
		}
	}
	l.begin(&o.block)
	p.begin(&o.block, l.outC)
	o.block.rows, o.block.offsets = len(s.offsets), &s.offsets[0]
	return o
}

func (o *once) run(in, out []int8, b *block) {
	*b = o.block
	b.a, b.out = unsafe.Pointer(&in[0]), unsafe.Pointer(&out[0])
	o.kernel(b)
	b.a, b.out = nil, nil // keep no memory alive
}
