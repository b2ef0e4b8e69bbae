package replay

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"

	"kedge/agent/drift"
)

// Options say what runs over the signal. The zero value is the pair of detectors as
// a device runs it.
type Options struct {
	// Detector is a name of [drift.Kinds]. Empty means a [drift.Monitor] of Page-Hinkley
	// and e-SR. Page-Hinkley alone, and e-SR alone, run in a monitor too, unless Params
	// says all that the reference would.
	Detector string
	// Params are the detector's, by name.
	Params map[string]string
	// ARL is the wanted number of samples between false alarms. 0 means
	// drift.DefaultARL. Only what runs in a monitor takes it.
	ARL float64
	// Sides are those on which a monitor watches.
	Sides drift.Side
	// Reference is a table of the same form with the signal as it was when all was
	// well. Without one a monitor learns from the first samples.
	Reference io.Reader
	// ReferenceRows is how many rows of the signal itself, from the first on, are the
	// reference instead. They are not watched.
	ReferenceRows int64
	// Column names the signal, see [Table.Column].
	Column string
	// Context names a column such as the hour or the product. With a reference every
	// value has a place in it, and one monitor watches them all
	// ([drift.NewContextReference]); otherwise every value has a detector of its own.
	Context string
	// Complement watches 1 - x instead of x.
	Complement bool
	// Trace is written a CSV of x, as it is in the table, and of the statistics after
	// every row; those of ReferenceRows have none.
	Trace io.Writer
	// Chart, if any, collects what it needs to draw.
	Chart *Chart
}

// Result is what a replay found. Rows are numbered from 0, the header not counted.
type Result struct {
	Detections []int64 `json:"detections"` // rows of the alarms
	Detector   string  `json:"detector"`   // those that ran
	Column     string  `json:"column"`
	Rows       int64   `json:"rows"`
	Skipped    int64   `json:"skipped,omitempty"` // rows without a number

	// Of monitors only.
	ARL      float64   `json:"arl,omitempty"` // samples between false alarms that were asked for
	Alarms   []Alarm   `json:"alarms,omitempty"`
	Monitors []Watched `json:"monitors,omitempty"` // one, or one per context
}

// Alarm is an alarm of a monitor.
type Alarm struct {
	Row     int64    `json:"row"`
	Context string   `json:"context,omitempty"`
	Fired   []string `json:"fired"`
	// First marks the one that a device reports as drift; later ones it counts.
	First bool `json:"first,omitempty"`
}

// Watched is a monitor at the end.
type Watched struct {
	Context    string      `json:"context,omitempty"`          // the one it is for
	Contexts   int         `json:"contexts,omitempty"`         // those in its reference
	Unknown    int64       `json:"unknown_contexts,omitempty"` // rows in others
	State      drift.State `json:"state"`
	Learned    int         `json:"learned,omitempty"` // samples that made or filled up the reference
	ReferenceN int64       `json:"reference_n"`
	Mean       float64     `json:"reference_mean"`
	Weak       bool        `json:"weak"`
	Block      int         `json:"block"` // samples averaged because of correlation

	Detectors []drift.DetectorExplanation `json:"detectors"`
}

// maxContexts bounds the detectors: what has more values is no context.
const maxContexts = 1000

// Errors of options.
var (
	// ErrOptions: options that do not go together.
	ErrOptions = errors.New("these do not go together")
	// ErrContexts: the context has too many values.
	ErrContexts = errors.New("too many contexts")
)

// ReferenceError is a failure in Options.Reference rather than in the signal.
type ReferenceError struct{ Err error }

func (e *ReferenceError) Error() string { return "reference: " + e.Err.Error() }
func (e *ReferenceError) Unwrap() error { return e.Err }

// Run replays a table. After an error the trace is incomplete.
func Run(signal io.Reader, o Options) (Result, error) {
	f, err := newFactory(o)
	if err != nil {
		return Result{}, err
	}
	if o.Reference != nil {
		if err := f.readReference(o); err != nil {
			return Result{}, &ReferenceError{err}
		}
	}
	s, err := open(signal, o)
	if err != nil {
		return Result{}, err
	}
	r := &run{options: o, factory: f, signal: s, units: make(map[string]unit)}
	r.result = Result{Detections: []int64{}, Detector: f.name, Column: s.table.Name(s.column), ARL: f.arl}
	if o.Trace != nil {
		r.trace = newTrace(o.Trace, f.figures)
	}
	if o.Chart != nil {
		o.Chart.begin(r.result.Column, f.lines)
	}
	if err := r.reference(); err != nil {
		return Result{}, err
	}
	for {
		if err := r.step(); errors.Is(err, io.EOF) {
			return r.end()
		} else if err != nil {
			return Result{}, err
		}
	}
}

