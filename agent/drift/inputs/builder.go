package inputs

import "fmt"

// Column declares a feature to a Builder.
type Column struct {
	Name string
	Type Type
}

// Builder collects rows and condenses them. It keeps them all: 8 bytes a value.
type Builder struct {
	columns []Column
	values  [][]float64
}

// NewBuilder declares the features.
func NewBuilder(columns []Column) *Builder {
	return &Builder{columns: columns, values: make([][]float64, len(columns))}
}

// Add takes a row in the order in which rows were taken. NaN and infinities are
// missing values.
func (b *Builder) Add(row []float64) error {
	if len(row) != len(b.columns) {
		return fmt.Errorf("inputs: %w: %d values, %d features", ErrRow, len(row), len(b.columns))
	}
	for i, x := range row {
		b.values[i] = append(b.values[i], x)
	}
	return nil
}

// Reference condenses the rows; fewer than [MinReference] are an error.
func (b *Builder) Reference() (*Reference, error) {
	r := &Reference{Features: make([]Feature, len(b.columns))}
	for i, c := range b.columns {
		r.N = int64(len(b.values[i]))
		r.Features[i] = condense(c, b.values[i])
	}
	if err := r.Validate(); err != nil {
		return nil, err
	}
	return r, nil
}

func condense(c Column, values []float64) Feature {
	f := Feature{Name: c.Name, Type: c.Type}
	sorted := make([]float64, 0, len(values))
	for _, x := range values {
		if finite(x) {
			sorted = append(sorted, x)
		}
	}
	f.setBins(sorted)
	column := make([]int16, len(values))
	r := run{}
	for i, x := range values {
		if !finite(x) {
			column[i] = missingBin
			f.Counts.Missing++
			continue
		}
		bin := f.bin(x)
		column[i] = int16(bin)
		f.Counts.Counts[bin]++
		switch r.add(x) {
		case 1:
		case 2:
			f.Runs++
			f.Repeats++
		default:
			f.Repeats++
		}
	}
	f.Run = int64(r.longest)
	f.Lags = lagsOf(column)
	f.Spread = spreads(&f, column)
	return f
}
