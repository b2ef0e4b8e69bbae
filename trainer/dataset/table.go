package dataset

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"kedge/trainer/store"
)

// A Table is a set of labeled samples. Rows lie in X one after another.
type Table struct {
	Columns []store.Column // one per feature
	Classes []string       // names of the classes, in the order of the model's output
	X       []float32      // len(Y) rows of len(Columns) values, before any transform
	Y       []int          // per row, index into Classes
}

// Len is the number of rows.
func (t *Table) Len() int { return len(t.Y) }

// Row returns row i; it shares memory with t.
func (t *Table) Row(i int) []float32 {
	n := len(t.Columns)
	return t.X[i*n : (i+1)*n]
}

// Validate reports the first thing that is wrong with a table, as an error that
// wraps ErrFormat.
func (t *Table) Validate() error {
	switch {
	case len(t.Columns) == 0 || len(t.Y) == 0:
		return fmt.Errorf("%d columns and %d rows: %w", len(t.Columns), len(t.Y), ErrFormat)
	case len(t.X)/len(t.Columns) != len(t.Y) || len(t.X)%len(t.Columns) != 0:
		return fmt.Errorf("%d values for %d rows of %d: %w", len(t.X), len(t.Y), len(t.Columns), ErrFormat)
	case len(t.Classes) < 2 || len(t.Classes) > math.MaxUint16:
		return fmt.Errorf("%d classes, want 2 to %d: %w", len(t.Classes), math.MaxUint16, ErrFormat)
	}
	for i, y := range t.Y {
		if y < 0 || y >= len(t.Classes) {
			return fmt.Errorf("row %d: class %d of %d: %w", i, y, len(t.Classes), ErrFormat)
		}
	}
	for i, v := range t.X {
		if !finite(v) {
			return fmt.Errorf("row %d, %s: %v: %w", i/len(t.Columns), t.Columns[i%len(t.Columns)].Name, v, ErrFormat)
		}
	}
	return nil
}

func finite(v float32) bool { return !math.IsNaN(float64(v)) && !math.IsInf(float64(v), 0) }

// Append adds u's rows. Both need the same columns; classes are matched by name.
func (t *Table) Append(u *Table) error {
	if !slices.Equal(t.Columns, u.Columns) {
		return fmt.Errorf("%d and %d columns, or others: %w", len(t.Columns), len(u.Columns), ErrColumns)
	}
	classes := slices.Concat(t.Classes, u.Classes)
	sortClasses(classes)
	classes = slices.Compact(classes)
	t.rename(classes)
	at := indexOf(classes)
	for _, y := range u.Y {
		t.Y = append(t.Y, at[u.Classes[y]])
	}
	t.X = append(t.X, u.X...)
	return nil
}

// rename gives the rows the numbers that their classes have in classes.
func (t *Table) rename(classes []string) {
	at := indexOf(classes)
	for i, y := range t.Y {
		t.Y[i] = at[t.Classes[y]]
	}
	t.Classes = classes
}

func indexOf(names []string) map[string]int {
	at := make(map[string]int, len(names))
	for i, name := range names {
		at[name] = i
	}
	return at
}

// sortClasses orders names: numbers by value, before words.
func sortClasses(names []string) {
	slices.SortFunc(names, func(a, b string) int {
		x, errX := strconv.ParseFloat(a, 64)
		y, errY := strconv.ParseFloat(b, 64)
		switch {
		case errX == nil && errY == nil && x != y:
			if x < y {
				return -1
			}
			return 1
		case errX == nil && errY != nil:
			return -1
		case errX != nil && errY == nil:
			return 1
		case a < b:
			return -1
		case a > b:
			return 1
		}
		return 0
	})
}

// Select copies the rows named by index, in that order.
func (t *Table) Select(index []int) *Table {
	out := &Table{Columns: t.Columns, Classes: t.Classes}
	for _, i := range index {
		out.X = append(out.X, t.Row(i)...)
		out.Y = append(out.Y, t.Y[i])
	}
	return out
}

// BaseSet is the stored form of a valid table.
func (t *Table) BaseSet(name string, now time.Time) store.BaseSet {
	b := store.BaseSet{Name: name, Columns: t.Columns, Classes: t.Classes, Created: now}
	for _, v := range t.X {
		b.X = binary.LittleEndian.AppendUint32(b.X, math.Float32bits(v))
	}
	for _, y := range t.Y {
		b.Y = append(b.Y, uint16(y))
	}
	return b
}

// FromBaseSet reads the stored form.
func FromBaseSet(b store.BaseSet) (*Table, error) {
	t := &Table{Columns: b.Columns, Classes: b.Classes}
	for x := b.X; len(x) >= 4; x = x[4:] {
		t.X = append(t.X, math.Float32frombits(binary.LittleEndian.Uint32(x)))
	}
	for _, y := range b.Y {
		t.Y = append(t.Y, int(y))
	}
	if err := t.Validate(); err != nil {
		return nil, fmt.Errorf("base set %s: %w", b.Name, err)
	}
	return t, nil
}
