package agent

import (
	"errors"
	"log/slog"
	"time"

	"kedge/agent/buffer"
)

const (
	// backlogBytes bounds what waits in memory for room in the outbox: some
	// forty parts of evidence.
	backlogBytes = 1 << 20
	// backlogEvery is how often the outbox is offered again what it refused.
	backlogEvery = time.Second
)

// A backlog holds the drift reports and the parts of evidence that the outbox had
// no room for, in their order. What is only here does not survive a restart, so
// that nothing may be noted as done before its message has left it.
type backlog struct {
	waiting []waiting
	bytes   int
	offered time.Time // when the outbox was tried last
	said    bool      // that something waits, since it was empty
}

// waiting is a message, and what to do once the outbox has it.
type waiting struct {
	message buffer.Message
	stored  func()
}

// putOrKeep puts a message into the outbox behind those that wait, now or as soon
// as there is room, and then calls stored; with mu held.
func (a *agent) putOrKeep(m buffer.Message, stored func()) {
	if size := len(m.Payload); a.backlog.bytes+size > backlogBytes {
		// No room here either. Put, not TryPut: if this fails too the message is
		// dropped, and counts.
		if a.stored(a.buf.Outbox.Put(m)) {
			stored()
		}
		return
	}
	a.backlog.waiting = append(a.backlog.waiting, waiting{m, stored})
	a.backlog.bytes += len(m.Payload)
	if len(a.backlog.waiting) == 1 {
		a.offerBacklog()
	}
}

// retryBacklog offers what waits to the outbox, at a bounded rate; with mu held.
func (a *agent) retryBacklog() {
	if len(a.backlog.waiting) == 0 {
		return
	}
	if since := a.o.Now().Sub(a.backlog.offered); since < 0 || since >= backlogEvery {
		a.offerBacklog()
	}
}

// offerBacklog moves what the outbox takes; with mu held.
func (a *agent) offerBacklog() {
	b := &a.backlog
	b.offered = a.o.Now()
	for len(b.waiting) > 0 {
		w := b.waiting[0]
		err := a.buf.Outbox.TryPut(w.message)
		permanent := errors.Is(err, buffer.ErrTooLarge)
		if err != nil && !errors.Is(err, buffer.ErrUncertain) && !permanent {
			a.noteCause(err)
			if !b.said {
				a.storeFailed(err)
			}
			b.said = true
			return
		}
		if permanent {
			a.o.Log.Error("message too large for the outbox", slog.String("topic", w.message.Topic), slog.Any("error", err))
		}
		b.bytes -= len(w.message.Payload)
		b.waiting = b.waiting[1:]
		w.stored() // what is too large will never be there: no use in waiting for it
	}
	*b = backlog{offered: b.offered}
}

// abandonBacklog tries for the last time, and says what is lost.
func (a *agent) abandonBacklog() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.backlog.waiting) == 0 {
		return
	}
	a.offerBacklog()
	if n := len(a.backlog.waiting); n > 0 {
		a.sayDropped(uint64(n), 0)
	}
}
