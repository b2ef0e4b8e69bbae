package tflite

import (
	"encoding/binary"
	"fmt"
	"math"
	"unsafe"

	"kedge/runtime/tensor"
)

// Limits on counts, far above any real model, that keep the time of loading
// and planning small for hostile files.
const (
	maxTensors   = 1 << 15
	maxOperators = 1 << 15
	maxRank      = 8
)

// decoder carries what every step of decoding needs.
type decoder struct {
	root    Table
	buffers tableVector
	budget  *Budget
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
	if err == nil && tensors.n > maxTensors {
		err = fmt.Errorf("%w: %d, at most %d", ErrMalformed, tensors.n, maxTensors)
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

func (d *decoder) operators(g *Subgraph, t Table, codes []operatorCode) error {
	v, err := t.tables(3)
	if err == nil && v.n > maxOperators {
		err = fmt.Errorf("%w: %d, at most %d", ErrMalformed, v.n, maxOperators)
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
	return nil
}

func (d *decoder) tensor(x *Tensor, v tableVector, i int) error {
	t, err := v.element(i)
	if err != nil {
		return err
	}
	if x.Name, err = d.text(t, 3); err != nil {
		return fmt.Errorf("name: %w", err)
	}
	x.Type = tensor.Type(t.Byte(1, 0))
	x.Variable = t.Bool(5, false)
	if x.Shape, err = d.ints(t, 0); err != nil {
		return fmt.Errorf("shape: %w", err)
	}
	if len(x.Shape) > maxRank {
		return fmt.Errorf("shape: %w: %d dimensions, at most %d", ErrMalformed, len(x.Shape), maxRank)
	}
	sparsity, err := t.Table(6)
	if err != nil {
		return fmt.Errorf("sparsity: %w", err)
	}
	x.Sparse = sparsity.buf != nil
	if x.Quant, err = d.quant(t); err != nil {
		return fmt.Errorf("quantization: %w", err)
	}
	if x.Variable {
		return nil // whatever data it names, its content starts anew
	}
	if x.Data, err = d.constant(t); err != nil {
		return fmt.Errorf("buffer: %w", err)
	}
	return nil
}

// constant is the tensor's data in the file, nil when it has none. Data kept
// elsewhere is refused, because the tensor would silently count as computed.
func (d *decoder) constant(t Table) ([]byte, error) {
	if t.Uint32(10, 0) != 0 {
		return nil, fmt.Errorf("%w: data in an external file", ErrMalformed)
	}
	i := int64(t.Uint32(2, 0))
	if i == 0 {
		return nil, nil
	}
	if i >= int64(d.buffers.n) {
		return nil, fmt.Errorf("%w: buffer %d of %d", ErrMalformed, i, d.buffers.n)
	}
	b, err := d.buffers.element(int(i))
	if err != nil {
		return nil, err
	}
	if b.Uint64(1, 0) > 1 {
		return nil, fmt.Errorf("%w: data behind the flatbuffer", ErrMalformed)
	}
	data, err := b.vector(0, 1)
	if len(data) == 0 {
		return nil, err
	}
	return data, err
}

func (d *decoder) quant(t Table) (tensor.Quant, error) {
	q, err := t.Table(4)
	if err != nil {
		return tensor.Quant{}, err
	}
	scales, err := q.vector(2, 4)
	if err != nil {
		return tensor.Quant{}, fmt.Errorf("scales: %w", err)
	}
	zeros, err := q.vector(3, 8)
	if err != nil {
		return tensor.Quant{}, fmt.Errorf("zero points: %w", err)
	}
	out := tensor.Quant{Dim: int(q.Int32(6, 0))}
	if out.Scales, err = alloc[float32](d.budget, len(scales)/4); err != nil {
		return out, err
	}
	for i := range out.Scales {
		s := math.Float32frombits(binary.LittleEndian.Uint32(scales[4*i:]))
		if !(s >= 0) || math.IsInf(float64(s), 0) {
			return out, fmt.Errorf("%w: scale %v", ErrMalformed, s)
		}
		out.Scales[i] = s
	}
	if out.ZeroPoints, err = alloc[int32](d.budget, len(zeros)/8); err != nil {
		return out, err
	}
	for i := range out.ZeroPoints {
		z := int64(binary.LittleEndian.Uint64(zeros[8*i:]))
		if int64(int32(z)) != z {
			return out, fmt.Errorf("%w: zero point %d", ErrMalformed, z)
		}
		out.ZeroPoints[i] = int32(z)
	}
	if n := len(out.ZeroPoints); n > 0 && n != len(out.Scales) {
		return out, fmt.Errorf("%w: %d scales, %d zero points", ErrMalformed, len(out.Scales), n)
	}
	return out, nil
}

// ints reads a vector of 32-bit integers.
func (d *decoder) ints(t Table, id int) ([]int, error) {
	raw, err := t.vector(id, 4)
	if err != nil {
		return nil, err
	}
	out, err := alloc[int](d.budget, len(raw)/4)
	for i := range out {
		out[i] = int(int32(binary.LittleEndian.Uint32(raw[4*i:])))
	}
	return out, err
}

// indices reads a vector of tensor indices and checks them against n tensors.
func (d *decoder) indices(t Table, id, n int, optional bool) ([]int, error) {
	out, err := d.ints(t, id)
	for _, x := range out {
		if x == NoTensor && optional {
			continue
		}
		if x < 0 || x >= n {
			return nil, fmt.Errorf("%w: tensor %d of %d", ErrMalformed, x, n)
		}
	}
	return out, err
}

// text copies a string field.
func (d *decoder) text(t Table, id int) (string, error) {
	raw, err := t.vector(id, 1)
	if err != nil {
		return "", err
	}
	if err := d.budget.Spend(len(raw), 1); err != nil {
		return "", err
	}
	return string(raw), nil
}

// alloc makes a slice of n elements, paid from the budget; nil for none.
func alloc[T any](b *Budget, n int) ([]T, error) {
	if n == 0 {
		return nil, nil
	}
	var zero T
	if err := b.Spend(n, int(unsafe.Sizeof(zero))); err != nil {
		return nil, err
	}
	return make([]T, n), nil
}
