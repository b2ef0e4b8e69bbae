package drift

import (
	"fmt"
	"slices"
)

// DefaultARL is the expected number of inferences between false alarms where none
// is asked for.
const DefaultARL = 10000

// Options configure a [Monitor]. The zero value is a working default.
type Options struct {
	// Reference is the signal of the released model. With fewer than MinReference
	// samples, also none, the monitor first collects FullReference of its own; these
	// are weak evidence, since nobody vouches that they are undrifted.
	Reference Reference
	// ARL is the expected number of inferences between false alarms of all detectors
	// together, at least 100. 0 means DefaultARL.
	ARL float64
	// Detectors names those that run side by side, each at most once. Empty means
	// PageHinkley and EDetector. Where n of these run, sides counted, each gets a run
	// length of n*ARL, so that their false alarms together come at the rate 1/ARL.
	// PageHinkleyRiver, CUSUM and ADWIN keep their own parameters and promise nothing.
	Detectors []string
	// Sides are those on which PageHinkley and EDetector watch. On the rising one their
	// names end in "-rising".
	Sides Side
	// Delta is the loss of the mean that Page-Hinkley tolerates, in units of the
	// signal. 0 means DefaultDelta.
	Delta float64
	// River configures PageHinkleyRiver; its zero value looks to Both sides.
	River RiverOptions
	// Cusum configures CUSUM, and Adwin ADWIN; their zero values look to both sides.
	Cusum CusumOptions
	Adwin AdwinOptions

	stays bool // the reference is made of contexts, in which the signal stays a while
}

// minARL is the shortest run length that makes sense: below it the state would be
// an alarm most of the time.
const minARL = 100

func (o Options) withDefaults() (Options, error) {
	if o.ARL == 0 {
		o.ARL = DefaultARL
	}
	if o.Delta == 0 {
		o.Delta = DefaultDelta
	}
	if len(o.Detectors) == 0 {
		o.Detectors = []string{PageHinkley, EDetector}
	}
	o.Detectors = slices.Clone(o.Detectors)
	switch {
	case !finite(o.ARL) || o.ARL < minARL:
		return o, fmt.Errorf("drift: %w: run length is %v, want at least %d", ErrParameter, o.ARL, minARL)
	case !finite(o.Delta) || o.Delta < 0 || o.Delta >= 1:
		return o, fmt.Errorf("drift: %w: delta is %v, want [0, 1)", ErrParameter, o.Delta)
	case o.Sides > BothSides:
		return o, fmt.Errorf("drift: %w: unknown side %d", ErrParameter, o.Sides)
	}
	for i, name := range o.Detectors {
		if slices.Contains(o.Detectors[:i], name) {
			return o, fmt.Errorf("drift: %w: detector %q is named twice", ErrParameter, name)
		}
	}
	// Also where it is not needed, or not before the learning is done.
	if _, err := NewRiver(o.River); err != nil {
		return o, err
	}
	if _, err := NewCusum(o.Cusum); err != nil {
		return o, err
	}
	if _, err := NewAdwin(o.Adwin); err != nil {
		return o, err
	}
	return o, o.Reference.Validate()
}

// share is the run length of each detector that promises one.
func (o Options) share() float64 { return o.ARL * float64(max(o.promising(), 1)) }

// Monitor runs detectors side by side over one signal and keeps what a drift report
// needs. Its states pass learning, stable, warning, drift, latched; only a new
// reference, that is a new Monitor, leaves latched. Not for concurrent use.
//
// Invariants, kept by check: watched is empty exactly while learning; alarms > 0
// exactly in Drift and Latched.
type Monitor struct {
	opts    Options
	ref     Reference // in force; the given one while learning
	learned []uint8   // lattice steps collected for want of a reference

	watched []watched
	// align and rise are those of contexts, for either side; nil without contexts.
	align, rise *alignment

	unknown int64 // samples in contexts that the reference does not have
	state   State
	n       int64 // samples since the reference is in force
	skipped int64 // samples that were no number
	alarms  int64 // updates in which any detector fired
	first   int64 // n at the first alarm
	fired   []string
	recent  window
	course  course
}

// watched is a detector with its own count.
type watched struct {
	Detector
	rising  bool // sees the lattice turned around
	alarms  int64
	fired   bool // at the last update; the next one resets first
	promise promise
}

// Result is the outcome of one update.
type Result struct {
	// State is the monitor's state after the update. Drift is returned exactly once,
	// at the first alarm: that is the moment to report.
	State State
	// Fired names the detectors that raised an alarm at this very update, also in
	// Latched; usually nil.
	Fired []string
}

// New makes a monitor. Thresholds are computed here, which takes some milliseconds.
// The options' reference is kept and must not be changed afterwards.
func New(o Options) (*Monitor, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	m := &Monitor{opts: o, ref: o.Reference}
	for _, name := range o.Detectors {
		if _, ok := makers[name]; !ok {
			return nil, fmt.Errorf("drift: %w: %q", ErrUnknownDetector, name)
		}
	}
	if o.Reference.N < MinReference {
		m.learned = make([]uint8, 0, FullReference)
		return m, nil
	}
	if err := m.watch(o.Reference); err != nil {
		return nil, err
	}
	return m, nil
}

