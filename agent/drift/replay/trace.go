package replay

import (
	"bufio"
	"io"
	"math"
	"strconv"
	"strings"
)

// trace writes x and the statistics after every row, in the fewest digits that say
// each number exactly.
type trace struct {
	w    *bufio.Writer
	line []byte
}

func newTrace(w io.Writer, figures []string) *trace {
	t := &trace{w: bufio.NewWriterSize(w, 1<<16)}
	t.line = append(t.line, strings.Join(append([]string{"x"}, figures...), ",")+"\n"...)
	return t
}

// write adds a row; before the first one comes the header.
func (t *trace) write(x float64, figures []float64) error {
	t.number(x)
	for _, v := range figures {
		t.line = append(t.line, ',')
		t.number(v)
	}
	t.line = append(t.line, '\n')
	_, err := t.w.Write(t.line)
	t.line = t.line[:0]
	return err
}

// number leaves the cell empty where there is none.
func (t *trace) number(v float64) {
	if !math.IsNaN(v) {
		t.line = strconv.AppendFloat(t.line, v, 'g', -1, 64)
	}
}

func (t *trace) flush() error { return t.w.Flush() }
