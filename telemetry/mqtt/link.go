package mqtt

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// link is the network connection under paho, and the one place where a connection
// is found to be broken.
//
// If paho finds out by itself, a Publish that is just handing its message over waits
// for WriteTimeout with nobody to take it. So a failed write only closes the link and
// pretends to have written (an acknowledgement will never come, which is the truth);
// the read that fails in consequence first shuts the gate, which lets hand-overs end
// and new ones no longer begin, and then tells paho.
type link struct {
	net.Conn
	writeTimeout time.Duration
	// silence is how long nothing may come. paho pings whoever was silent for the
	// keep-alive interval, so that a longer silence means a dead peer. paho's own
	// check is off: it would find out by itself.
	silence  time.Duration
	onBroken func(cause error)

	broken atomic.Bool // from now on nothing is written
	once   sync.Once
	cause  error // why it broke

	// gate is held for reading while a message is handed to paho.
	gate   sync.RWMutex
	closed bool // with gate: no more hand-overs
}

// breakOff closes the link for a reason; the first one counts.
func (l *link) breakOff(cause error) {
	l.once.Do(func() {
		l.cause = cause
		l.broken.Store(true)
		_ = l.Conn.Close() // the cause is what matters
		l.onBroken(cause)
	})
}

// shut waits for hand-overs to end and allows no more.
func (l *link) shut() {
	l.gate.Lock()
	defer l.gate.Unlock()
	l.closed = true
}

// handOver runs fn, which hands a message to paho, unless the gate is shut.
func (l *link) handOver(fn func()) bool {
	l.gate.RLock()
	defer l.gate.RUnlock()
	if l.closed || l.broken.Load() {
		return false
	}
	fn()
	return true
}

func (l *link) Read(b []byte) (int, error) {
	err := l.SetReadDeadline(time.Now().Add(l.silence))
	n := 0
	if err == nil {
		n, err = l.Conn.Read(b)
	}
	if err == nil {
		return n, nil
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		err = errors.Join(errSilent, err)
	}
	l.breakOff(err)
	l.shut()
	return 0, &brokenError{l.cause}
}

func (l *link) Write(b []byte) (int, error) {
	if l.broken.Load() {
		return len(b), nil
	}
	// Every write has a deadline. paho sets one for PUBLISH only.
	err := l.SetWriteDeadline(time.Now().Add(l.writeTimeout))
	if err == nil {
		_, err = l.Conn.Write(b)
	}
	if err != nil {
		l.breakOff(err)
	}
	return len(b), nil
}

// errSilent says that the broker did not answer a ping.
var errSilent = errors.New("mqtt: the broker is silent")

// brokenError hides the text of its cause from paho, which looks into it for "use of
// closed network connection" and then does not report the end.
type brokenError struct{ cause error }

func (*brokenError) Error() string   { return "link broken" }
func (e *brokenError) Unwrap() error { return e.cause }
