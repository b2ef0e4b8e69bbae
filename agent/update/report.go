package update

import (
	"context"
	"log/slog"

	"kedge/telemetry/event"
	"kedge/telemetry/wire"
)

// report tells a change of state, with the slot that is in service now.
func (u *Updater) report(w wire.Update) {
	if u.active != nil {
		w.Slot = u.active.Slot
	}
	u.o.Report(w)
}

// tellQueued reports what Open found.
func (u *Updater) tellQueued() {
	for _, w := range u.queued {
		u.report(w)
	}
	u.queued = nil
}

// jobUpdate is the account of the job in a state.
func (u *Updater) jobUpdate(state string, code event.Code, reason string) wire.Update {
	j := u.job
	w := wire.Update{Release: j.release, State: state, Code: string(code), Reason: reason}
	if j.rel != nil {
		w.Name, w.Version = j.rel.Name, j.rel.Version
	}
	if j.staging != nil {
		w.Bytes = j.staging.bytes()
	}
	return w
}

// log writes an event of the catalogue.
func (u *Updater) log(code event.Code, attrs ...slog.Attr) {
	e := event.Lookup(code)
	attrs = append([]slog.Attr{slog.String("code", string(code))}, attrs...)
	if e.Do != "" {
		attrs = append(attrs, slog.String("do", e.Do))
	}
	u.o.Log.LogAttrs(context.Background(), e.Severity.Level(), e.Text, attrs...)
}
