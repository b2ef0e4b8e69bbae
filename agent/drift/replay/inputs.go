package replay

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"kedge/agent/drift/inputs"
)

// InputsOptions say how the features of a table are watched.
type InputsOptions struct {
	// ARL is the wanted number of rows between false alarms. 0 means
	// inputs.DefaultARL.
	ARL float64
	// ReferenceRows is how many rows, from the first on, are the reference.
	ReferenceRows int
	// Context names a column whose every value has a reference of its own.
	Context string
	// Exclude names columns that are no features.
	Exclude []string
}

// labels are the names of columns that are left out without being asked to: what a
// model is to say is not what it sees.
var labels = []string{"class", "label", "target"}

// Inputs replays the features of a table: all columns that begin with a number or a
// missing value, but labels and what the options exclude.
func Inputs(r io.Reader, o InputsOptions) (inputs.Replayed, error) {
	t, err := Open(r)
	if err != nil {
		return inputs.Replayed{}, err
	}
	rows := inputRows{table: t, context: -1}
	var leave []int
	if o.Context != "" {
		if rows.context, err = t.Column(o.Context); err != nil {
			return inputs.Replayed{}, err
		}
		leave = append(leave, rows.context)
	}
	for _, name := range o.Exclude {
		column, err := t.Column(name)
		if err != nil {
			return inputs.Replayed{}, err
		}
		leave = append(leave, column)
	}
	if rows.columns, err = t.features(leave); err != nil {
		return inputs.Replayed{}, err
	}
	columns := make([]inputs.Column, len(rows.columns))
	for i, c := range rows.columns {
		columns[i] = inputs.Column{Name: t.Name(c), Type: inputs.Float}
	}
	return inputs.Replay(columns, rows.all(), inputs.ReplayOptions{
		Options: inputs.Options{ARL: o.ARL}, ReferenceRows: o.ReferenceRows,
	})
}

// features finds the columns of numbers but those to leave.
func (t *Table) features(leave []int) ([]int, error) {
	if len(t.ahead) == 0 {
		return nil, fmt.Errorf("%w: the file has a header and no row", ErrEmpty)
	}
	var columns []int
	for i, cell := range t.ahead[0].Cells {
		label := slices.Contains(labels, strings.ToLower(t.Name(i)))
		if (isNumber(cell) || missing(cell)) && !label && !slices.Contains(leave, i) {
			columns = append(columns, i)
		}
	}
	if len(columns) == 0 {
		return nil, fmt.Errorf("line %d: %w: no column of numbers is left to watch", t.ahead[0].Line, ErrTable)
	}
	return columns, nil
}

// inputRows are the rows of a table as the inputs' replay takes them.
type inputRows struct {
	table   *Table
	columns []int
	context int // -1 for none
}

func (r inputRows) all() iter.Seq2[inputs.Row, error] {
	return func(yield func(inputs.Row, error) bool) {
		values := make([]float64, len(r.columns))
		for {
			row, err := r.next(values)
			if errors.Is(err, io.EOF) || !yield(row, err) || err != nil {
				return
			}
		}
	}
}

func (r inputRows) next(values []float64) (inputs.Row, error) {
	row, err := r.table.Next()
	if err != nil {
		return inputs.Row{}, err
	}
	for i, c := range r.columns {
		if values[i], err = r.table.Value(row, c); err != nil {
			return inputs.Row{}, err
		}
	}
	next := inputs.Row{Values: values}
	if r.context >= 0 {
		next.Context, err = r.table.Cell(row, r.context)
	}
	return next, err
}
