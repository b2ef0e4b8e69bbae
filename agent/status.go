package agent

import (
	"context"
	"encoding/json"
	"log/slog"
	goruntime "runtime"
	"time"

	"kedge/agent/drift"
	"kedge/agent/update"
	"kedge/telemetry/wire"
)

const (
	// reportEvery is how often counters are reported when nothing else changes.
	reportEvery = time.Minute
	// reportGap keeps a device whose state flaps from flooding the broker.
	reportGap = 200 * time.Millisecond
	// reportTimeout bounds one report; the next one says it again.
	reportTimeout = 10 * time.Second
	// lastReportTimeout leaves half of the time for a goodbye to the goodbye itself.
	lastReportTimeout = time.Second
)

// stateChanged asks for a new report of the device's state.
func (a *agent) stateChanged() { wake(a.changed) }

// reportState publishes the retained account of the device, when it has changed
// and now and then. It is no event: only the latest counts, so it does not go
// through the outbox.
func (a *agent) reportState(ctx context.Context) error {
	regular := time.NewTicker(reportEvery)
	defer regular.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-a.changed:
		case <-regular.C:
		}
		if a.session.Connected() { // else coming up asks for a report
			bounded, cancel := context.WithTimeout(ctx, reportTimeout)
			a.publishState(bounded, a.session)
			cancel()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(reportGap):
		}
	}
}

// A publisher is a session or one connection of it.
type publisher interface {
	Publish(ctx context.Context, topic string, payload []byte, qos byte, retain bool) error
}

func (a *agent) publishState(ctx context.Context, p publisher) {
	payload, err := json.Marshal(a.reported())
	if err != nil {
		a.o.Log.Error("state cannot be encoded", slog.Any("error", err))
		return
	}
	if err := p.Publish(ctx, a.topics.Reported(), payload, 1, true); err != nil {
		a.o.Log.Debug("state not published", slog.Any("error", err))
	}
}

// reported is the account as of now.
func (a *agent) reported() *wire.Reported {
	r := &wire.Reported{
		V: wire.Version, Device: a.c.Device.ID, Boot: a.boot, Time: a.o.Now().UTC(), Agent: a.o.Version,
		Platform: goruntime.GOOS + "/" + goruntime.GOARCH,
		Root:     a.updater.Root().Version(), Assign: a.updater.AssignSequence(), Counters: a.counters(),
	}
	a.mu.Lock()
	r.Maintenance = a.reportedMaintenance()
	var installed *update.Installed
	if a.serving != nil {
		installed = a.serving.installed
	}
	a.mu.Unlock()
	if installed == nil {
		return r
	}
	ref := installed.Ref()
	r.Model = &ref
	if e, ok := a.pipe.Explain(); ok {
		state := e.State
		if state == drift.Drift {
			state = drift.Latched // the alarm itself was one sample
		}
		r.Drift = &wire.Monitor{State: stateName(state, e.Muted).String(), Weak: e.Weak, N: uint64(e.N), Estimate: estimated(e.Estimate)}
	}
	return r
}

func (a *agent) counters() wire.Counters {
	t := a.buf.Counters().OutboxTotal()
	return wire.Counters{
		Inferences: a.inferences.Load(), Rejected: a.rejected.Load(),
		Produced: t.Produced, Sent: t.Done, Queued: t.Queued, Dropped: t.Dropped,
	}
}
