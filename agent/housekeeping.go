package agent

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"kedge/agent/source"
	"kedge/telemetry/event"
)

const (
	// tickEvery is how long an answer may wait to be written where nobody waits
	// for it, and how soon damage and losses are noticed.
	tickEvery = time.Second
	// persistEvery bounds what a power cut costs the watch, and the wear of the
	// flash: some 2 KiB each time.
	persistEvery = 10 * time.Second
)

// housekeeping does what time asks for, not samples. It ends the agent only if
// nobody can read its answers.
func (a *agent) housekeeping(ctx context.Context) error {
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	persist := time.NewTicker(persistEvery)
	defer persist.Stop()
	damaged := len(a.buf.Recovered())
	losses := a.newLosses()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-persist.C:
			a.persist()
		case <-tick.C:
			if err := a.written(a.answers.flush()); err != nil {
				return err
			}
			a.mu.Lock()
			a.retryBacklog()
			a.mu.Unlock()
			a.pollMaintenance()
			damaged = a.reportDamage(damaged)
			losses.report(a)
		}
	}
}

// reportDamage reports stores that were found damaged since the first seen, and
// returns how many there are by now.
func (a *agent) reportDamage(seen int) int {
	all := a.buf.Recovered()
	for _, r := range all[seen:] {
		lost := r.Lost + r.Corrupt
		a.say(event.StoreDamaged, slog.String("file", r.File), slog.String("aside", r.Aside), slog.Any("error", r.Cause),
			slog.Uint64("lost", lost), slog.Bool("exact", r.Exact))
		a.putHealth(event.StoreDamaged, fmt.Sprintf("%s, %d records lost", r.File, lost), lost)
	}
	return len(all)
}

// losses watches records that were dropped for want of room.
type losses struct {
	outbox, input uint64
	said          throttle
}

func (a *agent) newLosses() *losses {
	return &losses{outbox: a.buf.Counters().OutboxTotal().Dropped, said: throttle{every: time.Minute}}
}

func (l *losses) report(a *agent) {
	outbox, input := a.buf.Counters().OutboxTotal().Dropped, uint64(0)
	if t, ok := a.source.(*source.Topic); ok {
		input = t.Dropped()
	}
	if outbox == l.outbox && input == l.input {
		a.diskFull.Store(false) // of no concern for what is dropped later
		return
	}
	if _, ok := l.said.pass(a.o.Now()); !ok {
		return // the counts stand, so a later pass says them
	}
	a.sayDropped(outbox-l.outbox, input-l.input)
	l.outbox, l.input = outbox, input
}
