package graph

import (
	"fmt"
	"slices"
	"strings"
)

// UnsupportedError lists everything in a model that graphs have no form for, so
// that whoever changes the model learns it at once. It matches ErrUnsupported.
type UnsupportedError struct {
	Operators []UnsupportedOperator // in the order of their first nodes
}

// UnsupportedOperator is one reason to refuse a model.
type UnsupportedOperator struct {
	Name   string // the operator's, as its format spells it
	Reason string
	Nodes  []int // ascending
}

// Error has the form "graph: unsupported: WHILE ×1 (node 12): …; …".
func (e *UnsupportedError) Error() string {
	parts := make([]string, len(e.Operators))
	for i := range e.Operators {
		parts[i] = e.Operators[i].String()
	}
	return fmt.Sprintf("%v: %s", ErrUnsupported, strings.Join(parts, "; "))
}

// Unwrap makes the error match ErrUnsupported.
func (e *UnsupportedError) Unwrap() error { return ErrUnsupported }

// maxNodes is how many node numbers a message lists for one reason.
const maxNodes = 5

// String is the form "WHILE ×1 (node 12): reason".
func (u UnsupportedOperator) String() string {
	word := "node"
	if len(u.Nodes) > 1 {
		word = "nodes"
	}
	numbers := strings.Trim(strings.ReplaceAll(fmt.Sprint(u.Nodes[:min(len(u.Nodes), maxNodes)]), " ", ", "), "[]")
	if len(u.Nodes) > maxNodes {
		numbers += ", …"
	}
	return fmt.Sprintf("%s ×%d (%s %s): %s", u.Name, len(u.Nodes), word, numbers, u.Reason)
}

// Add notes that a node of that name is not supported; a reason given before is
// counted up.
func (e *UnsupportedError) Add(name string, node int, reason string) {
	i := slices.IndexFunc(e.Operators, func(u UnsupportedOperator) bool { return u.Name == name && u.Reason == reason })
	if i < 0 {
		i = len(e.Operators)
		e.Operators = append(e.Operators, UnsupportedOperator{Name: name, Reason: reason})
	}
	e.Operators[i].Nodes = append(e.Operators[i].Nodes, node)
}

// Err is e, or nil when nothing was added.
func (e *UnsupportedError) Err() error {
	if len(e.Operators) == 0 {
		return nil
	}
	return e
}
