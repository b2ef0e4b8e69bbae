package agent

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"kedge/agent/buffer"
	"kedge/telemetry/event"
)

// say logs an event of the catalogue: its words, its code, and what to do.
func (a *agent) say(code event.Code, attrs ...slog.Attr) {
	e := event.Lookup(code)
	all := append([]slog.Attr{slog.String("code", string(code))}, attrs...)
	if e.Do != "" {
		all = append(all, slog.String("do", e.Do))
	}
	a.o.Log.LogAttrs(context.Background(), e.Severity.Level(), e.Text, all...)
}

// stored takes the outcome of a write and reports whether it took place; what
// the disk did not confirm is there too.
func (a *agent) stored(err error) bool {
	if err == nil || errors.Is(err, buffer.ErrUncertain) {
		return true
	}
	a.storeFailed(slog.Any("error", err))
	return false
}

// storeFailed says that something could not be stored, once in a while: full
// stores stay full for long, and inference goes on meanwhile.
func (a *agent) storeFailed(attrs ...slog.Attr) {
	if n, ok := a.full.pass(a.o.Now()); ok {
		a.say(event.StoreFull, append(attrs, slog.Uint64("count", n))...)
	}
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

// translator is a slog.Handler for the packages below, which log in words of
// their own: messages in its table become events of the catalogue, others pass.
type translator struct {
	slog.Handler
	table map[string]func(attrs []slog.Attr)
}

// Handle implements slog.Handler.
func (t translator) Handle(ctx context.Context, r slog.Record) error {
	say, known := t.table[r.Message]
	if !known {
		return t.Handler.Handle(ctx, r)
	}
	var attrs []slog.Attr
	r.Attrs(func(at slog.Attr) bool {
		attrs = append(attrs, at)
		return true
	})
	say(attrs)
	return nil
}

// WithAttrs implements slog.Handler.
func (t translator) WithAttrs(attrs []slog.Attr) slog.Handler {
	return translator{t.Handler.WithAttrs(attrs), t.table}
}

// WithGroup implements slog.Handler.
func (t translator) WithGroup(name string) slog.Handler {
	return translator{t.Handler.WithGroup(name), t.table}
}

// bufferLog translates what package buffer logs from its own goroutine.
func (a *agent) bufferLog() slog.Handler {
	return translator{a.o.Log.Handler(), map[string]func([]slog.Attr){
		"cannot store, trying again; what is stored is kept": func(attrs []slog.Attr) { a.storeFailed(attrs...) },
		"buffer file damaged":                                func([]slog.Attr) {}, // reportDamage says it, with an event
	}}
}

// sessionLog translates what package mqtt logs about one broker: a line when it
// cannot be reached or is lost, and one when it is there again.
func (a *agent) sessionLog() slog.Handler {
	var up atomic.Bool
	return translator{a.o.Log.Handler(), map[string]func([]slog.Attr){
		"broker connected": func(attrs []slog.Attr) {
			up.Store(true)
			a.say(event.BrokerConnected, attrs...)
		},
		"broker not reachable, trying again": func(attrs []slog.Attr) {
			code := event.BrokerUnreachable
			if up.Swap(false) {
				code = event.BrokerLost
			}
			a.sayAdvised(code, attrs)
		},
	}}
}

// sayAdvised is say for attributes that may hold better advice than the catalogue's.
func (a *agent) sayAdvised(code event.Code, attrs []slog.Attr) {
	e := event.Lookup(code)
	all := append([]slog.Attr{slog.String("code", string(code))}, attrs...)
	a.o.Log.LogAttrs(context.Background(), e.Severity.Level(), e.Text, all...)
}
