package source

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// lines reads bounded lines. A line over MaxLine is passed over whole and
// reported once.
type lines struct {
	r    *bufio.Reader
	n    uint64
	long []byte // a line that is longer than the reader's buffer
}

func newLines(r io.Reader) *lines { return &lines{r: bufio.NewReaderSize(r, 64<<10)} }

// next returns the next line without its end, valid until the next call. A last
// line without an end counts too.
func (l *lines) next() ([]byte, error) {
	l.long = l.long[:0]
	tooLong := false
	for {
		part, err := l.r.ReadSlice('\n')
		// Two bytes over, for the line's end.
		if len(l.long)+len(part) > MaxLine+2 {
			tooLong, l.long = true, l.long[:0]
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			if !tooLong {
				l.long = append(l.long, part...)
			}
			continue
		case err == io.EOF && len(part) == 0 && len(l.long) == 0 && !tooLong:
			return nil, io.EOF
		case err != nil && err != io.EOF:
			return nil, err
		}
		l.n++
		if len(l.long) > 0 {
			l.long = append(l.long, part...)
			part = l.long
		}
		line := bytes.TrimSuffix(bytes.TrimSuffix(part, []byte{'\n'}), []byte{'\r'})
		if tooLong || len(line) > MaxLine {
			return nil, fmt.Errorf("over %d bytes: %w", MaxLine, ErrTooLong)
		}
		return line, nil
	}
}

// sample reads lines until one is a row.
func (l *lines) sample(p rowParser, name string) (Sample, error) {
	for {
		line, err := l.next()
		if errors.Is(err, ErrTooLong) {
			return Sample{}, &RowError{Name: name, Line: l.n, Err: err}
		} else if err != nil {
			return Sample{}, err
		}
		s, err := p.parse(line)
		if errors.Is(err, errSkip) {
			continue
		} else if err != nil {
			return Sample{}, &RowError{Name: name, Line: l.n, Err: err}
		}
		return s, nil
	}
}
