package tflite

import (
	"fmt"
	"math"
)

// Limits on counts, far above any real model, that keep the time of loading
// and planning small for hostile files. Those of tensors and operators are for
// all subgraphs together, whose lists may be the same bytes.
const (
	maxTensors   = 1 << 14
	maxOperators = 1 << 14
	maxRank      = 8
)

// decoder carries what every step of decoding needs.
type decoder struct {
	root    Table
	buffers tableVector
	budget  *Budget

	tensorCount, operatorCount int // so far
}

// Decode reads a model. Its constants alias file, which must not change while
// the model is in use. What it allocates is taken from budget.
func Decode(file []byte, budget *Budget) (*Model, error) {
	if len(file) < 8 || string(file[4:8]) != "TFL3" {
		return nil, ErrNotTFLite
	}
	if int64(len(file)) > math.MaxInt32 {
		return nil, fmt.Errorf("%w: longer than 2 GiB", ErrMalformed)
	}
	p, err := follow(file, 0)
	if err != nil {
		return nil, err
	}
	root, err := openTable(file, p)
	if err != nil {
		return nil, err
	}
	if v := root.Uint32(0, 0); v != 3 {
		return nil, fmt.Errorf("%w: found %d, want 3", ErrVersion, v)
	}
	d := &decoder{root: root, budget: budget}
	return d.model()
}

func (d *decoder) model() (*Model, error) {
	var err error
	if d.buffers, err = d.root.tables(4); err != nil {
		return nil, fmt.Errorf("buffers: %w", err)
	}
	m := &Model{}
	if m.Description, err = d.text(d.root, 3); err != nil {
		return nil, fmt.Errorf("description: %w", err)
	}
	codes, err := d.operatorCodes()
	if err != nil {
		return nil, err
	}
	subgraphs, err := d.root.tables(2)
	if err == nil && subgraphs.n == 0 {
		err = fmt.Errorf("%w: no subgraph", ErrMalformed)
	}
	if err != nil {
		return nil, fmt.Errorf("subgraphs: %w", err)
	}
	if m.Subgraphs, err = alloc[Subgraph](d.budget, subgraphs.n); err != nil {
		return nil, err
	}
	for i := range m.Subgraphs {
		if err := d.subgraph(&m.Subgraphs[i], subgraphs, i, codes); err != nil {
			return nil, fmt.Errorf("subgraph %d: %w", i, err)
		}
	}
	return m, nil
}

// operatorCode is one row of the model's table of operator kinds.
type operatorCode struct {
	code    Code
	custom  string
	version int
}

func (d *decoder) operatorCodes() ([]operatorCode, error) {
	v, err := d.root.tables(1)
	if err != nil {
		return nil, fmt.Errorf("operator codes: %w", err)
	}
	codes, err := alloc[operatorCode](d.budget, v.n)
	if err != nil {
		return nil, err
	}
	for i := range codes {
		t, err := v.element(i)
		if err != nil {
			return nil, fmt.Errorf("operator code %d: %w", i, err)
		}
		custom, err := d.text(t, 1)
		if err != nil {
			return nil, fmt.Errorf("operator code %d: %w", i, err)
		}
		// Writers older than operator 127 fill only the 8-bit field, newer ones
		// put 127 there; the larger of the two is the code.
		code := max(t.Int32(3, 0), int32(int8(t.Byte(0, 0))))
		codes[i] = operatorCode{Code(code), custom, int(t.Int32(2, 1))}
	}
	return codes, nil
}

func (d *decoder) subgraph(g *Subgraph, v tableVector, i int, codes []operatorCode) error {
	t, err := v.element(i)
	if err != nil {
		return err
	}
	if g.Name, err = d.text(t, 4); err != nil {
		return fmt.Errorf("name: %w", err)
	}
	tensors, err := t.tables(0)
	if err == nil {
		err = limit(&d.tensorCount, tensors.n, maxTensors)
	}
	if err != nil {
		return fmt.Errorf("tensors: %w", err)
	}
	if g.Tensors, err = alloc[Tensor](d.budget, tensors.n); err != nil {
		return err
	}
	for i := range g.Tensors {
		if err := d.tensor(&g.Tensors[i], tensors, i); err != nil {
			return fmt.Errorf("tensor %d: %w", i, err)
		}
	}
	if g.Inputs, err = d.indices(t, 1, tensors.n, false); err != nil {
		return fmt.Errorf("inputs: %w", err)
	}
	if g.Outputs, err = d.indices(t, 2, tensors.n, false); err != nil {
		return fmt.Errorf("outputs: %w", err)
	}
	return d.operators(g, t, codes)
}

// limit adds n to what there are so far.
func limit(sum *int, n, most int) error {
	if n > most-*sum {
		return fmt.Errorf("%w: %d, at most %d in all subgraphs", ErrMalformed, *sum+n, most)
	}
	*sum += n
	return nil
}

func (d *decoder) operators(g *Subgraph, t Table, codes []operatorCode) error {
	v, err := t.tables(3)
	if err == nil {
		err = limit(&d.operatorCount, v.n, maxOperators)
	}
	if err != nil {
		return fmt.Errorf("operators: %w", err)
	}
	if g.Operators, err = alloc[Operator](d.budget, v.n); err != nil {
		return err
	}
	for i := range g.Operators {
		if err := d.operator(&g.Operators[i], v, i, len(g.Tensors), codes); err != nil {
			return fmt.Errorf("operator %d: %w", i, err)
		}
	}
	return nil
}

func (d *decoder) operator(o *Operator, v tableVector, i, tensors int, codes []operatorCode) error {
	t, err := v.element(i)
	if err != nil {
		return err
	}
	code := int64(t.Uint32(0, 0))
	if code >= int64(len(codes)) {
		return fmt.Errorf("%w: operator code %d of %d", ErrMalformed, code, len(codes))
	}
	o.Code, o.Custom, o.Version = codes[code].code, codes[code].custom, codes[code].version
	if o.Inputs, err = d.indices(t, 1, tensors, true); err != nil {
		return fmt.Errorf("inputs: %w", err)
	}
	if o.Outputs, err = d.indices(t, 2, tensors, false); err != nil {
		return fmt.Errorf("outputs: %w", err)
	}
	if o.Options, err = t.Table(4); err != nil {
		return fmt.Errorf("options: %w", err)
	}
	if t.Uint64(9, 0) > 1 {
		return fmt.Errorf("custom options: %w: behind the flatbuffer", ErrMalformed)
	}
	if o.CustomOptions, err = t.vector(5, 1); err != nil {
		return fmt.Errorf("custom options: %w", err)
	}
	return nil
}
