package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"
)

// Reader reads samples from a stream such as standard input, one line each.
type Reader struct {
	name   string
	r      io.ReadCloser
	parser rowParser
	lines  *lines
}

// NewReader reads from r, which it owns: Close, and the end of Next's context,
// close r, and that has to end a Read that waits (see Interruptible for files).
// name stands in errors. log gets what is odd about the stream as a whole; nil
// means none.
func NewReader(name string, r io.ReadCloser, f Format, log *slog.Logger) (*Reader, error) {
	parser, err := newParser(f, log)
	if err != nil {
		return nil, err
	}
	return &Reader{name: name, r: r, parser: parser, lines: newLines(r)}, nil
}

// Expect implements Source.
func (s *Reader) Expect(features []string) { s.parser.expect(features) }

// Next implements Source.
func (s *Reader) Next(ctx context.Context) (Sample, error) {
	if err := ctx.Err(); err != nil {
		return Sample{}, err
	}
	stop := context.AfterFunc(ctx, func() { s.r.Close() })
	defer stop()
	sample, err := s.lines.sample(s.parser, s.name)
	if row := (*RowError)(nil); err != nil && !errors.As(err, &row) {
		if ctx.Err() != nil {
			return Sample{}, ctx.Err()
		}
		if err == io.EOF {
			return Sample{}, io.EOF
		}
		return Sample{}, fmt.Errorf("source: %s: line %d: %w", s.name, s.lines.n+1, err)
	} else if err != nil {
		return Sample{}, err
	}
	if sample.Time.IsZero() {
		sample.Time = time.Now()
	}
	return sample, nil
}

// Ended reports, without reading or waiting, that nothing more can come: the stream
// is a file, or nobody is left to write into the pipe. What came may still be
// unread. It is false where the system cannot tell, as of a terminal.
func (s *Reader) Ended() bool {
	e, ok := s.r.(interface{ ended() bool })
	return ok && e.ended()
}

// Unread reads the rest of the stream and returns how many lines that were.
func (s *Reader) Unread(ctx context.Context) (uint64, error) {
	stop := context.AfterFunc(ctx, func() { s.r.Close() })
	defer stop()
	before := s.lines.n
	for {
		_, err := s.lines.next()
		switch {
		case err == io.EOF:
			return s.lines.n - before, nil
		case errors.Is(err, ErrTooLong):
		case ctx.Err() != nil:
			return s.lines.n - before, ctx.Err()
		case err != nil:
			return s.lines.n - before, fmt.Errorf("source: %s: line %d: %w", s.name, s.lines.n+1, err)
		}
	}
}

// Close implements Source.
func (s *Reader) Close() error { return s.r.Close() }
