package cli

import (
	"errors"
	"fmt"
	"io"
)

// Exit codes. Scripts test them, so a code never changes its meaning.
const (
	ExitOK          = 0
	ExitFailure     = 1  // anything without a code of its own
	ExitUsage       = 2  // unknown command or flag, missing argument
	ExitUnsupported = 10 // the model needs something that this runtime lacks
	ExitSignature   = 11 // a signed document was refused
	ExitRolledBack  = 12 // an update was rolled back
	ExitLocked      = 13 // another process holds the store
)

// explained carries a hint or an exit code beside an error without changing its
// text; one wrapping adds one of the two.
type explained struct {
	err  error
	hint string
	code int
}

func (e *explained) Error() string { return e.err.Error() }
func (e *explained) Unwrap() error { return e.err }

// WithHint attaches what the user can do about err: lower case, no full stop.
// The outermost hint of a chain is the one printed. A nil err stays nil.
func WithHint(err error, hint string) error {
	if err == nil {
		return nil
	}
	return &explained{err: err, hint: hint}
}

// WithCode attaches an exit code. The outermost code of a chain counts. A nil
// err stays nil.
func WithCode(err error, code int) error {
	if err == nil {
		return nil
	}
	return &explained{err: err, code: code}
}

// Usagef is an error of the user's command line, with [ExitUsage].
func Usagef(format string, args ...any) error {
	return WithCode(fmt.Errorf(format, args...), ExitUsage)
}

// Code is the exit code for err: 0 for nil, [ExitFailure] where none was attached.
func Code(err error) int {
	if err == nil {
		return ExitOK
	}
	for e := (*explained)(nil); errors.As(err, &e); err = e.err {
		if e.code != 0 {
			return e.code
		}
	}
	return ExitFailure
}

// Hint is the hint attached to err, or "".
func Hint(err error) string {
	for e := (*explained)(nil); err != nil && errors.As(err, &e); err = e.err {
		if e.hint != "" {
			return e.hint
		}
	}
	return ""
}

// Print writes err as every program here does: one line, and one for the hint.
func Print(w io.Writer, program string, err error) {
	fmt.Fprintf(w, "%s: %v\n", program, err)
	if hint := Hint(err); hint != "" {
		fmt.Fprintf(w, "hint: %s\n", hint)
	}
}
