package inputs

import (
	"encoding/json"
	"fmt"
	"hash/fnv"

	"kedge/agent/drift"
)

// DefaultARL is the expected number of rows between false alarms where none is asked
// for.
const DefaultARL = drift.DefaultARL

// minARL is the shortest run length that makes sense.
const minARL = 100

// doubt is the probability with which a reference may be so unlike what it was drawn
// from that it breaks the promise.
const doubt = 0.05

// Options configure a [Monitor]. The zero value is a working default.
type Options struct {
	// ARL is the expected number of rows between false alarms of all features and
	// tests together, at least 100. 0 means DefaultARL.
	ARL float64
}

// Monitor watches the rows that a model gets. It tests a block of 64 rows (fewer with
// a small reference), and a window that grows by doubling to a third of the
// reference at most and then starts afresh: large changes show in a block, small ones
// in the window.
//
// Its states pass stable, warning, drift, latched; only a new Monitor leaves latched.
// A feature has moved from the alarm on, until all its tests have stayed below
// [drift.CalmRatio] of their thresholds for a whole window; when it moves again that
// is another alarm.
//
// Invariants, kept by check: alarms > 0 exactly in Drift and Latched; counts and
// missing values of a feature sum to the rows of the block and the window.
type Monitor struct {
	ref     *Reference
	arl     float64
	watched []watch
	lengths []int
	print   uint64

	features []feature
	state    drift.State
	rows     int64
	inBlock  int // rows in the present block
	inWindow int
	alarms   int64
	first    int64 // rows at the first alarm
	scratch  tally
}

// feature is what the monitor keeps of a feature while counting: less than 1 KiB.
type feature struct {
	block         [Bins]uint8
	window        [Bins]uint16
	blockMissing  uint8
	blockFar      uint8
	windowMissing uint16
	windowFar     uint16
	least         float64 // of the window
	greatest      float64
	run           run  // longest is of the block
	moved         Test // tests that fired since it moved; 0 if it has not
	restless      bool // not calm throughout the window
}

// Result is the outcome of one update.
type Result struct {
	// State is the monitor's state after the update. Drift is returned exactly once,
	// at the first alarm.
	State drift.State
	// Alarm says that at this very row a feature moved that had not; also in Latched.
	Alarm bool
}

// New makes a monitor. The reference is kept and must not be changed afterwards.
func New(ref *Reference, o Options) (*Monitor, error) {
	if o.ARL == 0 {
		o.ARL = DefaultARL
	}
	if !finite(o.ARL) || o.ARL < minARL {
		return nil, fmt.Errorf("inputs: %w: run length is %v, want at least %d", ErrParameter, o.ARL, minARL)
	}
	if err := ref.Validate(); err != nil {
		return nil, err
	}
	d := float64(len(ref.Features))
	m := &Monitor{ref: ref, arl: o.ARL, lengths: blockLengths(ref.N), state: drift.Stable}
	m.features = make([]feature, len(ref.Features))
	for i := range ref.Features {
		m.watched = append(m.watched, newWatch(&ref.Features[i], ref.N, lnInverse(doubt/d/shares), o.ARL*d*shares))
	}
	h := fnv.New64a()
	if err := json.NewEncoder(h).Encode(ref); err != nil {
		return nil, fmt.Errorf("inputs: %w: %w", ErrReference, err)
	}
	fmt.Fprint(h, o.ARL)
	m.print = h.Sum64()
	return m, nil
}

// Update takes a row in the reference's order of features. An error, for a row of
// another length, changes nothing.
func (m *Monitor) Update(row []float64) (Result, error) {
	if len(row) != len(m.features) {
		return Result{State: m.state}, fmt.Errorf("inputs: %w: %d values, %d features", ErrRow, len(row), len(m.features))
	}
	m.begin()
	for i, x := range row {
		m.features[i].add(&m.watched[i], x)
	}
	return m.end(), nil
}

