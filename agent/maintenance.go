package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"
	"unicode/utf8"

	"kedge/agent/buffer"
	"kedge/telemetry/event"
	"kedge/telemetry/trust"
	"kedge/telemetry/wire"
)

// Files of the state directory. A technician's tool writes the request, and the agent,
// which looks for it every second, the outcome; so neither waits for the other, and
// both last over restarts.
const (
	fileRequest     = "maintenance.request.json"
	fileMaintenance = "maintenance.json"
)

const (
	maxRequest = 4096
	maxWho     = 64  // bytes
	maxWhy     = 256 // bytes
)

// ErrMaintenance: a request for maintenance that the agent would not take.
var ErrMaintenance = errors.New("not a request for maintenance")

// A MaintenanceRequest begins or ends the maintenance of a device: while it lasts
// samples are answered, and the watch raises no alarm.
type MaintenanceRequest struct {
	Start bool      `json:"start"` // else it ends
	Who   string    `json:"who"`
	Why   string    `json:"why,omitempty"`
	Time  time.Time `json:"time"` // of the request; tells two apart
	// Seconds bounds it; 0 and more than maintenance.limit mean that.
	Seconds float64 `json:"seconds,omitempty"`
}

func (r *MaintenanceRequest) check() error {
	switch {
	case r.Who == "" || len(r.Who) > maxWho || !utf8.ValidString(r.Who):
		return fmt.Errorf("who: %.80q, want 1 to %d bytes: %w", r.Who, maxWho, ErrMaintenance)
	case r.Start && r.Why == "" || len(r.Why) > maxWhy || !utf8.ValidString(r.Why):
		return fmt.Errorf("why: %.80q, want 1 to %d bytes: %w", r.Why, maxWhy, ErrMaintenance)
	case !(r.Seconds >= 0 && r.Seconds <= 1e9):
		return fmt.Errorf("seconds: %g: %w", r.Seconds, ErrMaintenance)
	}
	return nil
}

// RequestMaintenance leaves a request for the agent with that state directory, which
// takes it within a second if it runs, else when it starts.
func RequestMaintenance(dir string, r MaintenanceRequest) error {
	if err := r.check(); err != nil {
		return err
	}
	data, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("maintenance: %w", err)
	}
	return replaceFile(filepath.Join(dir, fileRequest), data)
}

// A Maintenance is how the maintenance of a device stands.
type Maintenance struct {
	Active  bool      `json:"active"`
	Who     string    `json:"who,omitempty"` // began it, or ended the last one
	Why     string    `json:"why,omitempty"`
	Since   time.Time `json:"since,omitzero"`
	Until   time.Time `json:"until,omitzero"`    // when it ends by itself
	Samples uint64    `json:"samples"`           // answered meanwhile
	Handled string    `json:"handled,omitempty"` // digest of the latest request
}

// ReadMaintenance returns how it stood when the agent with that state directory noted
// it last; the zero Maintenance if there never was one.
func ReadMaintenance(dir string) (m Maintenance, err error) {
	data, err := os.ReadFile(filepath.Join(dir, fileMaintenance))
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &m)
	}
	if err != nil {
		return m, fmt.Errorf("maintenance: %w", err)
	}
	return m, nil
}

// replaceFile puts data at path, wholly or not at all. Whoever writes it, the agent
// has to be able to read it.
func replaceFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// loadMaintenance takes up what an earlier run noted.
func (a *agent) loadMaintenance() {
	m, err := ReadMaintenance(a.c.Device.State)
	if err != nil {
		// Better a false alarm than a device that is silent for good.
		a.o.Log.Error("maintenance cannot be read, it counts as ended", slog.Any("error", err))
	}
	a.maintenance = m
}

// pollMaintenance takes a new request, and ends a maintenance whose time is over.
func (a *agent) pollMaintenance() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if m := &a.maintenance; m.Active && !a.o.Now().Before(m.Until) {
		a.endMaintenance("kedge", "its time is over")
	}
	data, err := readRequest(filepath.Join(a.c.Device.State, fileRequest))
	if data == nil && err == nil {
		return
	}
	digest := trust.Digest(data)
	if digest == a.maintenance.Handled {
		return
	}
	var r MaintenanceRequest
	if err == nil {
		err = json.Unmarshal(data, &r)
	}
	if err == nil {
		err = r.check()
	}
	a.maintenance.Handled = digest
	switch {
	case err != nil:
		a.say(event.MaintenanceRefused, slog.Any("error", err))
		a.putHealth(event.MaintenanceRefused, err.Error(), 0)
	case r.Start:
		a.startMaintenance(&r)
	case a.maintenance.Active:
		a.endMaintenance(r.Who, r.Why)
	}
	a.noteMaintenance()
}

