package update

import (
	"crypto/sha256"
	"encoding/binary"
	"time"
)

const (
	// minWait keeps a request from being repeated while its answer is on the way.
	minWait = time.Second
	// maxWait is the longest silence between two requests.
	maxWait = 10 * time.Minute
	// patience is how many usual gaps between chunks pass before asking again.
	patience = 8
)

// A pace says how long to wait for an answer before asking again. It follows
// the gaps between the chunks that really arrive: too short a wait brings every
// chunk twice and chokes a slow line, too long a one wastes a fast line at
// every lost packet. Silence doubles the wait.
type pace struct {
	base   time.Duration
	wait   time.Duration
	gap    time.Duration // smoothed; 0 before the first arrival
	last   time.Time     // latest request or arrival
	silent int           // requests since the last arrival
	failed bool          // the last request did not even leave
	open   int           // chunks asked for and not arrived
}

func newPace(base time.Duration) pace { return pace{base: base, wait: base} }

// asked notes a request and returns how long to wait for its answer. jitter, in
// [0, 1), spreads the requests of devices that were cut off together.
func (p *pace) asked(now time.Time, jitter float64) time.Duration {
	if p.silent > 0 {
		p.wait = min(2*p.wait, maxWait)
	}
	p.silent++
	p.last = now
	return p.wait + time.Duration(jitter*float64(p.wait)/4)
}

// arrived notes a chunk that was wanted and returns how long to wait for the next.
func (p *pace) arrived(now time.Time) time.Duration {
	gap := now.Sub(p.last)
	if p.gap == 0 {
		p.gap = gap
	} else {
		p.gap += (gap - p.gap) / 8
	}
	p.last, p.silent = now, 0
	p.wait = min(max(patience*p.gap, minWait), maxWait)
	return p.wait
}

// tooShort notes a chunk that arrived twice.
func (p *pace) tooShort() { p.wait = min(2*p.wait, maxWait) }

// reset forgets a silence that has other reasons than a lost packet, and reports
// whether there was one.
func (p *pace) reset() bool {
	if p.silent < 2 && !p.failed {
		return false
	}
	p.wait, p.silent, p.failed = p.base, 0, false
	return true
}

// spreadDelay is a device's place in the time over which an update is spread.
// It depends on device and release alone, so that a restart does not move it,
// and differs between releases, so that no device is always the last.
func spreadDelay(device, release string, spread time.Duration) time.Duration {
	if spread <= 0 {
		return 0
	}
	sum := sha256.Sum256([]byte(device + "\x00" + release))
	return time.Duration(binary.BigEndian.Uint64(sum[:8]) % uint64(spread))
}
