package kernel

import (
	"fmt"
	"slices"
	"strings"
)

// plainGo is the name of what computes where no set's own loops do.
const plainGo = "go"

// Kernel names what computes the layer: the set, the form and the tiles of its
// loops ("avx512vnni gemm 8x32"), or "go".
func (c *Conv) Kernel() string { return c.layer.describe() }

// Kernel names what computes the layer, as for Conv.
func (d *Depthwise) Kernel() string { return d.layer.describe() }

// Kernel names what computes the layer, as for Conv.
func (d *Dense) Kernel() string { return d.layer.describe() }

// Kernel names what computes the sums: the set, or "go".
func (a *Add) Kernel() string {
	if a.paired == nil && a.linear == nil {
		return plainGo
	}
	return a.engine.name + " add"
}

// ExtremeKernel names what computes Extreme: the set, or "go".
func (s *Set) ExtremeKernel() string {
	return s.kernel("extreme", s.engine != nil && s.engine.extreme != nil)
}

// Parts is into how many parts the layer is divided, which a team may compute.
func (c *Conv) Parts() int { return c.layer.divided() }

// Parts is as for Conv.
func (d *Depthwise) Parts() int { return d.layer.divided() }

// Parts is as for Conv.
func (d *Dense) Parts() int { return d.layer.divided() }

func (l *layer) divided() int {
	if l == nil || !l.shared {
		return 1
	}
	return l.parts
}

// describe names the layer's loops, and how many of its channels are left to plain
// Go.
func (l *layer) describe() string {
	if l == nil {
		return plainGo
	}
	if l.exceptions != nil {
		return fmt.Sprintf("%s, %d channels go", l.form(), len(l.exceptions.channels))
	}
	return l.form()
}

func (l *layer) form() string {
	if l.quads != nil {
		return l.engine.name + " depthwise quads"
	}
	form := "depthwise"
	if l.engine.multiplies(l.panels[0].panelKernels) {
		form = "gemm"
	}
	var sizes []string
	for i := range l.panels {
		p := &l.panels[i]
		if size := fmt.Sprintf("%dx%d", p.largest(len(l.bands.offsets)), p.columns); !slices.Contains(sizes, size) {
			sizes = append(sizes, size)
		}
	}
	return l.engine.name + " " + form + " " + strings.Join(sizes, "+")
}

// multiplies reports whether k is for matrix products, rather than for depthwise
// convolutions.
func (e *engine) multiplies(k *panelKernels) bool {
	in := func(all []panelKernels) bool {
		for i := range all {
			if k == &all[i] {
				return true
			}
		}
		return false
	}
	return k.doubled || in(e.gemm) || in(e.direct) || in(e.single)
}

// largest is the number of rows of the largest tile that n rows are computed by.
func (p *panel) largest(n int) int {
	for _, t := range p.tiles {
		if t.rows <= n {
			return t.rows
		}
	}
	return 0
}

// Sets names the sets that this processor can run, best first; generic is the
// last.
func Sets() []string {
	names := []string{"generic"}
	for _, e := range engines() {
		if e.detected() {
			names = slices.Insert(names, 0, e.name)
		}
	}
	return names
}

// Peak multiplies and accumulates as fast as the set's instructions can, on
// registers alone, n times some thousand operations. It returns how many that
// were; 0 where the set has no such loop. What layers reach is compared with it.
func (s *Set) Peak(n int) (macs int64) {
	if s.engine == nil || s.engine.peak == nil {
		return 0
	}
	return s.engine.peak(n)
}