// readRequest returns nil where there is none.
func readRequest(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxRequest {
		return nil, fmt.Errorf("%s of %d bytes: %w", fileRequest, info.Size(), ErrMaintenance)
	}
	return os.ReadFile(path)
}

// startMaintenance begins it, or takes another person and time for the one that lasts;
// with mu held. Evidence that is being captured ends: what follows is of no use as such.
func (a *agent) startMaintenance(r *MaintenanceRequest) {
	m := &a.maintenance
	lasts := a.c.Maintenance.Limit.Duration
	if asked := time.Duration(r.Seconds * float64(time.Second)); asked > 0 {
		lasts = min(lasts, asked)
	}
	now := a.o.Now()
	if !m.Active {
		*m = Maintenance{Active: true, Since: now.UTC(), Handled: m.Handled}
	}
	m.Who, m.Why, m.Until = r.Who, r.Why, now.Add(lasts).UTC()
	a.endCapture()
	if s := a.serving; s != nil {
		s.collect = nil
		a.pipe.Mute(s.model)
		a.persistMonitor()
	}
	a.say(event.MaintenanceStarted, slog.String("who", m.Who), slog.String("why", m.Why), slog.Time("until", m.Until))
	a.audit(wire.MaintenanceStarted, m.Who, m.Why)
	a.stateChanged()
}

// endMaintenance ends it and the alarm before it; with mu held. The watch begins anew
// with what it has learned, and the first signals go to the centre to be signed.
func (a *agent) endMaintenance(who, why string) {
	m := &a.maintenance
	a.say(event.MaintenanceEnded, slog.String("who", who), slog.String("why", why), slog.Uint64("samples", m.Samples))
	a.audit(wire.MaintenanceEnded, who, why)
	m.Active, m.Who, m.Why, m.Until = false, who, why, time.Time{}
	if s := a.serving; s != nil {
		a.unmute(s)
		a.put(keyCollected, nil)
		a.beginCollection()
	}
	a.noteMaintenance()
	a.stateChanged()
}

// unmute begins the watch anew; with mu held.
func (a *agent) unmute(s *serving) {
	if err := a.pipe.Unmute(s.model); err != nil {
		a.o.Log.Error("the watch cannot begin anew", slog.Any("error", err))
	}
	s.unreported = "" // the alarm has ended, and its report may still come
	if e, ok := a.pipe.Explain(); ok {
		s.state = e.State
	}
	a.persistMonitor()
}

// resumeMaintenance makes the watch over a model that came into service what the
// maintenance asks for; with mu held.
func (a *agent) resumeMaintenance(s *serving) {
	e, ok := a.pipe.Explain()
	switch {
	case a.maintenance.Active:
		a.pipe.Mute(s.model)
	case ok && e.Muted: // it ended, and the power went before this was stored
		a.unmute(s)
	}
}

// noteMaintenance writes it down; with mu held.
func (a *agent) noteMaintenance() {
	if a.maintenance.Handled == "" {
		return
	}
	data, err := json.Marshal(a.maintenance)
	if err == nil {
		err = replaceFile(filepath.Join(a.c.Device.State, fileMaintenance), data)
	}
	if err != nil {
		a.storeFailed(err)
	}
}

// audit tells the centre who did what.
func (a *agent) audit(action, who, why string) {
	m := a.maintenance
	a.putEvent(wire.KindAudit, buffer.ClassEvent, &wire.Audit{
		Action: action, Who: who, Why: why, Since: m.Since, Until: m.Until, Samples: m.Samples,
	})
}

// reportedMaintenance is nil while there is none; with mu held.
func (a *agent) reportedMaintenance() *wire.Maintenance {
	m := a.maintenance
	if !m.Active {
		return nil
	}
	return &wire.Maintenance{Who: m.Who, Why: m.Why, Since: m.Since, Until: m.Until, Samples: m.Samples}
}