// UpdateBytes takes the input tensor of an int8 or uint8 model. It must have been
// declared so.
func (m *Monitor) UpdateBytes(row []byte) (Result, error) {
	if len(row) != len(m.features) {
		return Result{State: m.state}, fmt.Errorf("inputs: %w: %d bytes, %d features", ErrRow, len(row), len(m.features))
	}
	m.begin()
	for i, b := range row {
		x := float64(b)
		if m.ref.Features[i].Type == Int8 {
			x = float64(int8(b))
		}
		m.features[i].add(&m.watched[i], x)
	}
	return m.end(), nil
}

// add counts a value.
func (f *feature) add(w *watch, x float64) {
	if !finite(x) {
		f.blockMissing++
		f.windowMissing++
		return
	}
	bin := w.bin(x)
	if f.block[bin] == 0 && f.window[bin] == 0 || bin == 0 || bin == Bins-1 {
		f.least, f.greatest = min(f.least, x), max(f.greatest, x)
	}
	f.block[bin]++
	f.window[bin]++
	if x < w.farLo || x > w.farHi {
		f.blockFar++
		f.windowFar++
	}
	f.run.add(x)
}

// begin forgets a block or window that was completed by the row before. They are kept
// until then for the report.
func (m *Monitor) begin() {
	if m.state == drift.Drift {
		m.state = drift.Latched
	}
	if m.inBlock == m.lengths[0] {
		m.inBlock = 0
	}
	if m.inWindow == m.lengths[len(m.lengths)-1] {
		m.inWindow = 0
	}
	for i := range m.features {
		if m.inBlock != 0 {
			break
		}
		f := &m.features[i]
		f.block, f.blockMissing, f.blockFar = [Bins]uint8{}, 0, 0
		f.run.longest = f.run.length
		if m.inWindow == 0 {
			f.clearWindow()
		}
	}
	m.rows++
	m.inBlock++
	m.inWindow++
}

func (f *feature) clearWindow() {
	if !f.restless {
		f.moved = 0
	}
	f.window, f.windowMissing, f.windowFar = [Bins]uint16{}, 0, 0
	f.least, f.greatest = maxFloat, -maxFloat
	f.restless = false
}

// end tests at the end of a block.
func (m *Monitor) end() Result {
	if m.inBlock < m.lengths[0] {
		return Result{State: m.state}
	}
	at := m.windowLength()
	alarm, level := false, 0.0
	for i := range m.features {
		f := &m.features[i]
		k := m.blockLook(i)
		if at > 0 {
			w := m.windowLook(i, at)
			k.fired |= w.fired
			k.level = max(k.level, w.level)
		}
		if s := m.watched[i].stuck; s > 0 {
			k.compare(Stuck, float64(f.run.longest), float64(s))
		}
		level = max(level, k.level)
		f.restless = f.restless || k.level >= drift.CalmRatio
		alarm = alarm || k.fired != 0 && f.moved == 0
		f.moved |= k.fired
	}
	return m.settle(alarm, level)
}

// windowLength is the index of the length that the window has just reached, or 0.
func (m *Monitor) windowLength() int {
	for i, n := range m.lengths {
		if i > 0 && n == m.inWindow {
			return i
		}
	}
	return 0
}

func (m *Monitor) blockLook(i int) look {
	f, t := &m.features[i], &m.scratch
	for b, c := range f.block {
		t.counts[b] = uint16(c)
	}
	t.missing, t.far = int(f.blockMissing), int(f.blockFar)
	return m.watched[i].look(t, 0)
}

func (m *Monitor) windowLook(i, at int) look {
	f, t := &m.features[i], &m.scratch
	t.counts, t.missing, t.far = f.window, int(f.windowMissing), int(f.windowFar)
	return m.watched[i].look(t, at)
}

func (m *Monitor) settle(alarm bool, level float64) Result {
	if alarm {
		m.alarms++
		if m.alarms == 1 {
			m.state, m.first = drift.Drift, m.rows
		}
	} else if m.state != drift.Latched {
		switch {
		case level >= drift.WarnRatio:
			m.state = drift.Warning
		case level < drift.CalmRatio:
			m.state = drift.Stable
		}
	}
	return Result{State: m.state, Alarm: alarm}
}

// State is the state after the last update.
func (m *Monitor) State() drift.State { return m.state }

// Reference is the reference in force; it must not be changed.
func (m *Monitor) Reference() *Reference { return m.ref }
