package source

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// maxLag is how far the pace may fall behind before it is set anew: a pause (no
// model yet, a slow board) must not be followed by a burst.
const maxLag = time.Second

// ReplayOptions configure a replay.
type ReplayOptions struct {
	// Path is the file; one that ends in .gz is decompressed.
	Path string
	// Format, if empty, follows the extension: .csv or .jsonl, before .gz.
	Format Format
	// Rate is the number of samples per second, 0 for no pace.
	Rate float64
	// Loop begins again at the end.
	Loop bool
	// Open opens the file; nil means os.Open.
	Open func(path string) (io.ReadCloser, error)
	// Log gets what is odd about the file as a whole; nil means none.
	Log *slog.Logger
}

// Replay reads a file of samples at a rate. The pace is absolute: sample n is
// due n/Rate after the first, so that small delays do not add up.
type Replay struct {
	o      ReplayOptions
	parser rowParser
	file   io.ReadCloser
	lines  *lines
	found  bool // a sample in this pass

	begin time.Time // of the pace
	n     uint64    // samples since begin
}

// FormatOf returns the format that a path's extension names, or "".
func FormatOf(path string) Format {
	switch filepath.Ext(strings.TrimSuffix(path, ".gz")) {
	case ".csv":
		return CSV
	case ".jsonl", ".ndjson":
		return JSONL
	}
	return ""
}

// NewReplay opens the file.
func NewReplay(o ReplayOptions) (*Replay, error) {
	if o.Open == nil {
		o.Open = func(path string) (io.ReadCloser, error) { return os.Open(path) }
	}
	if o.Format == "" {
		o.Format = FormatOf(o.Path)
	}
	if o.Format == "" {
		return nil, fmt.Errorf("source: %s: its extension names no format: want .csv or .jsonl", o.Path)
	}
	if o.Rate < 0 || math.IsNaN(o.Rate) || math.IsInf(o.Rate, 0) {
		return nil, fmt.Errorf("source: rate %v samples per second, want 0 or more", o.Rate)
	}
	parser, err := newParser(o.Format, o.Log)
	if err != nil {
		return nil, err
	}
	r := &Replay{o: o, parser: parser}
	if err := r.open(); err != nil {
		return nil, err
	}
	return r, nil
}

func (r *Replay) open() error {
	f, err := r.o.Open(r.o.Path)
	if err != nil {
		if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
			err = pe.Err
		}
		return fmt.Errorf("source: %s: %w", r.o.Path, err)
	}
	if file, ours := f.(*os.File); ours {
		// Else the first Read would say so, after everything else has begun.
		if info, err := file.Stat(); err == nil && info.IsDir() {
			return errors.Join(fmt.Errorf("source: %s: %w", r.o.Path, syscall.EISDIR), f.Close())
		}
	}
	var content io.Reader = f
	if strings.HasSuffix(r.o.Path, ".gz") {
		if content, err = gzip.NewReader(f); err != nil {
			return errors.Join(fmt.Errorf("source: %s: %w", r.o.Path, plainGzip(err)), f.Close())
		}
	}
	r.file, r.lines, r.found = f, newLines(content), false
	return nil
}

// plainGzip says what is wrong with a compressed file.
func plainGzip(err error) error {
	if errors.Is(err, gzip.ErrHeader) || err == io.EOF {
		return errors.New("not compressed with gzip, as its name says")
	}
	return err
}

// Expect implements Source.
func (r *Replay) Expect(features []string) { r.parser.expect(features) }

// Next implements Source.
func (r *Replay) Next(ctx context.Context) (Sample, error) {
	if err := ctx.Err(); err != nil {
		return Sample{}, err
	}
	s, err := r.read()
	if err != nil {
		return Sample{}, err
	}
	if err := r.pace(ctx); err != nil {
		return Sample{}, err
	}
	if s.Time.IsZero() {
		s.Time = time.Now()
	}
	return s, nil
}

// read returns the next row, of the next pass if it loops.
func (r *Replay) read() (Sample, error) {
	for {
		s, err := r.lines.sample(r.parser, r.o.Path)
		switch row := (*RowError)(nil); {
		case err == nil:
			r.found = true
			return s, nil
		case errors.As(err, &row):
			return Sample{}, err
		case err != io.EOF:
			return Sample{}, fmt.Errorf("source: %s: line %d: %w", r.o.Path, r.lines.n+1, err)
		case !r.o.Loop:
			return Sample{}, io.EOF
		case !r.found:
			return Sample{}, fmt.Errorf("source: %s: no sample to repeat in %d lines", r.o.Path, r.lines.n)
		}
		if err := r.again(); err != nil {
			return Sample{}, err
		}
	}
}

func (r *Replay) again() error {
	if err := r.file.Close(); err != nil {
		return fmt.Errorf("source: %s: %w", r.o.Path, err)
	}
	if p, ok := r.parser.(*csvParser); ok {
		p.restart()
	}
	return r.open()
}

// pace waits until the sample is due.
func (r *Replay) pace(ctx context.Context) error {
	if r.o.Rate == 0 {
		return nil
	}
	now := time.Now()
	due := r.begin.Add(time.Duration(float64(r.n) / r.o.Rate * float64(time.Second)))
	if r.begin.IsZero() || now.Sub(due) > maxLag {
		r.begin, r.n, due = now, 0, now
	}
	r.n++
	if wait := due.Sub(now); wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// Close implements Source.
func (r *Replay) Close() error { return r.file.Close() }
