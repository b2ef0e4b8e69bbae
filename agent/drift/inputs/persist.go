package inputs

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"kedge/agent/drift"
)

// A snapshot begins with its version and a letter that no other snapshot has.
const (
	snapshotVersion = 1
	snapshotKind    = 'i'
)

const maxCount = 1 << 60

// Snapshot encodes the state, versioned: some 50 bytes and a few bytes for each bin
// in use, less than 1 KiB a feature. Taken after each update that raised an alarm,
// and stored together with the report, it makes sure that the alarm is neither lost
// nor raised again.
func (m *Monitor) Snapshot() []byte {
	b := []byte{snapshotVersion, snapshotKind}
	b = binary.LittleEndian.AppendUint64(b, m.print)
	b = append(b, byte(m.state))
	for _, v := range [...]int64{m.rows, int64(m.inBlock), int64(m.inWindow), m.alarms, m.first} {
		b = binary.AppendUvarint(b, uint64(v))
	}
	for i := range m.features {
		b = m.features[i].append(b)
	}
	return b
}

func (f *feature) append(b []byte) []byte {
	restless := byte(0)
	if f.restless {
		restless = 1
	}
	b = append(b, byte(f.moved), restless, f.blockMissing, f.blockFar)
	b = binary.AppendUvarint(b, uint64(f.windowMissing))
	b = binary.AppendUvarint(b, uint64(f.windowFar))
	for _, v := range [...]float64{f.least, f.greatest, f.run.last} {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	}
	b = binary.AppendUvarint(b, uint64(f.run.length))
	b = binary.AppendUvarint(b, uint64(f.run.longest))
	return appendCounts(appendCounts(b, f.block[:]), f.window[:])
}

// Restore takes the state out of a Snapshot of a monitor with the same reference and
// options. On any error the monitor is unchanged. One restored in Drift continues in
// Latched.
func (m *Monitor) Restore(snapshot []byte) error {
	d := &decoder{buf: snapshot, damaged: drift.ErrSnapshotDamaged}
	version, kind := d.u8(), d.u8()
	print := d.u64()
	switch {
	case d.err != nil:
		return d.err
	case version != snapshotVersion:
		return fmt.Errorf("inputs: %w: got %d, want %d", drift.ErrSnapshotVersion, version, snapshotVersion)
	case kind != snapshotKind:
		return fmt.Errorf("inputs: %w: got kind %d, want %d", drift.ErrSnapshotDetector, kind, snapshotKind)
	case print != m.print:
		return fmt.Errorf("inputs: %w: the monitor's options or reference differ", drift.ErrSnapshotParameters)
	}
	next := *m
	next.features = make([]feature, len(m.features))
	next.state = drift.State(d.u8())
	next.rows = int64(d.uvarint(maxCount, "the number of rows"))
	next.inBlock = int(d.uvarint(uint64(m.lengths[0]), "the block's rows"))
	next.inWindow = int(d.uvarint(uint64(m.lengths[len(m.lengths)-1]), "the window's rows"))
	next.alarms = int64(d.uvarint(maxCount, "the number of alarms"))
	next.first = int64(d.uvarint(maxCount, "the first alarm"))
	for i := range next.features {
		next.features[i].decode(d)
	}
	if err := d.end(); err != nil {
		return err
	}
	if err := next.check(); err != nil {
		return fmt.Errorf("inputs: %w: %w", drift.ErrSnapshotDamaged, err)
	}
	if next.state == drift.Drift {
		next.state = drift.Latched
	}
	*m = next
	return nil
}

func (f *feature) decode(d *decoder) {
	f.moved = Test(d.u8())
	restless := d.u8()
	f.restless = restless == 1
	f.blockMissing, f.blockFar = d.u8(), d.u8()
	f.windowMissing = uint16(d.uvarint(math.MaxUint16, "missing values"))
	f.windowFar = uint16(d.uvarint(math.MaxUint16, "values far outside"))
	f.least, f.greatest, f.run.last = d.f64("the least value"), d.f64("the greatest value"), d.f64("the last value")
	f.run.length = uint32(d.uvarint(math.MaxUint32, "the run"))
	f.run.longest = uint32(d.uvarint(math.MaxUint32, "the longest run"))
	decodeCounts(d, f.block[:])
	decodeCounts(d, f.window[:])
	if restless > 1 || f.moved >= Stuck<<1 {
		d.fail("a feature's alarm is none")
	}
}

// check tests the invariants.
func (m *Monitor) check() error {
	alarmed := m.state == drift.Drift || m.state == drift.Latched
	switch {
	case m.state == drift.Learning || m.state > drift.Latched:
		return errors.New("impossible state")
	case alarmed != (m.alarms > 0) || alarmed != (m.first > 0):
		return errors.New("alarms and state differ")
	case m.alarms > m.rows || m.first > m.rows:
		return errors.New("more alarms than rows")
	case int64(m.inWindow) > m.rows || m.inBlock > m.inWindow || (m.rows > 0) != (m.inBlock > 0) || m.inWindow%m.lengths[0] != m.inBlock%m.lengths[0]:
		return errors.New("block and window differ")
	}
	for i := range m.features {
		f := &m.features[i]
		block, window := int(f.blockMissing), int(f.windowMissing)
		for b, c := range f.block {
			block += int(c)
			window += int(f.window[b])
			if uint16(c) > f.window[b] {
				return errors.New("the block is no part of the window")
			}
		}
		if block != m.inBlock || window != m.inWindow {
			return errors.New("counts and rows differ")
		}
		if int(f.blockFar) > m.inBlock || f.windowFar < uint16(f.blockFar) || int(f.windowFar) > m.inWindow {
			return errors.New("more values far outside than values")
		}
		if f.run.longest < f.run.length || int64(f.run.length) > m.rows || f.moved != 0 && m.alarms == 0 {
			return errors.New("a run or a movement is impossible")
		}
	}
	return nil
}
