package runtime

import (
	"fmt"

	"kedge/runtime/op"
	"kedge/runtime/plan"
	"kedge/runtime/tflite"
)

// layout is where everything lies in a session's arena.
type layout struct {
	tensors   []span // by tensor; constants and unused tensors have none
	scratch   []span // by operator
	variables []span // by resource variable; of the main subgraph only
	inits     []layout
	size      int
}

// span is a piece of the arena; offset is -1 for none.
type span struct{ offset, bytes int }

// layOut plans the arena. The tensors of a subgraph that CALL_ONCE runs lie in
// that operator's scratch. With separate set nothing shares memory.
func (m *Model) layOut(separate bool) (layout, error) {
	inits := make([]layout, len(m.inits))
	for i := range m.inits {
		var err error
		if inits[i], err = m.inits[i].place(separate, nil, nil); err != nil {
			return layout{}, fmt.Errorf("subgraph %d: %w", m.inits[i].index, err)
		}
	}
	l, err := m.place(separate, inits, m.variables.List)
	if err == nil && l.size > m.options.maxArena() {
		err = fmt.Errorf("%w: needs %d bytes, limit %d", ErrArena, l.size, m.options.maxArena())
	}
	return l, err
}

// place plans one subgraph. Step 0 is the caller filling the inputs, operator i
// is step i+1, and the last step is the caller reading the outputs. Variables
// are there at every step.
func (p *program) place(separate bool, inits []layout, variables []op.Variable) (layout, error) {
	g := p.graph
	end := len(g.Operators) + 1
	root := p.aliases(separate)
	lives, err := p.lifetimes(root, end)
	if err != nil {
		return layout{}, err
	}
	for i := range p.steps {
		lives = append(lives, plan.Buffer{Size: p.scratch(i, inits), First: i + 1, Last: i + 1})
	}
	for _, v := range variables {
		lives = append(lives, plan.Buffer{Size: v.Bytes, First: 0, Last: end})
	}
	if separate {
		for i := range lives {
			if lives[i].Last >= 0 {
				lives[i].First, lives[i].Last = 0, end
			}
		}
	}
	offsets, size, err := plan.Place(lives)
	if err != nil {
		return layout{}, err
	}
	l := layout{make([]span, len(g.Tensors)), make([]span, len(p.steps)), make([]span, len(variables)), inits, size}
	for i := range l.tensors {
		n, _ := g.Tensors[i].Shape.Bytes(g.Tensors[i].Type)
		l.tensors[i] = span{-1, n}
		if lives[root[i]].Last >= 0 && g.Tensors[i].Data == nil {
			l.tensors[i].offset = offsets[root[i]]
		}
	}
	offsets = offsets[len(g.Tensors):]
	for i := range l.scratch {
		l.scratch[i] = span{offsets[i], p.scratch(i, inits)}
	}
	for i := range l.variables {
		l.variables[i] = span{offsets[len(p.steps)+i], variables[i].Bytes}
	}
	return l, nil
}

// scratch is the working memory of step i.
func (p *program) scratch(i int, inits []layout) int {
	if init := p.steps[i].init; init >= 0 {
		return inits[init].size
	}
	return p.steps[i].scratch
}

// aliases maps every tensor to the one whose memory it uses: itself, or for the
// output of an operator that moves nothing, its input. A model output is not
// laid over a model input, because the caller writes that one.
func (p *program) aliases(separate bool) []int {
	g := p.graph
	root := make([]int, len(g.Tensors))
	for i := range root {
		root[i] = i
	}
	if separate {
		return root
	}
	callers := make([]bool, len(root))
	for _, t := range g.Inputs {
		callers[t] = true
	}
	results := make([]bool, len(root))
	for _, t := range g.Outputs {
		results[t] = true
	}
	for i := range p.steps {
		if !p.steps[i].alias {
			continue
		}
		in, out := g.Operators[i].Inputs[0], g.Operators[i].Outputs[0]
		source := &g.Tensors[root[in]]
		if source.Data == nil && !source.Variable && !(callers[root[in]] && results[out]) {
			root[out] = root[in]
		}
	}
	return root
}

// lifetimes is the buffer of every tensor that is its own root, with the steps
// from its first write to its last read, Last -1 where nothing uses it.
func (p *program) lifetimes(root []int, end int) ([]plan.Buffer, error) {
	g := p.graph
	lives := make([]plan.Buffer, len(g.Tensors), len(g.Tensors)+len(p.steps))
	for i := range lives {
		lives[i] = plan.Buffer{First: end, Last: -1}
	}
	use := func(t, at int) {
		if t != tflite.NoTensor && g.Tensors[t].Data == nil {
			b := &lives[root[t]]
			b.First, b.Last = min(b.First, at), max(b.Last, at)
		}
	}
	for _, t := range g.Inputs {
		use(t, 0)
	}
	for i := range g.Operators {
		for _, t := range g.Operators[i].Inputs {
			use(t, i+1)
		}
		for _, t := range g.Operators[i].Outputs {
			use(t, i+1)
		}
	}
	for _, t := range g.Outputs {
		use(t, end)
	}
	for i := range g.Tensors {
		if g.Tensors[i].Variable {
			use(i, 0)
			use(i, end)
		}
	}
	return lives, p.sizes(lives)
}

// sizes fills in the bytes of every tensor in use.
func (p *program) sizes(lives []plan.Buffer) error {
	for i := range lives {
		t := &p.graph.Tensors[i]
		if lives[i].Last < 0 {
			continue
		}
		n, ok := t.Shape.Bytes(t.Type)
		if !ok {
			return fmt.Errorf("tensor %q: %w: %v %v has no size", t.Name, ErrMalformed, t.Type, t.Shape)
		}
		lives[i].Size = n
	}
	return nil
}
