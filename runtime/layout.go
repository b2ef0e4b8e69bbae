package runtime

import (
	"fmt"

	"kedge/runtime/plan"
	"kedge/runtime/tflite"
)

// layout is where everything lies in a session's arena.
type layout struct {
	tensors []span // by tensor; constants and unused tensors have none
	scratch []span // by operator
	size    int
}

// span is a piece of the arena; offset is -1 for none.
type span struct{ offset, bytes int }

// layOut plans the arena. Step 0 is the caller filling the inputs, operator i
// is step i+1, and the last step is the caller reading the outputs. With
// separate set nothing shares memory.
func (m *Model) layOut(separate bool) (layout, error) {
	g := m.graph
	end := len(g.Operators) + 1
	root := m.aliases(separate)
	lives, err := m.lifetimes(root, end)
	if err != nil {
		return layout{}, err
	}
	for i := range m.steps {
		lives = append(lives, plan.Buffer{Size: m.steps[i].scratch, First: i + 1, Last: i + 1})
	}
	if separate {
		for i := range lives {
			if lives[i].Last >= 0 {
				lives[i].First, lives[i].Last = 0, end
			}
		}
	}
	offsets, size, err := plan.Place(lives)
	if err == nil && size > m.options.maxArena() {
		err = fmt.Errorf("%w: needs %d bytes, limit %d", ErrArena, size, m.options.maxArena())
	}
	if err != nil {
		return layout{}, err
	}
	l := layout{make([]span, len(g.Tensors)), make([]span, len(m.steps)), size}
	for i := range l.tensors {
		n, _ := g.Tensors[i].Shape.Bytes(g.Tensors[i].Type)
		l.tensors[i] = span{-1, n}
		if lives[root[i]].Last >= 0 && g.Tensors[i].Data == nil {
			l.tensors[i].offset = offsets[root[i]]
		}
	}
	for i := range l.scratch {
		l.scratch[i] = span{offsets[len(g.Tensors)+i], m.steps[i].scratch}
	}
	return l, nil
}

// aliases maps every tensor to the one whose memory it uses: itself, or for the
// output of an operator that moves nothing, its input. A model output is not
// laid over a model input, because the caller writes that one.
func (m *Model) aliases(separate bool) []int {
	g := m.graph
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
	for i := range m.steps {
		if !m.steps[i].alias {
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
func (m *Model) lifetimes(root []int, end int) ([]plan.Buffer, error) {
	g := m.graph
	lives := make([]plan.Buffer, len(g.Tensors), len(g.Tensors)+len(m.steps))
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
	return lives, m.sizes(lives)
}

// sizes fills in the bytes of every tensor in use.
func (m *Model) sizes(lives []plan.Buffer) error {
	for i := range lives {
		t := &m.graph.Tensors[i]
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
