package op

import (
	"errors"
	"strconv"
	"strings"
)

// What an [Error] wraps.
var (
	// ErrUnsupported: the model is sound but asks for what is not implemented.
	ErrUnsupported = errors.New("not supported")
	// ErrInvalid: the model contradicts the operator's definition.
	ErrInvalid = errors.New("invalid")
)

// Error is one operator that cannot be prepared.
type Error struct {
	Subgraph int    // index of the operator's subgraph
	Index    int    // of the operator
	Operator string // its name
	Tensor   string // the label of the tensor concerned, or ""
	Found    string // what the model has, or ""
	Want     string // what would do, or ""
	Err      error  // ErrUnsupported, ErrInvalid or an error of the budget
}

// Error is one line: operator 3 CONV_2D: tensor "x": found ..., want ... Only
// subgraphs other than the main one are named.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Subgraph != 0 {
		b.WriteString("subgraph " + strconv.Itoa(e.Subgraph) + " ")
	}
	b.WriteString("operator " + strconv.Itoa(e.Index) + " " + e.Operator)
	if e.Tensor != "" {
		b.WriteString(": tensor " + strconv.Quote(e.Tensor))
	}
	if e.Found != "" {
		b.WriteString(": found " + e.Found)
	}
	if e.Want != "" {
		b.WriteString(", want " + e.Want)
	}
	return b.String() + ": " + e.Err.Error()
}

// Unwrap gives Err.
func (e *Error) Unwrap() error { return e.Err }

// unsupported and invalid report a finding about t; a zero operand leaves the
// tensor out.
func (p *Prep) unsupported(t operand, found, want string) error {
	return p.fail(t, found, want, ErrUnsupported)
}

func (p *Prep) invalid(t operand, found, want string) error {
	return p.fail(t, found, want, ErrInvalid)
}

func (p *Prep) fail(t operand, found, want string, kind error) error {
	e := &Error{Subgraph: p.Subgraph, Index: p.Index, Operator: p.Operator.Name(), Found: found, Want: want, Err: kind}
	if t.Tensor != nil {
		e.Tensor = t.Label(t.id)
	}
	return e
}
