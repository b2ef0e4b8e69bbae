package op

import (
	"kedge/runtime/fixed"
	"kedge/runtime/kernel"
)

// deadChannels are the output channels of a layer whose weights all stand for 0,
// as pruning by channel leaves them: whatever the input, each is its bias,
// requantized. The layer's kernel runs without them, as a layer of fewer
// channels; then its output is spread to the places that it has in the whole, and
// the constants are filled in. Operations are counted as if nothing were left out.
type deadChannels struct {
	zero   int8 // a weight that stands for 0
	live   int
	source []int32 // by channel: which of the live ones it is, -1 for a dead one
	value  []int8  // by channel: of the dead ones
}

// dropDead takes the dead channels out of a layer's filters, which are one row of
// weights with that zero point for each output channel, and out of bias and
// output. It is nil, and nothing is changed, where the layer has none, too few for
// this to be faster, or where there is no memory left for copies of the others.
func (p *Prep) dropDead(zero int32, weights *[]int8, bias *[]int32, o *kernel.Output) *deadChannels {
	n := len(o.Multipliers)
	if n == 0 {
		return nil
	}
	k := len(*weights) / n
	d := &deadChannels{zero: int8(zero)}
	for c := range n {
		if d.alive((*weights)[c*k : (c+1)*k]) {
			d.live++
		}
	}
	d.live = max(d.live, 1) // a layer has channels
	if dead := n - d.live; dead == 0 || dead*k < p.Kernels.MoveCost()*n {
		return nil
	}
	const perChannel = 4 + 1 + 8 + 4 // source, value, multiplier, bias
	if p.Budget.Spend(n, perChannel) != nil || p.Budget.SpendSlab(d.live*k) != nil {
		return nil
	}
	d.split(weights, bias, o, n-d.live)
	return d
}

// alive reports whether a filter has a weight that does not stand for 0.
func (d *deadChannels) alive(filter []int8) bool {
	for _, w := range filter {
		if w != d.zero {
			return true
		}
	}
	return false
}

// split leaves dead channels of the layer out, and notes their values.
func (d *deadChannels) split(weights *[]int8, bias *[]int32, o *kernel.Output, dead int) {
	n := len(o.Multipliers)
	k := len(*weights) / n
	d.source, d.value = make([]int32, n), make([]int8, n)
	w, ms := make([]int8, 0, d.live*k), make([]fixed.Multiplier, 0, d.live)
	var b []int32
	if *bias != nil {
		b = make([]int32, 0, d.live)
	}
	for c := range n {
		filter := (*weights)[c*k : (c+1)*k]
		if dead > 0 && !d.alive(filter) {
			d.source[c], d.value[c] = -1, o.Idle(*bias, c)
			dead--
			continue
		}
		d.source[c] = int32(len(ms))
		w, ms = append(w, filter...), append(ms, o.Multipliers[c])
		if *bias != nil {
			b = append(b, (*bias)[c])
		}
	}
	*weights, *bias, o.Multipliers = w, b, ms
}

// spread brings an output from the live channels alone, at its beginning, to all
// channels. Going from the end, a value never lands on one that is still to move.
func (d *deadChannels) spread(out []int8) {
	n := len(d.source)
	for p := len(out)/n - 1; p >= 0; p-- {
		from, to := out[p*d.live:], out[p*n:(p+1)*n]
		for c := n - 1; c >= 0; c-- {
			if s := d.source[c]; s >= 0 {
				to[c] = from[s]
			} else {
				to[c] = d.value[c]
			}
		}
	}
}
