package agent

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"kedge/agent/buffer"
	"kedge/telemetry/event"
	"kedge/telemetry/mqtt"
)

// say logs an event of the catalogue: its words, its code, and what to do.
func (a *agent) say(code event.Code, attrs ...slog.Attr) {
	a.sayAdvised(code, event.Lookup(code).Do, attrs...)
}

// sayAdvised is say with better advice than the catalogue's.
func (a *agent) sayAdvised(code event.Code, do string, attrs ...slog.Attr) {
	e := event.Lookup(code)
	all := append([]slog.Attr{slog.String("code", string(code))}, attrs...)
	if do != "" {
		all = append(all, slog.String("do", do))
	}
	a.o.Log.LogAttrs(context.Background(), e.Severity.Level(), e.Text, all...)
}

// stored takes the outcome of a write and reports whether it took place; what
// the disk did not confirm is there too.
func (a *agent) stored(err error) bool {
	if err == nil || errors.Is(err, buffer.ErrUncertain) {
		return true
	}
	a.storeFailed(err)
	return false
}

// storeFailed says that something could not be stored, once in a while: full
// stores stay full for long, and inference goes on meanwhile.
func (a *agent) storeFailed(cause error) {
	a.noteCause(cause)
	if n, ok := a.full.pass(a.o.Now()); ok {
		a.say(event.StoreFull, slog.Any("error", cause), slog.Uint64("count", n))
	}
}

// noteCause remembers what sayDropped advises about.
func (a *agent) noteCause(cause error) {
	if errors.Is(cause, buffer.ErrDisk) {
		a.diskFull.Store(true)
	}
}

// answersFailed is storeFailed for the output, which may lie on another disk.
func (a *agent) answersFailed(cause error) {
	if n, ok := a.fullOutput.pass(a.o.Now()); ok {
		a.sayAdvised(event.StoreFull, "free space on the disk of output.answers; inference goes on, answers are lost meanwhile",
			slog.Any("error", cause), slog.Uint64("count", n))
	}
}

// sayDropped says how many records were lost, with advice that fits the cause: a
// full disk lasts until room is made, a full outbox until the broker is back.
func (a *agent) sayDropped(reports, inputs uint64) {
	do := event.Lookup(event.StoreDropped).Do
	switch {
	case a.diskFull.Swap(false):
		do = "free space on the disk of the state directory"
	case reports == 0:
		do = "send fewer samples or raise source.queue: the model does not keep up with them"
	}
	a.sayAdvised(event.StoreDropped, do, slog.Uint64("reports", reports), slog.Uint64("inputs", inputs))
}

// A throttle lets a message through once in a while and counts the others.
type throttle struct {
	every time.Duration

	mu   sync.Mutex
	last time.Time
	held uint64
}

// pass reports whether to say it now, and how often it happened since it was
// said last, this time included.
func (t *throttle) pass(now time.Time) (uint64, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.held++
	if !t.last.IsZero() && now.Sub(t.last) < t.every {
		return 0, false
	}
	n := t.held
	t.last, t.held = now, 0
	return n, true
}

// sayBroker says that a broker is there, or why it is not.
func (a *agent) sayBroker(s mqtt.Status) {
	broker, cause := slog.String("broker", s.Broker), slog.Any("cause", s.Cause)
	s.Do = brokerAdvice(s)
	switch {
	case s.Up:
		a.say(event.BrokerConnected, broker, slog.Uint64("session", s.Session))
	case s.Lost:
		a.sayAdvised(event.BrokerLost, s.Do, broker, cause)
	default:
		a.sayAdvised(event.BrokerUnreachable, s.Do, broker, cause)
	}
}

// brokerAdvice is the session's advice, but for a broker that is there and refuses
// this device in the TLS handshake: then the network is not to blame.
func brokerAdvice(s mqtt.Status) string {
	if op, ok := errors.AsType[*net.OpError](s.Cause); ok && op.Op == "remote error" { // as package tls calls the peer's alerts
		return "check mqtt.cert and mqtt.key: the broker refused this device's certificate, or wants one"
	}
	return s.Do
}
