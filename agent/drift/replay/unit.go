package replay

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"

	"kedge/agent/drift"
)

// unit is what watches one context, or all of them.
type unit interface {
	update(x float64, context string) outcome
	// figures appends the statistics as the trace has them; NaN where there is none yet.
	figures(dst []float64) []float64
	// shares appends statistic/threshold of each detector.
	shares(dst []float64) []float64
}

// outcome is that of one update; fired and first are a monitor's.
type outcome struct {
	alarm, first bool
	fired        []string
}

// factory makes units as the options want them.
type factory struct {
	name    string   // of what runs
	figures []string // names of unit.figures
	lines   []string // names of unit.shares
	arl     float64  // of monitors

	kind   drift.Kind        // of a detector by itself
	params map[string]string // its parameters

	monitors bool
	options  drift.Options
	shared   unit // of all contexts, where there is a reference
}

func newFactory(o Options) (*factory, error) {
	f := &factory{params: o.Params}
	if o.Reference != nil && o.ReferenceRows != 0 {
		return nil, fmt.Errorf("%w: a reference and rows that are one", ErrOptions)
	}
	if o.Detector == "" {
		f.name = drift.PageHinkley + " and " + drift.EDetector
		return f, f.watch(o, []string{drift.PageHinkley, drift.EDetector})
	}
	kind, err := drift.KindOf(o.Detector)
	if err != nil {
		return nil, err
	}
	f.name, f.kind = kind.Name, kind
	for name := range o.Params {
		if _, err := kind.Param(name); err != nil {
			return nil, err
		}
	}
	if calibrated(kind, o.Params) {
		return f, f.watch(o, []string{kind.Name})
	}
	if o.ARL != 0 || o.Reference != nil || o.ReferenceRows != 0 || o.Sides != drift.FallingSide {
		return nil, fmt.Errorf("%w: %s as it is given takes neither a wanted run length nor a reference nor sides", ErrOptions, kind.Name)
	}
	f.figures, f.lines = kind.Stats, []string{kind.Name}
	_, err = kind.New(o.Params) // so that a wrong parameter comes before a wrong file
	return f, err
}

// calibrated reports whether a detector takes from a reference what the parameters
// do not say.
func calibrated(kind drift.Kind, params map[string]string) bool {
	_, mu0 := params["mu0"]
	return (kind.Name == drift.PageHinkley || kind.Name == drift.EDetector) && !mu0
}

// watch prepares for monitors.
func (f *factory) watch(o Options, detectors []string) error {
	names := drift.Options{Detectors: detectors, Sides: o.Sides}.Names()
	f.monitors, f.figures, f.lines = true, names, names
	f.options = drift.Options{ARL: o.ARL, Detectors: detectors, Sides: o.Sides}
	for name, text := range o.Params {
		v, err := strconv.ParseFloat(text, 64)
		switch {
		case err != nil:
			return fmt.Errorf("drift: %w: got %q, want a number as %s", drift.ErrParameter, text, name)
		case name == "delta" && detectors[0] == drift.PageHinkley:
			if f.options.Delta = v; v == 0 {
				f.options.Delta = math.SmallestNonzeroFloat64 // 0 means the default
			}
		case name == "arl" && o.ARL == 0:
			f.options.ARL = v
		case name == "arl":
			return fmt.Errorf("%w: the run length is given twice", ErrOptions)
		case o.Detector == "":
			return fmt.Errorf("drift: %w: the pair has no parameter %q, want delta", drift.ErrParameter, name)
		default:
			return fmt.Errorf("drift: %w: %s: %s goes with mu0; without both they come from the reference", drift.ErrParameter, f.name, name)
		}
	}
	f.arl = f.options.ARL
	if f.arl == 0 {
		f.arl = drift.DefaultARL
	}
	_, err := drift.New(f.options)
	return err
}

