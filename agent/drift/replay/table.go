package replay

import (
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Errors of tables.
var (
	// ErrTable: the bytes are no table of the form that is read here.
	ErrTable = errors.New("not a table of numbers")
	// ErrColumn: no column of that name or number.
	ErrColumn = errors.New("no such column")
	// ErrEmpty: a table without any row, or a column without any number.
	ErrEmpty = errors.New("no samples")
)

// Table reads a CSV file, also a gzipped one, row by row. Cells are separated by
// commas, or by semicolons or tabs where the first line has no comma. The first row
// is a header if none of its cells is a number, or if one is text above a number.
// Blank lines are no rows.
type Table struct {
	csv    *csv.Reader
	header []string // nil for none
	ahead  []Row    // read for the header's sake and not given out yet
}

// Row is one row of a table.
type Row struct {
	Cells []string // valid until the next row is read
	Line  int      // of the file, from 1
}

// bom is what some programs begin a text file with.
const bom = "\xef\xbb\xbf"

// Open reads the beginning of a table.
func Open(r io.Reader) (*Table, error) {
	text := bufio.NewReaderSize(r, 1<<16)
	if magic, _ := text.Peek(2); string(magic) == "\x1f\x8b" {
		unzipped, err := gzip.NewReader(text)
		if err != nil {
			return nil, damaged(err)
		}
		text = bufio.NewReaderSize(unzipped, 1<<16)
	}
	if start, _ := text.Peek(len(bom)); string(start) == bom {
		_, _ = text.Discard(len(bom)) // is there: it was peeked at
	}
	t := &Table{csv: csv.NewReader(&lines{r: text})}
	t.csv.FieldsPerRecord, t.csv.ReuseRecord, t.csv.TrimLeadingSpace = -1, true, true
	t.csv.Comma = separator(text)
	for range 2 {
		row, err := t.read()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		row.Cells = slices.Clone(row.Cells)
		t.ahead = append(t.ahead, row)
	}
	if len(t.ahead) == 0 {
		return nil, fmt.Errorf("%w: the file is empty", ErrEmpty)
	}
	if isHeader(t.ahead) {
		for _, name := range t.ahead[0].Cells {
			t.header = append(t.header, strings.TrimSpace(name))
		}
		t.ahead = t.ahead[1:]
	}
	return t, nil
}

// separator looks at the first line, as far as it is buffered.
func separator(text *bufio.Reader) rune {
	start, _ := text.Peek(1 << 12) // less at the end of the file
	line, _, _ := strings.Cut(string(start), "\n")
	for _, c := range ",;\t" {
		if strings.ContainsRune(line, c) {
			return c
		}
	}
	return ','
}

func isHeader(rows []Row) bool {
	text, number := false, false
	for i, cell := range rows[0].Cells {
		switch _, err := Number(cell); {
		case err == nil:
			number = number || !missing(cell)
		case len(rows) > 1 && i < len(rows[1].Cells) && isNumber(rows[1].Cells[i]):
			return true
		default:
			text = true
		}
	}
	return text && !number
}

func isNumber(cell string) bool {
	v, err := Number(cell)
	return err == nil && !math.IsNaN(v)
}

// Next returns the next row, or io.EOF.
func (t *Table) Next() (Row, error) {
	if len(t.ahead) > 0 {
		row := t.ahead[0]
		t.ahead = t.ahead[1:]
		return row, nil
	}
	return t.read()
}

func (t *Table) read() (Row, error) {
	cells, err := t.csv.Read()
	if err != nil {
		return Row{}, damaged(err)
	}
	line, _ := t.csv.FieldPos(0)
	return Row{Cells: cells, Line: line}, nil
}

// damaged tells what is wrong with the bytes from what went wrong in reading them.
func damaged(err error) error {
	if pe, ok := errors.AsType[*csv.ParseError](err); ok {
		return fmt.Errorf("line %d: %w: %w", pe.Line, ErrTable, pe.Err)
	}
	if errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: the compressed file is damaged: %w", ErrTable, err)
	}
	return err
}

// Column finds a column by its name or its number, from 1. An empty name means
// column "x", else the first column that begins with a number.
func (t *Table) Column(name string) (int, error) {
	if name == "" {
		return t.standard()
	}
	if i := slices.Index(t.header, name); i >= 0 {
		return i, nil
	}
	n, err := strconv.Atoi(name)
	switch width := t.width(); {
	case err == nil && n >= 1 && n <= width:
		return n - 1, nil
	case err == nil:
		return 0, fmt.Errorf("%w: %d, want 1 to %d", ErrColumn, n, width)
	case t.header == nil:
		return 0, fmt.Errorf("%w: %q: the file has no header, want 1 to %d", ErrColumn, name, width)
	default:
		return 0, fmt.Errorf("%w: %q, want one of %s", ErrColumn, name, short(strings.Join(t.header, ", "), 200))
	}
}

func (t *Table) standard() (int, error) {
	if i := slices.Index(t.header, "x"); i >= 0 {
		return i, nil
	}
	if len(t.ahead) == 0 {
		return 0, fmt.Errorf("%w: the file has a header and no row", ErrEmpty)
	}
	if i := slices.IndexFunc(t.ahead[0].Cells, isNumber); i >= 0 {
		return i, nil
	}
	for i, cell := range t.ahead[0].Cells {
		if missing(cell) {
			return i, nil
		}
	}
	return 0, fmt.Errorf("line %d: %w: no cell is a number", t.ahead[0].Line, ErrTable)
}

// width is the number of columns, as far as it is known.
func (t *Table) width() int {
	n := len(t.header)
	for _, row := range t.ahead {
		n = max(n, len(row.Cells))
	}
	return n
}

// Name is what people call a column: its name, or "column 3".
func (t *Table) Name(column int) string {
	if column < len(t.header) && t.header[column] != "" {
		return t.header[column]
	}
	return fmt.Sprintf("column %d", column+1)
}

// Cell returns a row's cell in a column.
func (t *Table) Cell(row Row, column int) (string, error) {
	if column >= len(row.Cells) {
		return "", fmt.Errorf("line %d: %w: %d cells, want at least %d", row.Line, ErrTable, len(row.Cells), column+1)
	}
	return strings.TrimSpace(row.Cells[column]), nil
}

// Value returns the number in a row's cell, NaN where there is none.
func (t *Table) Value(row Row, column int) (float64, error) {
	cell, err := t.Cell(row, column)
	if err != nil {
		return 0, err
	}
	v, err := Number(cell)
	if err != nil {
		return 0, fmt.Errorf("line %d: %s: %w", row.Line, t.Name(column), err)
	}
	return v, nil
}

// Number reads a cell. NaN stands for a missing value: an empty cell, NaN, NA, N/A,
// null, none, or an infinity.
func Number(cell string) (float64, error) {
	cell = strings.TrimSpace(cell)
	if missing(cell) {
		return math.NaN(), nil
	}
	v, err := strconv.ParseFloat(cell, 64)
	switch {
	case err != nil && !errors.Is(err, strconv.ErrRange):
		return 0, fmt.Errorf("%w: %q is no number", ErrTable, short(cell, 40))
	case math.IsInf(v, 0):
		return math.NaN(), nil
	}
	return v, nil
}

func missing(cell string) bool {
	switch strings.ToLower(strings.TrimSpace(cell)) {
	case "", "nan", "na", "n/a", "null", "none":
		return true
	}
	return false
}

// short is s with at most n bytes, for messages.
func short(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}