// run is a replay under way.
type run struct {
	options Options
	factory *factory
	signal  *signal
	units   map[string]unit // by context
	trace   *trace
	result  Result
	scratch []float64
}

// reference takes the rows that are the reference.
func (r *run) reference() error {
	if r.options.ReferenceRows <= 0 {
		return nil
	}
	none := slices.Repeat([]float64{math.NaN()}, max(len(r.factory.figures), len(r.factory.lines)))
	err := r.factory.condense(r.signal, r.options, r.options.ReferenceRows, func(s sample) error {
		if math.IsNaN(s.fed) {
			r.result.Skipped++
		}
		r.result.Rows++
		if r.options.Chart != nil {
			r.options.Chart.add(s.fed, none, outcome{})
		}
		if r.trace == nil {
			return nil
		}
		return r.trace.write(s.x, none[:len(r.factory.figures)])
	})
	if err == nil && r.result.Rows < r.options.ReferenceRows {
		err = fmt.Errorf("%w: %d rows, the reference alone is to have %d", ErrEmpty, r.result.Rows, r.options.ReferenceRows)
	}
	return err
}

// step takes a row.
func (r *run) step() error {
	s, err := r.signal.next()
	if err != nil {
		return err
	}
	u, ok := r.units[s.context]
	if !ok {
		if len(r.units) == maxContexts {
			return fmt.Errorf("line %d: %w: column %q has more than %d values", s.line, ErrContexts, r.options.Context, maxContexts)
		}
		if u, err = r.factory.make(); err != nil {
			return err
		}
		r.units[s.context] = u
	}
	var o outcome
	if math.IsNaN(s.fed) {
		r.result.Skipped++
	} else {
		o = u.update(s.fed, s.context)
	}
	if o.alarm {
		r.result.Detections = append(r.result.Detections, r.result.Rows)
		if o.fired != nil {
			r.result.Alarms = append(r.result.Alarms, Alarm{Row: r.result.Rows, Context: s.context, Fired: o.fired, First: o.first})
		}
	}
	r.result.Rows++
	if r.options.Chart != nil {
		r.scratch = u.shares(r.scratch[:0])
		r.options.Chart.add(s.fed, r.scratch, o)
	}
	if r.trace == nil {
		return nil
	}
	r.scratch = u.figures(r.scratch[:0])
	return r.trace.write(s.x, r.scratch)
}

func (r *run) end() (Result, error) {
	switch {
	case r.result.Rows == 0:
		return Result{}, fmt.Errorf("%w: the file has a header and no row", ErrEmpty)
	case r.result.Rows == r.result.Skipped:
		return Result{}, fmt.Errorf("%w: %s holds no number in %d rows", ErrEmpty, r.result.Column, r.result.Rows)
	}
	r.monitors()
	if r.trace != nil {
		if err := r.trace.flush(); err != nil {
			return Result{}, err
		}
	}
	return r.result, nil
}

// monitors adds them to the result.
func (r *run) monitors() {
	if m, ok := r.factory.shared.(*monitor); ok {
		r.result.Monitors = []Watched{m.watched("")}
		return
	}
	for _, context := range slices.Sorted(maps.Keys(r.units)) {
		if m, ok := r.units[context].(*monitor); ok {
			r.result.Monitors = append(r.result.Monitors, m.watched(context))
		}
	}
}

// signal is the column of a table that is watched, with its contexts.
type signal struct {
	table           *Table
	column, context int // context is -1 for none
	complement      bool
}

// sample is a row of it.
type sample struct {
	x, fed  float64 // as in the table, and as the detectors see it; NaN for none
	context string
	line    int
}

func open(r io.Reader, o Options) (*signal, error) {
	t, err := Open(r)
	if err != nil {
		return nil, err
	}
	s := &signal{table: t, context: -1, complement: o.Complement}
	if s.column, err = t.Column(o.Column); err != nil {
		return nil, err
	}
	if o.Context != "" {
		if s.context, err = t.Column(o.Context); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *signal) next() (sample, error) {
	row, err := s.table.Next()
	if err != nil {
		return sample{}, err
	}
	v := sample{line: row.Line}
	if v.x, err = s.table.Value(row, s.column); err != nil {
		return sample{}, err
	}
	if v.fed = v.x; s.complement {
		v.fed = 1 - v.x
	}
	if s.context >= 0 {
		v.context, err = s.table.Cell(row, s.context)
	}
	return v, err
}
