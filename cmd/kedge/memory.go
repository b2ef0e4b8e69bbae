package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"kedge/runtime"
)

// arena is what a drawing shows: the memory of one subgraph over its steps.
type arena struct {
	*runtime.MemoryReport
	operators []runtime.OpReport
	base      int // offset of the subgraph's part in the session's arena
	caller    int // operator that calls the subgraph, -1 for the main one
	subgraph  int
}

// arenas are the main subgraph's and those of the called ones.
func arenas(r *runtime.Report) []arena {
	all := []arena{{r.Memory, r.Operators, 0, -1, 0}}
	for _, c := range r.Called {
		base := 0
		for _, b := range r.Memory.Blocks {
			if b.Kind == runtime.KindScratch && b.Index == c.Operator {
				base = b.Offset
			}
		}
		all = append(all, arena{c.Memory, c.Operators, base, c.Operator, c.Subgraph})
	}
	return all
}

// steps is the range of steps to draw. The caller of the model fills inputs
// before the first operator and reads outputs behind the last; for a called
// subgraph there is neither.
func (a *arena) steps() (first, last int) {
	if a.caller >= 0 {
		return 1, len(a.operators)
	}
	return 0, len(a.operators) + 1
}

// stepName says what happens at a step.
func (a *arena) stepName(step int) string {
	switch step {
	case 0:
		return "inputs"
	case len(a.operators) + 1:
		return "outputs"
	}
	return a.operators[step-1].Name
}

// mark is a step in few characters: an operator's index, in or out.
func (a *arena) mark(step int) string {
	switch step {
	case 0:
		return "in"
	case len(a.operators) + 1:
		return "out"
	}
	return strconv.Itoa(step - 1)
}

// when is the range of steps in which a block is in use.
func (a *arena) when(b *runtime.Block) string {
	if b.First == b.Last {
		return a.mark(b.First)
	}
	return a.mark(b.First) + " to " + a.mark(b.Last)
}

// most is the most memory in use at one step.
func (a *arena) most() int { return slices.Max(a.InUse) }

// peaks names the steps with the most in use, at most two of them.
func (a *arena) peaks() string {
	var names []string
	most, more := a.most(), 0
	for step, n := range a.InUse {
		switch {
		case n != most:
		case len(names) == 2:
			more++
		case step == 0 || step > len(a.operators):
			names = append(names, a.stepName(step))
		default:
			names = append(names, fmt.Sprintf("operator %d %s", step-1, printable(a.stepName(step), 24)))
		}
	}
	text := strings.Join(names, ", ")
	if more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// title names the drawing.
func (a *arena) title(path string) string {
	if a.caller >= 0 {
		return fmt.Sprintf("subgraph %d, in the scratch of operator %d: %d bytes from %d on", a.subgraph, a.caller, a.Bytes, a.base)
	}
	return fmt.Sprintf("%s: arena %d bytes", printable(path, 60), a.Bytes)
}

// totals are the sums that a drawing states, in bytes without padding.
func (a *arena) totals() string {
	tensors, over, alias, scratch, kept := 0, 0, 0, 0, 0
	for i := range a.Blocks {
		b := &a.Blocks[i]
		switch {
		case b.Kind == runtime.KindScratch:
			scratch = max(scratch, b.Bytes)
		case b.Persistent:
			kept += b.Bytes
		default:
			tensors++
		}
		switch {
		case b.Alias:
			alias++
		case b.Over >= 0:
			over++
		}
	}
	return fmt.Sprintf("%d tensors (%d over another, %d with another's content), scratch up to %d bytes, variables %d",
		tensors, over, alias, scratch, kept)
}

// describe is a block in words, without its place and time.
func describe(b *runtime.Block) string {
	name := printable(b.Name, 30)
	switch {
	case b.Kind == runtime.KindScratch:
		return fmt.Sprintf("scratch of operator %d %s", b.Index, name)
	case b.Kind == runtime.KindState:
		return fmt.Sprintf("state of operator %d %s", b.Index, name)
	case b.Kind == runtime.KindVariable:
		return fmt.Sprintf("resource variable %d %s", b.Index, name)
	case b.Persistent:
		return fmt.Sprintf("variable tensor %d %s", b.Index, name)
	case b.Alias:
		return fmt.Sprintf("tensor %d %s, content of %d", b.Index, name, b.Over)
	case b.Over >= 0:
		return fmt.Sprintf("tensor %d %s, written over %d", b.Index, name, b.Over)
	}
	return fmt.Sprintf("tensor %d %s", b.Index, name)
}

// printable is s for a terminal, with at most n characters.
func printable(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	if runes := []rune(s); len(runes) > n {
		return string(runes[:n-1]) + "…"
	}
	return s
}
