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
	source    []int  // by tensor: the one whose memory it takes over or shares, -1 for none
	scratch   []span // by operator
	states    []span // by op.Prep.StateSlot
	variables []span // by resource variable; of the main subgraph only
	inits     []layout
	size      int
}

// span is a piece of the arena; offset is -1 for none. It is in use from step
// first to step last, both included. Step 0 is the caller filling the inputs,
// operator i is step i+1, and the step after the last operator is the caller
// reading the outputs.
type span struct{ offset, bytes, first, last int }

// Comparisons of two buffers that planning a subgraph may take, so that no file
// makes loading slow; all that are called together may take as many as the main
// one. They are enough for 4096 buffers of the main one, and 512 of a called one,
// to be placed well; real models have some hundreds.
const (
	mainPairs   = 1 << 24
	calledPairs = mainPairs / maxCalls
)

// layOut plans the arena. The tensors of a subgraph that CALL_ONCE runs lie in
// that operator's scratch; o is for those of the main one. With
// ErrArena the plan that needs too much is returned too.
func (m *Model) layOut(o SessionOptions) (layout, error) {
	inits := make([]layout, len(m.inits))
	for i := range m.inits {
		var err error
		if inits[i], err = m.inits[i].place(SessionOptions{Separate: o.Separate}, nil, nil, calledPairs); err != nil {
			return layout{}, fmt.Errorf("subgraph %d: %w", m.inits[i].index, err)
		}
	}
	l, err := m.place(o, inits, m.variables.List, mainPairs)
	if err == nil && l.size > m.options.maxArena() {
		err = fmt.Errorf("%w: needs %d bytes, limit %d", ErrArena, l.size, m.options.maxArena())
	}
	return l, err
}

// place plans one subgraph. Variables are there at every step.
func (p *program) place(o SessionOptions, inits []layout, variables []op.Variable, pairs int) (layout, error) {
	end := len(p.graph.Operators) + 1
	lives, err := p.lifetimes(end, o.Separate)
	if err != nil {
		return layout{}, err
	}
	for _, t := range o.Keep {
		if lives[t].Last >= 0 {
			lives[t].Last = end
		}
	}
	for i := range p.steps {
		lives = append(lives, plan.Buffer{Size: p.scratch(i, inits), First: i + 1, Last: i + 1})
	}
	for _, s := range p.states {
		lives = append(lives, plan.Buffer{Size: s.bytes, First: 0, Last: end})
	}
	for _, v := range variables {
		lives = append(lives, plan.Buffer{Size: v.Bytes, First: 0, Last: end})
	}
	l := layout{inits: inits}
	var offsets []int
	if o.Separate {
		l.source = p.apart(lives, end)
		offsets, l.size, err = plan.Place(lives, pairs)
	} else {
		offsets, err = p.pack(lives, &l, pairs)
	}
	if err != nil {
		return layout{}, err
	}
	spans := make([]span, len(lives))
	for i, b := range lives {
		spans[i] = span{offsets[i], b.Size, b.First, b.Last}
	}
	l.cut(p, spans)
	return l, nil
}

// cut divides the spans among tensors, operators, their memory and variables.
func (l *layout) cut(p *program, spans []span) {
	n := len(p.graph.Tensors)
	l.tensors, spans = spans[:n:n], spans[n:]
	l.scratch, spans = spans[:len(p.steps)], spans[len(p.steps):]
	l.states, l.variables = spans[:len(p.states)], spans[len(p.states):]
	for i := range l.tensors {
		if s := &l.tensors[i]; s.last < 0 || p.graph.Tensors[i].Data != nil {
			s.offset = -1
		}
	}
}

// pack shares memory, and fills in l's size and sources. Writing in place forces
// tensors to the same offset, which can make the whole larger; then only
// operators that move nothing share.
func (p *program) pack(lives []plan.Buffer, l *layout, pairs int) (offsets []int, err error) {
	n := len(p.graph.Tensors)
	loose := p.share(lives[:n], false)
	offsets, l.size, err = plan.Place(lives, pairs)
	l.source = loose
	tight := p.share(lives[:n], true)
	if other, size, otherErr := plan.Place(lives, pairs); otherErr == nil && (err != nil || size <= l.size) {
		offsets, l.source, l.size, err = other, tight, size, nil
	}
	return offsets, err
}

// apart gives everything in use memory of its own for all time.
func (p *program) apart(lives []plan.Buffer, end int) (source []int) {
	for i := range lives {
		if lives[i].Last >= 0 {
			lives[i].First, lives[i].Last = 0, end
		}
	}
	source = make([]int, len(p.graph.Tensors))
	for t := range source {
		source[t] = -1
	}
	return source
}

// scratch is the working memory of step i.
func (p *program) scratch(i int, inits []layout) int {
	if init := p.steps[i].init; init >= 0 {
		return inits[init].size
	}
	return p.steps[i].scratch
}

// lifetimes is the buffer of every tensor, with the steps from its first write
// to its last read, Last -1 where nothing uses it. With separate set every
// operator writes its output.
func (p *program) lifetimes(end int, separate bool) ([]plan.Buffer, error) {
	g := p.graph
	lives := make([]plan.Buffer, len(g.Tensors), len(g.Tensors)+len(p.steps))
	for i := range lives {
		lives[i] = plan.Buffer{First: end, Last: -1}
	}
	use := func(t, at int) {
		if t != tflite.NoTensor && g.Tensors[t].Data == nil {
			b := &lives[t]
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
	if !separate {
		p.unpad(lives, end)
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
			return fmt.Errorf("tensor %q: %w: %v %v has no size", t.Label(i), ErrMalformed, t.Type, t.Shape)
		}
		lives[i].Size = n
	}
	return nil
}
