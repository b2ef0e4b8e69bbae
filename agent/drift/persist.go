package drift

import (
	"errors"
	"fmt"
	"hash/fnv"
	"math"
)

// fingerprint distinguishes options under which a snapshot would mean something
// else. A change of how Go formats values would only make a device start afresh.
func (o Options) fingerprint() uint64 {
	h := fnv.New64a()
	fmt.Fprintln(h, o.Reference.N, o.Reference.Counts, o.Reference.Lags, o.Reference.Blocks, o.Reference.Contexts, o.ARL, o.Detectors, o.Sides, o.Delta, o.River, o.Cusum, o.Adwin)
	return h.Sum64()
}

// Snapshot encodes the state, versioned, in about 2 KiB. Taken after each update
// that returned Drift, and stored together with the report, it makes sure that the
// alarm is neither lost nor raised again.
func (m *Monitor) Snapshot() []byte {
	e := newEncoder(kindMonitor)
	e.u64(m.opts.fingerprint())
	e.bytes(m.learned)
	e.u8(byte(m.state))
	for _, v := range [...]int64{m.n, m.skipped, m.alarms, m.first, m.unknown} {
		e.i64(v)
	}
	first := byte(0) // a bit per detector, in their order
	for i := range m.watched {
		for _, name := range m.fired {
			if m.watched[i].name() == name {
				first |= 1 << i
			}
		}
	}
	e.u8(first)
	for i := range m.watched {
		w := &m.watched[i]
		e.i64(w.alarms)
		e.flag(w.fired)
		e.bytes(w.Snapshot())
	}
	m.recent.encode(e)
	m.course.encode(e)
	return e.buf
}

// Restore takes the state out of a Snapshot of a monitor with the same options. On
// any error the monitor is unchanged: the caller goes on with it as it is, from its
// reference. A monitor restored in Drift continues in Latched.
func (m *Monitor) Restore(snapshot []byte) error {
	d := newDecoder(snapshot, kindMonitor)
	if print := d.u64(); d.err == nil && print != m.opts.fingerprint() {
		return fmt.Errorf("drift: %w: the monitor's options or reference differ", ErrSnapshotParameters)
	}
	next := m.blank()
	if err := next.decode(d); err != nil {
		return err
	}
	next.settle()
	*m = *next
	return nil
}

// blank is the monitor as New made it, without the cost of computing thresholds, and
// sharing nothing that changes.
func (m *Monitor) blank() *Monitor {
	next := &Monitor{opts: m.opts, ref: m.opts.Reference}
	if m.opts.Reference.N < MinReference {
		next.learned = make([]uint8, 0, FullReference)
		return next
	}
	next.align, next.rise = m.align, m.rise
	next.state, next.course = Stable, newCourse(m.ref.BlockLength(), len(m.watched))
	for _, w := range m.watched {
		next.watched = append(next.watched, watched{Detector: blankDetector(w.Detector), rising: w.rising, promise: w.promise})
	}
	return next
}

// blankDetector is a reset copy.
func blankDetector(d Detector) Detector {
	var next Detector
	switch d := d.(type) {
	case *Frozen:
		c := *d
		next = &c
	case *River:
		c := *d
		next = &c
	case *ESR:
		c := *d
		next = &c
	case *Cusum:
		c := *d
		next = &c
	case *Adwin:
		next = d.copy()
	default:
		panic("BUG: no copy of detector " + d.Name())
	}
	next.Reset()
	return next
}

// decode fills a fresh monitor.
func (m *Monitor) decode(d *decoder) error {
	learned := d.bytes()
	if len(learned) > cap(m.learned) {
		d.fail("holds samples that were never needed")
	}
	if d.err != nil {
		return d.err
	}
	m.learned = append(m.learned, learned...)
	if m.local() {
		m.watchLearned()
	}
	m.state = State(d.u8())
	m.n, m.skipped = d.count("n"), d.count("the count of skipped samples")
	m.alarms, m.first = d.count("the count of alarms"), d.count("the first alarm")
	m.unknown = d.count("the count of unknown contexts")
	first := d.u8()
	for i := range m.watched {
		w := &m.watched[i]
		w.alarms = d.count("a detector's count of alarms")
		w.fired = d.flag("a detector's alarm")
		if err := w.Restore(d.bytes()); err != nil && d.err == nil {
			return fmt.Errorf("drift: monitor: %w", err)
		}
		if first&(1<<i) != 0 {
			m.fired = append(m.fired, w.name())
		}
	}
	if first>>len(m.watched) != 0 {
		d.fail("names a detector that does not run")
	}
	m.recent.decode(d)
	m.course.decode(d, len(m.watched))
	if err := d.end(); err != nil {
		return err
	}
	if err := m.check(); err != nil {
		return fmt.Errorf("drift: %w: %w", ErrSnapshotDamaged, err)
	}
	return nil
}

// check tests the invariants.
func (m *Monitor) check() error {
	alarmed := m.state == Drift || m.state == Latched
	switch {
	case m.state > Latched:
		return errors.New("unknown state")
	case (m.state == Learning) != (len(m.watched) == 0):
		return errors.New("learning is done exactly when detectors run")
	case alarmed != (m.alarms > 0) || alarmed != (m.first > 0) || alarmed != (len(m.fired) > 0):
		return errors.New("alarms and state differ")
	case m.alarms > m.n || m.first > m.n || m.unknown > m.n:
		return errors.New("more alarms than samples")
	case m.n != m.course.n || m.n < int64(m.recent.n):
		return errors.New("counts of samples differ")
	}
	for i := range m.watched {
		if w := &m.watched[i]; w.alarms > m.alarms || (w.fired && w.alarms == 0) {
			return errors.New("a detector's alarms were not counted")
		}
	}
	return nil
}

// encode writes the samples, oldest first.
func (w *window) encode(e *encoder) {
	steps := make([]byte, 0, recentSize)
	for i := range w.n {
		steps = append(steps, w.steps[(w.next-w.n+i+recentSize)%recentSize])
	}
	e.bytes(steps)
}

func (w *window) decode(d *decoder) {
	steps := d.bytes()
	if len(steps) > recentSize {
		d.fail("has too many recent samples")
		return
	}
	*w = window{}
	for _, q := range steps {
		w.add(q)
	}
}

func (c *course) encode(e *encoder) {
	e.i64(c.n)
	e.f64(c.sum)
	e.i64(int64(c.count))
	e.u8(byte(c.filled))
	for i := range c.filled {
		p := &c.ring[(c.next-c.filled+i+courseSize)%courseSize]
		e.i64(p.n)
		e.f32(p.mean)
		for _, s := range p.statistics[:c.width] {
			e.f32(s)
		}
	}
}

// decode keeps the stride and takes the number of detectors.
func (c *course) decode(d *decoder, width int) {
	*c = course{stride: c.stride, width: width, n: d.count("the course's n"), sum: d.f64("the course's sum")}
	count := d.count("the course's count")
	filled := int(d.u8())
	if filled > courseSize || count > int64(c.stride) {
		d.fail("has too long a course")
		return
	}
	c.count = int(count)
	for i := range filled {
		p := &c.ring[i]
		p.n = d.count("a point of the course")
		p.mean = d.f32("a mean of the course")
		for j := range width {
			p.statistics[j] = d.f32("a statistic of the course")
		}
	}
	c.filled, c.next = filled, filled%courseSize
	if math.Abs(c.sum) > float64(count) {
		d.fail("has an impossible sum in its course")
	}
}
