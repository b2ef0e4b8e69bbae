package runtime

import (
	"cmp"
	"slices"

	"kedge/runtime/op"
	"kedge/runtime/plan"
)

// MemoryReport says where everything lies in a session's arena, and when. Step 0
// is the caller filling the inputs, operator i is step i+1, and the step after
// the last operator is the caller reading the outputs.
type MemoryReport struct {
	Bytes  int     `json:"bytes"`  // of the arena; for a called subgraph, of its part
	InUse  []int   `json:"in_use"` // bytes by step, padding included
	Blocks []Block `json:"blocks"` // by first step, then by offset
}

// Block is one piece of the arena, in use from step First to step Last, both
// included. Offsets are multiples of 64.
type Block struct {
	Kind   string `json:"kind"`  // tensor, scratch, state or variable
	Index  int    `json:"index"` // of the tensor, of the operator or of the resource variable
	Name   string `json:"name"`  // the tensor's, the operator's or the variable's
	Offset int    `json:"offset"`
	Bytes  int    `json:"bytes"`
	First  int    `json:"first"`
	Last   int    `json:"last"`
	// Persistent content lasts from one inference to the next: that of variable
	// tensors, operators' state and resource variables.
	Persistent bool `json:"persistent"`
	// Over is the index of the tensor whose memory this one takes, -1 for none:
	// with Alias set they share it, having the same content; otherwise this one
	// is written over what nobody needs any more.
	Over  int  `json:"over"`
	Alias bool `json:"alias"`
}

// The kinds of Block.
const (
	KindTensor   = "tensor"
	KindScratch  = "scratch"
	KindState    = "state"
	KindVariable = "variable"
)

// Padded is the memory that n bytes take in the arena.
func Padded(n int) int { return (n + plan.Align - 1) / plan.Align * plan.Align }

// report describes the layout of p, which begins at base in the arena.
func (l *layout) report(p *program, variables []op.Variable, base int) *MemoryReport {
	r := &MemoryReport{Bytes: l.size, Blocks: []Block{}}
	add := func(s span, b Block) {
		if s.offset >= 0 && s.bytes > 0 {
			b.Offset, b.Bytes, b.First, b.Last = base+s.offset, s.bytes, s.first, s.last
			r.Blocks = append(r.Blocks, b)
		}
	}
	for i, s := range l.tensors {
		t := &p.graph.Tensors[i]
		add(s, Block{Kind: KindTensor, Index: i, Name: t.Name, Persistent: t.Variable, Over: l.source[i]})
	}
	for i, s := range l.scratch {
		add(s, Block{Kind: KindScratch, Index: i, Name: p.graph.Operators[i].Name(), Over: -1})
	}
	for i, s := range l.states {
		at := p.states[i].operator
		add(s, Block{Kind: KindState, Index: at, Name: p.graph.Operators[at].Name(), Persistent: true, Over: -1})
	}
	for i, s := range l.variables {
		add(s, Block{Kind: KindVariable, Index: i, Name: variables[i].Name, Persistent: true, Over: -1})
	}
	for i := range r.Blocks {
		if b := &r.Blocks[i]; b.Over >= 0 {
			b.Alias = p.steps[b.First-1].alias
		}
	}
	slices.SortStableFunc(r.Blocks, func(a, b Block) int {
		return cmp.Or(cmp.Compare(a.First, b.First), cmp.Compare(a.Offset, b.Offset))
	})
	r.InUse = l.inUse(p, r.Blocks)
	return r
}

// inUse adds up what is in use at every step; blocks are sorted by first step.
// What takes another's memory adds the bytes that it needs beyond that.
func (l *layout) inUse(p *program, blocks []Block) []int {
	steps := len(p.steps) + 2
	change := make([]int, steps+1)
	grow := func(from, to, bytes int) {
		if from <= to {
			change[from] += bytes
			change[to+1] -= bytes
		}
	}
	type held struct{ last, bytes int }
	root := make([]int, len(l.tensors))
	memory := make([]held, len(l.tensors)) // by root
	for _, b := range blocks {
		need := Padded(b.Bytes)
		if b.Over < 0 {
			grow(b.First, b.Last, need)
			if b.Kind == KindTensor {
				root[b.Index], memory[b.Index] = b.Index, held{b.Last, need}
			}
			continue
		}
		root[b.Index] = root[b.Over]
		m := &memory[root[b.Over]]
		grow(b.First, min(m.last, b.Last), max(0, need-m.bytes))
		grow(m.last+1, b.Last, need)
		*m = held{max(m.last, b.Last), need}
	}
	for i := 1; i < steps; i++ {
		change[i] += change[i-1]
	}
	return change[:steps]
}
