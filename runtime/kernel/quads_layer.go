package kernel

import "slices"

// newQuadLayer is newDepthwise by quads, for windows that have every tap so many
// times.
func (e *engine) newQuadLayer(d *Depthwise, c *Conv, parts int, channels []channel, take Take) *layer {
	q := e.newQuads(c)
	if q == nil {
		return nil
	}
	size := parts*q.groups*q.KernelW*q.rows*quadRows + 24 // of a channel
	if !take((d.OutC*q.wide+quadLanes)*size + len(q.padding) + 48*len(q.spans)) {
		return nil
	}
	s := bands{inH: q.InH, inW: q.InW, inC: q.channels, outH: q.OutH, outW: q.OutW, rows: q.OutH, scratch: q.groups * q.region}
	if q.piece%quadLanes != 0 {
		s.scratch += margin
	}
	l := e.newLayer(c, s)
	l.quads = q
	for first := 0; first < d.OutC; first += q.piece {
		p := panel{first: first, used: min(q.piece, d.OutC-first) * q.wide}
		for lanes := 0; lanes < p.used; lanes += quadLanes {
			p.params = append(p.params, q.epilogue(e, channels[first:], lanes, min(p.used-lanes, quadLanes), &d.Output)...)
		}
		p.weights = q.weights(d, &p, parts)
		l.panels = append(l.panels, p)
		q.reach = append(q.reach, q.taps(p.used/q.wide, parts))
	}
	l.perGroup = len(l.panels)
	r := q.reach[0]
	q.three = len(r) == 3 && r[0] == 0 && r[2] == 2*r[1]
	return l
}

// epilogue is the params of n lanes, which repeat the channels.
func (q *quads) epilogue(e *engine, channels []channel, first, n int, o *Output) []byte {
	cs := slices.Repeat([]channel{unused}, quadLanes)
	for i := range n {
		cs[i] = channels[(first+i)%q.channels]
	}
	if e.linear != nil {
		if params := e.linear(cs, o); params != nil {
			return params
		}
	}
	return e.params(cs, o.Zero)
}

// taps lists where they are from a pixel, of panels of so many channels.
func (q *quads) taps(channels, parts int) []int32 {
	var reach []int32
	for range parts {
		for g := range q.groups {
			for kx := range q.KernelW {
				reach = append(reach, int32(g*q.region+kx*q.DilationW*channels*quadRows))
			}
		}
	}
	return reach
}

// weights packs those of p: [lanes/16][tap][row of results][16 lanes][row of the
// window].
func (q *quads) weights(d *Depthwise, p *panel, parts int) []byte {
	var packed []byte
	for lanes := 0; lanes < p.used; lanes += quadLanes {
		for tap := range parts * q.groups * q.KernelW {
			part, g, kx := tap/q.KernelW/q.groups, tap/q.KernelW%q.groups, tap%q.KernelW
			for row := range q.rows {
				for i := range quadBytes {
					lane, ky := lanes+i/quadRows, g*quadRows+i%quadRows-row*q.StrideH
					w := int8(0)
					if lane < p.used && ky >= 0 && ky < q.KernelH {
						w = d.Weights[((part*q.KernelH+ky)*q.KernelW+kx)*d.OutC+p.first+lane%d.OutC]
					}
					packed = append(packed, byte(w))
				}
			}
		}
	}
	return packed
}