// readReference condenses the reference.
func (f *factory) readReference(o Options) error {
	s, err := open(o.Reference, o)
	if err != nil {
		return err
	}
	return f.condense(s, o, math.MaxInt64, func(sample) error { return nil })
}

// condense makes the reference of the next rows, limit at most, and shows them.
func (f *factory) condense(s *signal, o Options, limit int64, show func(sample) error) error {
	var xs []float64
	var contexts []string
	values, rows := make(map[string]bool), int64(0)
	for rows < limit {
		v, err := s.next()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		if rows++; !math.IsNaN(v.fed) {
			xs, contexts = append(xs, v.fed), append(contexts, v.context)
			values[v.context] = true
		}
		if len(values) > drift.MaxContexts {
			return fmt.Errorf("line %d: %w: column %q has more than %d values", v.line, ErrContexts, o.Context, drift.MaxContexts)
		}
		if err := show(v); err != nil {
			return err
		}
	}
	if len(xs) == 0 {
		return fmt.Errorf("%w: %s holds no number in %d rows", ErrEmpty, s.table.Name(s.column), rows)
	}
	return f.share(xs, contexts, o.Context != "")
}

// share makes the monitor of all contexts.
func (f *factory) share(xs []float64, contexts []string, have bool) (err error) {
	options := f.options
	if options.Reference, err = drift.NewReference(xs); have {
		options.Reference, err = drift.NewContextReference(xs, contexts)
	}
	if err != nil {
		return err
	}
	m, err := drift.New(options)
	f.shared = &monitor{m: m, detectors: len(f.figures)}
	return err
}

// make makes the unit of a context. Monitors that learn what is normal do so for each.
func (f *factory) make() (unit, error) {
	if f.shared != nil {
		return f.shared, nil
	}
	if !f.monitors {
		d, err := f.kind.New(f.params)
		return &detector{d}, err
	}
	m, err := drift.New(f.options)
	return &monitor{m: m, detectors: len(f.figures)}, err
}

// detector is a detector by itself.
type detector struct{ d drift.Detector }

func (u *detector) update(x float64, _ string) outcome {
	return outcome{alarm: u.d.Update(x) == drift.Drift}
}

func (u *detector) figures(dst []float64) []float64 {
	for _, f := range u.d.Explain().State {
		dst = append(dst, f.Value)
	}
	return dst
}

func (u *detector) shares(dst []float64) []float64 {
	return append(dst, share(u.d.Statistic(), u.d.Threshold()))
}

// share is statistic/threshold; a threshold of nothing has none.
func share(statistic, threshold float64) float64 {
	if threshold < 1e-9 {
		return math.NaN()
	}
	return statistic / threshold
}

// monitor is a drift.Monitor.
type monitor struct {
	m         *drift.Monitor
	detectors int
}

func (u *monitor) update(x float64, context string) outcome {
	r := u.m.UpdateIn(x, context)
	return outcome{alarm: r.Fired != nil, first: r.State == drift.Drift, fired: r.Fired}
}

func (u *monitor) figures(dst []float64) []float64 {
	return u.each(dst, func(d drift.Detector) float64 { return d.Statistic() })
}

func (u *monitor) shares(dst []float64) []float64 {
	return u.each(dst, func(d drift.Detector) float64 { return share(d.Statistic(), d.Threshold()) })
}

// each appends a value of each detector, NaN while the monitor learns.
func (u *monitor) each(dst []float64, value func(drift.Detector) float64) []float64 {
	for i := range u.detectors {
		v := math.NaN()
		if d := u.m.Detector(i); d != nil {
			v = value(d)
		}
		dst = append(dst, v)
	}
	return dst
}

func (u *monitor) watched(context string) Watched {
	e := u.m.Explain()
	return Watched{
		Context: context, Contexts: e.Contexts, Unknown: e.Unknown, State: e.State, Learned: e.Learned, ReferenceN: e.ReferenceN, Mean: e.Mu0,
		Weak: e.Weak, Block: e.Block, Detectors: e.Detectors,
	}
}
