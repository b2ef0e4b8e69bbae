package replay

import (
	"bytes"
	"fmt"
	"io"
)

// maxLine bounds a line: what is longer is no table, and a device or a pipe without
// any line end would fill the memory.
const maxLine = 1 << 20

// lines reads from r until a line is longer than maxLine.
type lines struct {
	r      io.Reader
	line   int // ends of lines so far
	length int // of the line under way
}

func (l *lines) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	l.line += bytes.Count(p[:n], []byte{'\n'})
	if end := bytes.LastIndexByte(p[:n], '\n'); end >= 0 {
		l.length = n - 1 - end
	} else {
		l.length += n
	}
	if l.length > maxLine {
		return 0, fmt.Errorf("line %d: %w: longer than %d bytes", l.line+1, ErrTable, maxLine)
	}
	return n, err
}
