package agent

import (
	"context"
	"time"
)

// A burst is a run of samples that come faster than the disk may take them. The
// ring never waits for the disk. A sensor gives it time; a replay without a rate
// does not, and has to wait for it now and then.
const (
	burstRecords = 2048
	burstBytes   = 512 << 10
	burstTime    = time.Second
	// flushTimeout bounds the wait for the disk.
	flushTimeout = 5 * time.Second
)

// burst counts the samples since begin.
type burst struct {
	begin time.Time
	n     int
	bytes int
}

// add counts a sample and reports whether the disk has to catch up before it.
func (b *burst) add(bytes int, now time.Time) bool {
	b.n++
	b.bytes += bytes
	if b.n < burstRecords && b.bytes < burstBytes {
		return false
	}
	fast := now.Sub(b.begin) < burstTime
	*b = burst{begin: now}
	return fast
}

// keep puts a sample into the ring and reports whether it is there; with mu held.
// If it is not, seq is the number that the next one will get.
func (a *agent) keep(record []byte) (seq uint64, ok bool) {
	if a.burst.add(len(record), a.o.Now()) {
		a.flush()
		a.burst.begin = a.o.Now()
	}
	seq, err := a.buf.Ring.Append(record)
	if a.stored(err) {
		return seq, true
	}
	return a.buf.Ring.Next(), false
}

// flush waits until the disk has what was stored, for a while.
func (a *agent) flush() {
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	a.stored(a.buf.Flush(ctx))
}
