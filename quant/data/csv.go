package data

import (
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"kedge/runtime/tensor"
)

// maxRecord bounds a line of a CSV file, or several that one quoted field holds
// together, in bytes.
const maxRecord = 4 << 20

// csvFile reads a CSV file (RFC 4180).
func (b *builder) csvFile(f *os.File, _ int64) error { return b.csv(f) }

// csvGzip reads a compressed one.
func (b *builder) csvGzip(f *os.File, _ int64) error {
	z, err := gzip.NewReader(bufio.NewReader(f))
	if err != nil {
		return fmt.Errorf("%w: not compressed by gzip: %w", ErrFormat, err)
	}
	return b.csv(z)
}

// metered ends with an error before one record takes up unlimited memory: to the
// parser a quote that is never closed makes the rest of the file one field.
type metered struct {
	r    io.Reader
	left int
}

func (m *metered) Read(p []byte) (int, error) {
	if m.left <= 0 {
		return 0, fmt.Errorf("%w: a record of more than %d bytes: is a quote not closed?", ErrTooLarge, maxRecord)
	}
	n, err := m.r.Read(p[:min(len(p), m.left)])
	m.left -= n
	return n, err
}

// table is a CSV file while it is read.
type table struct {
	b       *builder
	csv     *csv.Reader
	meter   *metered
	fields  []string // of the current record
	header  []string // nil without one
	columns []int    // that make a sample
	label   int      // column; -1 without one
	line    int      // on which the current record begins
	labels  labels
}

// csv reads a sample from each record. As on devices, the first one is a header if
// one of its fields is no number.
func (b *builder) csv(r io.Reader) error {
	buffered := bufio.NewReader(r)
	if head, _ := buffered.Peek(3); string(head) == "\ufeff" { // spreadsheets put a mark at the front
		if _, err := buffered.Discard(len(head)); err != nil {
			return err
		}
	}
	m := &metered{r: buffered}
	t := &table{b: b, meter: m, csv: csv.NewReader(m), label: -1}
	t.csv.ReuseRecord, t.csv.TrimLeadingSpace = true, true
	err := t.next()
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: the file is empty", ErrSamples)
	}
	if err != nil {
		return err
	}
	if err := t.begin(); err != nil {
		return err
	}
	for ; err == nil; err = t.next() {
		if err := t.sample(); err != nil {
			return err
		}
	}
	if !errors.Is(err, io.EOF) {
		return err
	}
	return b.settle(&t.labels)
}

// next reads a record; io.EOF without another.
func (t *table) next() error {
	t.meter.left = maxRecord
	fields, err := t.csv.Read()
	t.fields = fields
	var parse *csv.ParseError
	switch {
	case err == nil:
		t.line, _ = t.csv.FieldPos(0)
		return nil
	case errors.Is(err, io.EOF):
		return err
	case errors.Is(err, csv.ErrFieldCount) && errors.As(err, &parse):
		return fmt.Errorf("line %d: %w: %s, the first line has %d", parse.Line, ErrFormat, countColumns(len(fields)), t.csv.FieldsPerRecord)
	case errors.As(err, &parse):
		return fmt.Errorf("line %d, column %d: %w: %w", parse.Line, parse.Column, ErrFormat, parse.Err)
	}
	return fmt.Errorf("behind line %d: %w", t.line, asFormat(err))
}

func countColumns(n int) string {
	if n == 1 {
		return "1 column"
	}
	return fmt.Sprintf("%d columns", n)
}

// begin looks at the first record and, if it is a header, goes on to the next.
func (t *table) begin() error {
	if slices.ContainsFunc(t.fields, notNumber) {
		t.header = make([]string, len(t.fields))
		for i, f := range t.fields {
			t.header[i] = strings.TrimSpace(f)
		}
	}
	if err := t.choose(); err != nil {
		return fmt.Errorf("line %d: %w", t.line, err)
	}
	if err := t.b.setShape(tensor.Shape{len(t.columns)}); err != nil {
		return err
	}
	if t.header == nil {
		return nil
	}
	if err := t.next(); !errors.Is(err, io.EOF) {
		return err
	}
	return fmt.Errorf("%w: a header and no line behind it", ErrSamples)
}

func notNumber(field string) bool {
	_, err := strconv.ParseFloat(strings.TrimSpace(field), 64)
	return err != nil
}

