package runtime

import (
	"fmt"
	"math"
	"slices"

	"kedge/runtime/op"
	"kedge/runtime/tflite"
)

// DefaultMaxWork is the limit of Options.MaxWork where it names none. A detector
// on large images has 10 billion MACs, and no board that this is for runs such a
// one at a useful rate.
const DefaultMaxWork = 1 << 34

func (o Options) maxWork() int64 {
	if o.MaxWork == 0 {
		return DefaultMaxWork
	}
	return o.MaxWork
}

// Work is an upper bound for the steps of one inference, by which its time can be
// judged before it is run: multiply-accumulate operations, cells under pooling
// windows, and bytes of the operands of every operator.
func (m *Model) Work() int64 { return m.work }

// work is the share of one operator, from what its preparation found.
func work(p *op.Prep) int64 {
	total := add(p.MACs, p.Work)
	for _, list := range [][]int{p.Operator.Inputs, p.Operator.Outputs} {
		for _, i := range list {
			if i == tflite.NoTensor {
				continue
			}
			// An operand without a size is one that the operator does not read.
			if n, ok := p.Tensors[i].Shape.Bytes(p.Tensors[i].Type); ok {
				total = add(total, int64(n))
			}
		}
	}
	return total
}

// add is the sum of two numbers that are not negative, saturated: a file may name
// more work than 63 bits can count.
func add(a, b int64) int64 {
	if b < 0 || a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// count adds an operator's work to the model's.
func (m *Model) count(p *op.Prep) {
	n := work(p)
	m.work = add(m.work, n)
	if m.most == nil || n > m.most.work {
		m.most = &portion{n, p}
	}
}

// portion is what one operator has of the model's work.
type portion struct {
	work int64
	*op.Prep
}

// checkWork compares the model's work with what is allowed; the error names the
// operator that has most of it.
func (m *Model) checkWork() error {
	limit := m.options.maxWork()
	if m.work <= limit {
		return nil
	}
	p := m.most
	err := &op.Error{
		Subgraph: p.Subgraph, Index: p.Index, Operator: p.Operator.Name(),
		Found: fmt.Sprintf("%d steps, of %d in all", p.work, m.work),
		Want:  fmt.Sprintf("at most %d in all", limit), Err: ErrWork,
	}
	for _, i := range slices.Concat(p.Operator.Outputs, p.Operator.Inputs) {
		if i != tflite.NoTensor {
			err.Tensor = p.Tensors[i].Label(i)
			break
		}
	}
	return err
}
