// Package source reads samples: from a file that is replayed, from standard
// input, from an MQTT topic.
//
// The first call is NewReplay, NewReader or NewTopic; each returns a Source.
// Then Expect tells it which features the model in service wants, and Next
// gives one sample after another.
//
// A row that is no sample of those features never ends a source: Next returns a
// *RowError that says which row and why, and the following call goes on behind
// it. No line or message of any content makes a source panic, hang, or hold
// more than MaxLine bytes of it.
//
// One goroutine calls Expect and Next; Close may be called from any, and ends a
// Next that waits.
package source

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"time"
)

// MaxLine is the longest line or message that is read, in bytes: 100,000
// features in decimal.
const MaxLine = 1 << 20

// maxRef bounds a sample's reference, which is carried into answers.
const maxRef = 256

// A Sample is one input of the model.
type Sample struct {
	// Time is when the sample was taken, 1970 to 2261: what the row says, else
	// when it was read.
	Time time.Time
	// X holds the features in the order of Expect, finite, before
	// standardization. It is valid until the next call of Next.
	X []float32
	// Ref is the source's own name for the sample; often empty.
	Ref string
	// Context is what the source says of the circumstances, the product say; often empty.
	Context string
}

// A Source gives samples one after another.
type Source interface {
	// Expect sets the names of the features that a sample must have. It comes
	// before the first Next and may come again when another model is in service.
	Expect(features []string)
	// Next waits for the next sample. It returns io.EOF at the end of the
	// input, a *RowError for a row that is no sample, ctx's error when ctx has
	// ended, and any other error when the source is beyond use.
	Next(ctx context.Context) (Sample, error)
	// Close releases the source and ends a Next that waits.
	Close() error
}

// A RowError says that one row or message is no sample; the next may be one.
type RowError struct {
	Name string // of the file, the stream or the topic
	Line uint64 // from 1; of a topic, the number of the message
	Err  error
}

// Error gives name:line: finding.
func (e *RowError) Error() string { return fmt.Sprintf("%s:%d: %v", e.Name, e.Line, e.Err) }

// Unwrap returns the finding.
func (e *RowError) Unwrap() error { return e.Err }

// Findings about a row.
var (
	// ErrForm: the row has not the form of its format.
	ErrForm = errors.New("malformed row")
	// ErrCount: the row has not as many features as the model.
	ErrCount = errors.New("wrong number of features")
	// ErrNumber: a feature is no finite number of single precision.
	ErrNumber = errors.New("not a number")
	// ErrTooLong: the row exceeds MaxLine.
	ErrTooLong = errors.New("row too long")
)

// Format is the form of rows.
type Format string

// The formats.
const (
	// CSV: comma-separated values (RFC 4180, without line breaks in a field).
	// If the first line has a field that is no number it is a header: columns
	// are then found by the features' names, and columns named ref and time
	// give the reference and the time, others are passed over; if a feature is
	// missing every row is a RowError. Without a header, or if it names no
	// feature at all, columns count by position, exactly as many as there are
	// features.
	CSV Format = "csv"
	// JSONL: a JSON value per line, either the array of the features or an
	// object with the array as "x" and, optional, "ref" and "time" (RFC 3339).
	JSONL Format = "jsonl"
)

// rowParser turns one line into a sample.
type rowParser interface {
	expect(features []string)
	// parse returns errSkip for a line that is no row, such as a header. The
	// sample's X may be overwritten by the next call.
	parse(line []byte) (Sample, error)
}

var errSkip = errors.New("not a row")

func newParser(f Format, log *slog.Logger) (rowParser, error) {
	switch f {
	case CSV:
		if log == nil {
			log = slog.New(slog.DiscardHandler)
		}
		return &csvParser{log: log}, nil
	case JSONL:
		return &jsonParser{}, nil
	}
	return nil, fmt.Errorf("source: format %.20q, want %s or %s", f, CSV, JSONL)
}

// parseTime reads a row's time; an empty text, as the zero time, stands for none. It
// refuses what a count of nanoseconds since 1970 cannot hold.
func parseTime(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("time %.40q, want RFC 3339: %w", text, ErrForm)
	}
	if !t.IsZero() && (t.Year() < 1970 || t.Year() > 2261) {
		return time.Time{}, fmt.Errorf("time in the year %d, want 1970 to 2261: %w", t.Year(), ErrForm)
	}
	return t, nil
}

// feature rounds a parsed number to what the model takes.
func feature(v float64, i int) (float32, error) {
	x := float32(v)
	if math.IsNaN(v) || math.IsInf(float64(x), 0) {
		return 0, fmt.Errorf("feature %d is %g: %w", i+1, v, ErrNumber)
	}
	return x, nil
}

// checkContext bounds what a source says of the circumstances.
func checkContext(context string) error {
	if len(context) > maxContext {
		return fmt.Errorf("context of %d bytes, at most %d: %w", len(context), maxContext, ErrForm)
	}
	return nil
}

// maxContext bounds Sample.Context, in bytes.
const maxContext = 64