// choose finds the columns of labels and of values.
func (t *table) choose() error {
	if err := t.chooseLabel(); err != nil {
		return err
	}
	if found, err := t.chooseFeatures(); found || err != nil {
		return err
	}
	for i := range t.fields {
		if i != t.label {
			t.columns = append(t.columns, i)
		}
	}
	if len(t.columns) == 0 {
		return fmt.Errorf("%w: no column of values beside the label's", ErrFormat)
	}
	return nil
}

func (t *table) chooseLabel() error {
	name := t.b.o.LabelColumn
	if name == "" {
		return nil
	}
	if t.header == nil {
		n, err := strconv.Atoi(name)
		if err != nil || n < 1 || n > len(t.fields) {
			return fmt.Errorf("%w: label column %.40q: the file has no header, want a number from 1 to %d", ErrMissing, name, len(t.fields))
		}
		t.label = n - 1
		return nil
	}
	var err error
	t.label, err = t.column(name)
	if errors.Is(err, ErrMissing) {
		return fmt.Errorf("%w: no label column %.40q among %s", ErrMissing, name, listed(t.header))
	}
	return err
}

// column finds a name in the header.
func (t *table) column(name string) (int, error) {
	at := slices.Index(t.header, name)
	if at < 0 {
		return -1, fmt.Errorf("%w: no column %.40q among %s", ErrMissing, name, listed(t.header))
	}
	if slices.Contains(t.header[at+1:], name) {
		return -1, fmt.Errorf("%w: column %.40q stands in the header twice", ErrFormat, name)
	}
	return at, nil
}

// chooseFeatures finds the declared features by name. A header that names none of
// them has other names for them, and columns count by position.
func (t *table) chooseFeatures() (found bool, err error) {
	set := t.b.o.Features
	for _, f := range set {
		found = found || slices.Contains(t.header, f.Name)
	}
	if !found {
		return false, nil
	}
	t.columns = make([]int, len(set))
	for i, f := range set {
		if t.columns[i], err = t.column(f.Name); err != nil {
			return true, fmt.Errorf("feature %d: %w", i, err)
		}
	}
	return true, nil
}

// maxListed bounds how many names an error lists.
const maxListed = 10

func listed(names []string) string {
	var s strings.Builder
	for i, name := range names[:min(len(names), maxListed)] {
		if i > 0 {
			s.WriteString(", ")
		}
		fmt.Fprintf(&s, "%.40q", name)
	}
	if more := len(names) - maxListed; more > 0 {
		fmt.Fprintf(&s, " and %d more", more)
	}
	return s.String()
}

// sample adds the current record.
func (t *table) sample() error {
	for i, column := range t.columns {
		// In float64 first and then rounded, as on devices.
		v, err := strconv.ParseFloat(strings.TrimSpace(t.fields[column]), 64)
		if err != nil || math.IsNaN(v) || !finite(float32(v)) {
			return t.refuse(column)
		}
		t.b.row[i] = float32(v)
	}
	if err := t.b.add(); err != nil {
		return fmt.Errorf("line %d: %w", t.line, err)
	}
	if t.label < 0 || t.b.o.Unlabeled {
		return nil
	}
	text := strings.TrimSpace(t.fields[t.label])
	if text == "" {
		_, column := t.csv.FieldPos(t.label)
		return fmt.Errorf("line %d, column %d: %w: the label is empty", t.line, column, ErrFormat)
	}
	if err := t.labels.add(text, t.line); err != nil {
		return fmt.Errorf("line %d: %w", t.line, err)
	}
	return nil
}

// refuse says what is wrong with a field of values.
func (t *table) refuse(column int) error {
	line, at := t.csv.FieldPos(column)
	name := strconv.Itoa(column + 1)
	if t.header != nil {
		name = fmt.Sprintf("%.40q", t.header[column])
	}
	text, finding := t.fields[column], "is no number in the range of float32"
	switch {
	case strings.TrimSpace(text) == "":
		return fmt.Errorf("line %d, column %d: %w: column %s is empty", line, at, ErrFormat, name)
	case len(t.fields) == 1 && strings.ContainsAny(text, ";\t"):
		finding += ": values have to be separated by commas"
	case t.b.o.LabelColumn == "" && notNumber(text):
		finding += ": if it is the class, name the column as the label's"
	}
	return fmt.Errorf("line %d, column %d: %w: column %s: %.40q %s", line, at, ErrFormat, name, text, finding)
}
