// Package pass makes a float graph simpler without changing what it computes:
// constants folded, batch normalization, activations and padding merged into
// the layers beside them, transposes canceled, dead channels removed.
//
// Simplify is the first call; it runs everything until nothing changes. Lower
// then gives windows the paddings that .tflite files have, before calibration.
// RemoveChannels takes output channels out of a graph together with all that
// hangs on them, which pruning uses too. Verify measures how far two graphs
// agree.
//
// Graphs passed in are never changed, and the data of their constants is shared
// but never written. The same graph gives the same result. All functions may
// run concurrently, also on the same graph.
package pass

import (
	"errors"
	"fmt"

	"kedge/quant/graph"
)

// ErrInvalid: the request does not fit the graph.
var ErrInvalid = errors.New("pass: invalid")

// Size is what a graph holds and computes.
type Size struct {
	Nodes int
	graph.Cost
}

// Change says what one pass did to the whole graph.
type Change struct {
	Pass          string   // the pass, e.g. "batch-norm folding"
	Steps         []string // every rewriting, naming operators and tensors
	Before, After Size
}

// String is one line for a log.
func (c Change) String() string {
	s := fmt.Sprintf("%s: %d changes, nodes %d to %d", c.Pass, len(c.Steps), c.Before.Nodes, c.After.Nodes)
	if c.Before.Cost != c.After.Cost {
		s += fmt.Sprintf(", weights %d to %d, MACs %d to %d", c.Before.Weights, c.After.Weights, c.Before.MACs, c.After.MACs)
	}
	return s
}

// pass is one row of the table: run rewrites the editor's graph and notes every
// step. A pass that notes nothing has changed nothing.
type pass struct {
	name string
	run  func(*editor) error
}

// passes in the order in which they run. Transposes go first of the structural
// ones: they stand between layers and the operators that others fold into
// them. Dead channels come last, when biases and activations are final.
var passes = []pass{
	{"constant folding", foldConstants},
	{"identity removal", removeIdentities},
	{"transpose elimination", eliminateTransposes},
	{"batch-norm folding", foldAffine},
	{"activation fusion", fuseActivations},
	{"pad fusion", fusePads},
	{"dead channels", removeDeadChannels},
}

// Simplify returns a graph that computes the same as g, a float graph that
// passed Infer, and what was done. Inputs and outputs keep their order, names
// and shapes; other tensors are renumbered. Results differ from g's by the
// rounding of float32 and by channels whose weights are below a millionth of
// their layer's greatest (see DeadWeight).
func Simplify(g *graph.Graph) (*graph.Graph, []Change, error) {
	out := g.Clone()
	out.Compact()
	if err := out.Infer(); err != nil {
		return nil, nil, err
	}
	var changes []Change
	for {
		before := len(changes)
		for _, p := range passes {
			c, err := apply(p, out)
			if err != nil {
				return nil, nil, fmt.Errorf("%s: %w", p.name, err)
			}
			if c != nil {
				changes = append(changes, *c)
			}
		}
		if len(changes) == before {
			return out, changes, nil
		}
	}
}

// apply runs one pass on g in place; nil when there was nothing to do.
func apply(p pass, g *graph.Graph) (*Change, error) {
	before := size(g)
	e := newEditor(g)
	if err := p.run(e); err != nil {
		return nil, err
	}
	if len(e.steps) == 0 {
		return nil, nil
	}
	if err := e.finish(); err != nil {
		return nil, err
	}
	return &Change{Pass: p.name, Steps: e.steps, Before: before, After: size(g)}, nil
}

func size(g *graph.Graph) Size {
	total, _ := g.Cost()
	return Size{len(g.Nodes), total}
}
