// Package prune takes weights out of float networks: single ones, by a pattern,
// in blocks, or whole channels with all that hangs on them.
//
// Prune is the first call. It gives a new graph and, but for channels, the masks
// of the weights that are left; Masks.Apply, or Mask.Apply on the weights of a
// trainer, sets the others to 0 again after every step of training that follows. FromZeros
// finds the masks of a network that was pruned before. A Schedule says how much
// to prune when it is done bit by bit during training.
//
// Fold batch normalization first (pass.Simplify), so that the weights are those
// that count. Biases are never pruned. All layers are, the first and the last
// too, but for those that Options.Exclude names: a share of the weights means
// of all of them. Every layer keeps at least one weight.
//
// Weights that are 0 stay 0 when they are quantized, since int8 weights have
// zero point 0.
//
// Graphs passed in are never changed, and the data of their constants is shared
// but never written. Equal magnitudes are told apart by position, so the same
// graph gives the same result. Functions may run concurrently.
package prune

import (
	"errors"
	"fmt"
	"slices"

	"kedge/quant/graph"
)

var (
	// ErrOptions: what is asked for makes no sense, alone or for this graph.
	ErrOptions = errors.New("prune: bad options")
	// ErrNothing: the graph has no float weights, or no channels, to be pruned.
	ErrNothing = errors.New("prune: nothing to prune")
	// ErrMask: a mask does not fit the weights.
	ErrMask = errors.New("prune: mask does not fit")
)

// Method chooses the weights that go.
type Method string

// The methods.
const (
	// Magnitude drops the smallest weights of every layer, the same share of each.
	Magnitude Method = "magnitude"
	// Global drops the weights of all layers together that are smallest beside the
	// rest of their layer (see adapt): layers with weights to spare lose more. At
	// the same sparsity it costs less accuracy than Magnitude.
	Global Method = "global"
	// NM keeps the N greatest of every M neighbors along the input channels. A
	// rest of r < M keeps N·r/M, rounded up.
	NM Method = "nm"
	// Block drops blocks of BlockSize neighbors along the input channels, those
	// with the smallest mean magnitude, the same share of every layer.
	Block Method = "block"
	// Channel removes output channels with the smallest sum of magnitudes, the
	// same share of every layer: the network becomes smaller, not sparse.
	Channel Method = "channel"
)

// Methods lists all methods.
func Methods() []Method { return []Method{Magnitude, Global, NM, Block, Channel} }

// BlockSize is the length of the blocks that TFLite's FULLY_CONNECTED of int8
// computes on without unpacking them.
const BlockSize = 16

// Pattern is N:M sparsity: of M neighbors at most N are not 0.
type Pattern struct{ N, M int }

// maxPattern bounds M: longer groups are no pattern any more.
const maxPattern = 1 << 10

// ParsePattern reads "N:M" with 0 < N < M ≤ 1024. Errors match ErrOptions.
func ParsePattern(s string) (Pattern, error) {
	var p Pattern
	if _, err := fmt.Sscanf(s, "%d:%d", &p.N, &p.M); err != nil || p.String() != s {
		return Pattern{}, fmt.Errorf("%w: pattern %q, want N:M such as 2:4", ErrOptions, s)
	}
	return p, p.check()
}

// String returns the form that ParsePattern reads.
func (p Pattern) String() string { return fmt.Sprintf("%d:%d", p.N, p.M) }

func (p Pattern) check() error {
	if p.N < 1 || p.M <= p.N || p.M > maxPattern {
		return fmt.Errorf("%w: pattern %v, want 0 < N < M ≤ %d", ErrOptions, p, maxPattern)
	}
	return nil
}

// Options say what to prune.
type Options struct {
	Method Method
	// Sparsity is the share of the weights to drop, of all layers that are not
	// excluded, 0 ≤ Sparsity < 1; of the output channels with Channel. NM has its
	// pattern instead.
	Sparsity float64
	Pattern  Pattern // with NM
	// Exclude names layers that stay as they are, by their weights or by their
	// output tensor.
	Exclude []string
}

func (o Options) check() error {
	if !slices.Contains(Methods(), o.Method) {
		return fmt.Errorf("%w: method %q, want one of %v", ErrOptions, o.Method, Methods())
	}
	if o.Method == NM {
		return o.Pattern.check()
	}
	if !(o.Sparsity >= 0 && o.Sparsity < 1) {
		return fmt.Errorf("%w: sparsity %v, want 0 or more and less than 1", ErrOptions, o.Sparsity)
	}
	return nil
}

// Prune returns a pruned copy of g, a float graph that passed Infer, and the
// masks of the layers that it pruned; with Channel there are none. Tensors get
// names of their own (graph.NameTensors), by which masks find them.
//
// NM and Block leave DEPTHWISE_CONV_2D alone, which sums over no input channels.
//
// Errors match ErrOptions or ErrNothing.
func Prune(g *graph.Graph, o Options) (*graph.Graph, Masks, error) {
	if err := o.check(); err != nil {
		return nil, nil, err
	}
	out := g.Clone()
	out.NameTensors()
	layers, err := prunable(out, o.Exclude)
	if err != nil {
		return nil, nil, err
	}
	if o.Method == Channel {
		out, err = removeChannels(out, layers, o.Sparsity)
		return out, nil, err
	}
	if o.Method == NM || o.Method == Block {
		layers = slices.DeleteFunc(layers, func(l Layer) bool { return l.depthwise })
		if len(layers) == 0 {
			return nil, nil, fmt.Errorf("%w: all layers are excluded or DEPTHWISE_CONV_2D", ErrNothing)
		}
	}
	masks := choose(out, layers, o)
	return out, masks, masks.Apply(out)
}