// watch puts a reference in force.
func (m *Monitor) watch(ref Reference) error {
	var all []watched
	align, rise := ref.align(), ref.mirrored().align()
	for side, rising := range m.opts.sides() {
		o, common, a := m.opts, ref, align
		if rising {
			common, a = ref.mirrored(), rise
		}
		if a != nil {
			o.stays, common = true, a.ref
		}
		for _, name := range m.opts.Detectors {
			if side > 0 && !sided(name) {
				continue // runs already
			}
			d, p, err := makers[name](o, common)
			if err != nil {
				return err
			}
			all = append(all, watched{Detector: d, rising: rising && sided(name), promise: p})
		}
	}
	m.ref, m.align, m.rise, m.watched, m.state, m.n = ref, align, rise, all, Stable, 0
	m.course = newCourse(ref.BlockLength(), len(all))
	return nil
}

// Update takes the signal of one inference, which is rounded down to the lattice as
// the reference was; int8 probabilities lie on it. A NaN or an infinity is skipped
// and counted; other samples outside [0, 1] clamp.
func (m *Monitor) Update(x float64) Result { return m.UpdateIn(x, "") }

// UpdateIn is Update in a context, whose reference it is then that counts. A context
// that the reference does not have is judged by what all have in common, less sharply,
// and counted. It allocates nothing.
func (m *Monitor) UpdateIn(x float64, context string) Result {
	if !finite(x) {
		m.skipped++
		return Result{State: m.settle()}
	}
	if m.state == Learning {
		return Result{State: m.learn(x)}
	}
	m.settle()
	m.n++
	q := Quantize(x)
	// What is compared with a reference is treated like the reference.
	x = float64(q) / LatticeSize
	m.recent.add(q)
	aligned, known := m.align.step(q, context)
	if !known {
		m.unknown++
	}
	mirrored, _ := m.rise.step(mirror(q), context)
	alarm, highest := false, Stable
	for i := range m.watched {
		w := &m.watched[i]
		if w.fired {
			w.Reset()
		}
		step := aligned
		if w.rising {
			step = mirrored
		}
		state := w.Update(float64(step) / LatticeSize)
		w.fired = state == Drift
		if w.fired {
			w.alarms++
			alarm = true
		}
		highest = max(highest, state)
	}
	m.course.add(x, m.watched, alarm)
	if alarm {
		return m.alarm()
	}
	m.state = m.calm(highest)
	return Result{State: m.state}
}

// settle turns the Drift of an earlier update into Latched.
func (m *Monitor) settle() State {
	if m.state == Drift {
		m.state = Latched
	}
	return m.state
}

// alarm counts an alarm; the first one is Drift.
func (m *Monitor) alarm() Result {
	var fired []string
	for i := range m.watched {
		if m.watched[i].fired {
			fired = append(fired, m.watched[i].name())
		}
	}
	m.alarms++
	if m.alarms == 1 {
		m.state, m.first, m.fired = Drift, m.n, fired
	}
	return Result{State: m.state, Fired: fired}
}

// calm is the state after an update without alarm, with the hysteresis of Warning.
func (m *Monitor) calm(highest State) State {
	if m.state == Latched || highest == Warning {
		return max(m.state, highest)
	}
	if m.state == Warning {
		for i := range m.watched {
			if w := &m.watched[i]; w.Statistic() >= CalmRatio*w.Threshold() {
				return Warning
			}
		}
	}
	return Stable
}

// learn collects the reference that nobody gave.
func (m *Monitor) learn(x float64) State {
	m.learned = append(m.learned, Quantize(x))
	if len(m.learned) < FullReference {
		return Learning
	}
	m.watchLearned()
	return m.state
}

// watchLearned puts the collected samples in force, together with what was given.
func (m *Monitor) watchLearned() {
	ref := referenceOf(m.learned)
	if m.opts.Reference.N > 0 {
		ref = Merge(m.opts.Reference, ref)
	}
	if err := m.watch(ref); err != nil {
		// The parameters were checked by New and the reference is sound by making.
		panic("BUG: " + err.Error())
	}
}

// local reports whether the reference in force was learned here.
func (m *Monitor) local() bool { return len(m.learned) == FullReference }

// State is the state after the last update.
func (m *Monitor) State() State { return m.state }

// Reference is the reference in force; while learning, the one given. It must not
// be changed.
func (m *Monitor) Reference() Reference { return m.ref }

// Detector is the i-th of the detectors that run, in the order of Options.Detectors,
// the falling side before the rising one, or nil while the monitor learns. It is the monitor's own: only look at it.
func (m *Monitor) Detector(i int) Detector {
	if i >= len(m.watched) {
		return nil
	}
	return m.watched[i].Detector
}
