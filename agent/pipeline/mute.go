package pipeline

import "kedge/agent/drift"

// latest keeps the latest lattice steps of a signal while the watch is muted, as many
// as a reference needs. Those before may be of a sensor that was still being repaired.
type latest struct {
	steps [drift.FullReference]uint8
	n     int // in all
}

func (l *latest) add(x float64) {
	if x == x { // a NaN tells nothing of the signal
		l.steps[l.n%len(l.steps)] = drift.Quantize(x)
		l.n++
	}
}

// list returns the steps, oldest first.
func (l *latest) list() []byte {
	n := min(l.n, len(l.steps))
	steps := make([]byte, 0, n)
	for i := l.n - n; i < l.n; i++ {
		steps = append(steps, l.steps[i%len(l.steps)])
	}
	return steps
}

// mute stops the watches; the samples that come are kept for relearn.
func (m *Model) mute() {
	if m.muted == nil {
		m.muted = make([]latest, len(m.watches))
	}
}

// unmute begins all watches anew with references learned here: of the latest signals
// since mute, and where these are too few also of those that follow; the inputs'
// of those that follow.
func (m *Model) unmute() error {
	if m.muted == nil {
		return nil
	}
	steps := make([][]byte, len(m.watches))
	for i := range m.muted {
		steps[i] = m.muted[i].list()
	}
	m.muted = nil
	return m.relearn(steps)
}

// relearn ends every alarm and learns references anew, of the given lattice steps by
// watch and of what follows. Nobody vouches for them: they count as weak until the
// centre has signed others.
func (m *Model) relearn(steps [][]byte) error {
	for i, w := range m.watches {
		if err := w.learn(); err != nil {
			return err
		}
		if steps == nil {
			continue
		}
		for _, q := range steps[i] {
			// Half a step above the lattice value, so that rounding cannot change the step.
			w.monitor.Update((float64(q) + 0.5) / drift.LatticeSize)
		}
	}
	if m.inputs != nil {
		m.inputs.learn()
	}
	m.restart()
	return nil
}

// restart forgets alarms and statistics, for watches that begin anew.
func (m *Model) restart() {
	m.alarms, m.just = 0, false
	m.stats = newStats(len(m.labels), len(m.features))
}

// reset begins all watches anew against the references that the model came with.
func (m *Model) reset() error {
	for i, w := range m.watches {
		if err := w.begin(m.given[i]); err != nil {
			return err
		}
	}
	if m.inputs != nil {
		var err error
		if m.inputs, err = newInputWatch(m.givenInputs, m.inputs.options.ARL); err != nil {
			return err
		}
	}
	m.restart()
	return nil
}
