package op

import (
	"cmp"
	"slices"

	"kedge/runtime/tensor"
)

// embeddingLookup is EMBEDDING_LOOKUP: rows of a table, picked by positions. A
// position outside of the table, at which the reference fails in the middle of
// the inference, gives a row of zeros (8-bit: zero points).
type embeddingLookup struct {
	positions, table, out int
	rows, row             int // bytes of a row
	zero                  byte
}

// prepareEmbeddingLookup prepares EMBEDDING_LOOKUP. int8 rows are copied, or
// turned into float32 by their scale, which a zero point must not disturb.
func prepareEmbeddingLookup(p *Prep) (Evaluator, error) {
	if err := p.arity(2, 2, 1); err != nil {
		return nil, err
	}
	at, values, out := p.in(0), p.in(1), p.out(0)
	if err := cmp.Or(
		p.types(at, tensor.Int32), p.rank(at, 1), p.types(values, tensor.Int8, tensor.Float32),
	); err != nil {
		return nil, err
	}
	if len(values.Shape) < 2 {
		return nil, p.rank(values, 2)
	}
	if err := p.shape(out, slices.Concat(at.Shape, values.Shape[1:])); err != nil {
		return nil, err
	}
	e := embeddingLookup{positions: at.id, table: values.id, out: out.id, rows: values.Shape[0], zero: values.zeroByte()}
	_, e.row = around(values.Shape, 0)
	e.row *= values.size()
	if err := p.within(at, e.rows); err != nil {
		return nil, err
	}
	if values.Type == tensor.Int8 && out.Type == tensor.Float32 {
		if err := p.quantized(values); err != nil {
			return nil, err
		}
		return &embeddingReal{e, values.Quant.Scale()}, p.symmetric(values)
	}
	return &e, p.types(out, values.Type)
}

func (e *embeddingLookup) Eval(m *Memory) {
	table, out := m.Tensors[e.table], m.Tensors[e.out]
	for _, at := range get[int32](m, e.positions) {
		if uint32(at) < uint32(e.rows) {
			copy(out[:e.row], table[int(at)*e.row:])
		} else {
			fill(out[:e.row], e.zero)
		}
		out = out[e.row:]
	}
}

// embeddingReal is EMBEDDING_LOOKUP from int8 to float32.
type embeddingReal struct {
	embeddingLookup
	scale float32
}

func (e *embeddingReal) Eval(m *Memory) {
	table, out := get[int8](m, e.table), get[float32](m, e.out)
	for _, at := range get[int32](m, e.positions) {
		row := out[:e.row]
		out = out[e.row:]
		if uint32(at) >= uint32(e.rows) {
			clear(row)
			continue
		}
		for i, v := range table[int(at)*e.row : (int(at)+1)*e.row] {
			row[i] = float32(v) * e.scale
		}
	}
}
