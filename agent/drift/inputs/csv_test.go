package inputs

import (
	"compress/gzip"
	"encoding/csv"
	"errors"
	"io"
	"iter"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// table is a CSV file in memory; what is no number is NaN.
type table struct {
	columns []Column
	rows    [][]float64
}

// readTable reads a gzipped CSV file without the columns named in leave.
func readTable(t testing.TB, path string, comma rune, leave ...string) table {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	plain, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	reader := csv.NewReader(plain)
	reader.Comma = comma
	header, err := reader.Read()
	if err != nil {
		t.Fatal(err)
	}
	var tab table
	var keep []int
	for i, name := range header {
		if !slices.Contains(leave, name) {
			keep = append(keep, i)
			tab.columns = append(tab.columns, Column{Name: name, Type: Float})
		}
	}
	for {
		record, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return tab
		}
		if err != nil {
			t.Fatal(err)
		}
		row := make([]float64, len(keep))
		for i, k := range keep {
			if row[i], err = strconv.ParseFloat(strings.TrimSpace(record[k]), 64); err != nil {
				row[i] = math.NaN()
			}
		}
		tab.rows = append(tab.rows, row)
	}
}

// all yields the rows; context names theirs, nil for none.
func (t table) all(context func(i int) string) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for i, values := range t.rows {
			row := Row{Values: values}
			if context != nil {
				row.Context = context(i)
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}
