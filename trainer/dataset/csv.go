package dataset

import (
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"kedge/trainer/store"
)

// Transforms of a column, applied before standardization.
const (
	TransformNone = "none"
	// TransformSignedLog1p is sign(x)·ln(1+|x|): it turns a sensor's change of gain
	// into a shift and takes readings of either sign.
	TransformSignedLog1p = "signed-log1p"
)

// CSVOptions say how a file's columns are meant. Label is required.
type CSVOptions struct {
	Label  string   // column with the class
	Ignore []string // columns that are no features
	// Transform is that of every feature, except those in Transforms; empty means TransformNone.
	Transform  string
	Transforms map[string]string
}

// maxRows and maxColumns bound what a table may take in memory: 2 GiB.
const (
	maxValues  = 512 << 20
	maxColumns = 1 << 16
)

// ReadCSV reads a table with a header line; gzip is recognized by its first
// bytes. Every cell of a feature has to be a finite number: a hole in the data is
// for its owner to fill. Errors name the line and wrap ErrFormat.
func ReadCSV(r io.Reader, o CSVOptions) (*Table, error) {
	buffered := bufio.NewReader(r)
	if magic, err := buffered.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		unpacked, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, fmt.Errorf("gzip: %w: %w", ErrFormat, err)
		}
		defer unpacked.Close()
		buffered = bufio.NewReader(unpacked)
	}
	lines := csv.NewReader(buffered)
	lines.ReuseRecord, lines.TrimLeadingSpace = true, true
	header, err := lines.Read()
	if err != nil {
		return nil, fmt.Errorf("header: %w: %w", ErrFormat, err)
	}
	b, err := newCSVReader(slices.Clone(header), o)
	if err != nil {
		return nil, err
	}
	for {
		record, err := lines.Read()
		if errors.Is(err, io.EOF) {
			return b.finish()
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrFormat, err)
		}
		line, _ := lines.FieldPos(0)
		if err := b.add(record, line); err != nil {
			return nil, err
		}
	}
}

// csvReader collects rows.
type csvReader struct {
	table   Table
	label   int   // column of the class
	feature []int // columns of the features
	header  []string
	class   map[string]int
}

func newCSVReader(header []string, o CSVOptions) (*csvReader, error) {
	// A byte order mark would become part of the first name.
	header[0] = strings.TrimPrefix(header[0], "\ufeff")
	if len(header) > maxColumns {
		return nil, fmt.Errorf("%d columns, at most %d: %w", len(header), maxColumns, ErrFormat)
	}
	b := &csvReader{label: slices.Index(header, o.Label), header: header, class: make(map[string]int)}
	if b.label < 0 {
		return nil, fmt.Errorf("no column %q for the class: %w", o.Label, ErrColumns)
	}
	for _, name := range o.Ignore {
		if !slices.Contains(header, name) {
			return nil, fmt.Errorf("no column %q to ignore: %w", name, ErrColumns)
		}
	}
	seen := make(map[string]bool)
	for i, name := range header {
		if i == b.label || slices.Contains(o.Ignore, name) {
			continue
		}
		if name == "" || seen[name] {
			return nil, fmt.Errorf("column %d: name %q is empty or there twice: %w", i+1, name, ErrColumns)
		}
		seen[name] = true
		transform, err := o.transform(name)
		if err != nil {
			return nil, err
		}
		b.feature = append(b.feature, i)
		b.table.Columns = append(b.table.Columns, store.Column{Name: name, Transform: transform})
	}
	for name := range o.Transforms {
		if !seen[name] {
			return nil, fmt.Errorf("no feature %q to transform: %w", name, ErrColumns)
		}
	}
	if len(b.feature) == 0 {
		return nil, fmt.Errorf("no features beside %q: %w", o.Label, ErrColumns)
	}
	return b, nil
}

func (o CSVOptions) transform(name string) (string, error) {
	transform, ok := o.Transforms[name]
	if !ok {
		transform = o.Transform
	}
	switch transform {
	case "":
		return TransformNone, nil
	case TransformNone, TransformSignedLog1p:
		return transform, nil
	}
	return "", fmt.Errorf("feature %q: transform %q, want %s or %s: %w", name, transform, TransformNone, TransformSignedLog1p, ErrColumns)
}

func (b *csvReader) add(record []string, line int) error {
	label := strings.TrimSpace(record[b.label])
	if label == "" || len(label) > 128 {
		return fmt.Errorf("line %d: class %.140q, want 1 to 128 bytes: %w", line, label, ErrFormat)
	}
	if len(b.table.X)+len(b.feature) > maxValues {
		return fmt.Errorf("line %d: more than %d values: %w", line, maxValues, ErrFormat)
	}
	y, ok := b.class[label]
	if !ok {
		y = len(b.table.Classes)
		b.class[label] = y
		b.table.Classes = append(b.table.Classes, label)
	}
	for _, i := range b.feature {
		v, err := strconv.ParseFloat(strings.TrimSpace(record[i]), 32)
		if err != nil || !finite(float32(v)) {
			return fmt.Errorf("line %d, column %s: %.40q is no finite number: %w", line, b.header[i], record[i], ErrFormat)
		}
		b.table.X = append(b.table.X, float32(v))
	}
	b.table.Y = append(b.table.Y, y)
	return nil
}

func (b *csvReader) finish() (*Table, error) {
	classes := slices.Clone(b.table.Classes)
	sortClasses(classes)
	b.table.rename(classes)
	if b.table.Len() == 0 {
		return nil, fmt.Errorf("no rows: %w", ErrFormat)
	}
	return &b.table, nil
}
