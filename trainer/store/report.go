package store

import (
	"fmt"
	"time"
)

// Status says what became of a drift report.
type Status string

// Statuses of a drift report.
const (
	StatusOpen       Status = "open"       // waits for labels
	StatusReleased   Status = "released"   // a new model was assigned
	StatusRefused    Status = "refused"    // the new model was not better
	StatusSuperseded Status = "superseded" // the device runs another model by now
)

// A DriftReport is an alarm that a device reported.
type DriftReport struct {
	ID           int64
	Site, Device string
	Event        string
	Time         time.Time
	Name         string // of the model
	Model        string // SHA-256 of it
	Evidence     string
	Before       int // evidence samples announced, up to the alarm
	After        int // and after it
	Report       []byte
	Received     time.Time // by the centre's clock
	Status       Status
	Tried        int    // labeled evidence samples when it was last trained for
	Release      string // digest of the answer
	Detail       string
}

// AddDriftReport keeps a new report as open.
func (t *Tx) AddDriftReport(r DriftReport) error {
	_, err := t.exec("drift report "+r.Event, `INSERT INTO drift_reports
		(site, device, event, time, name, model, evidence, before_, after_, report, received, status)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		r.Site, r.Device, r.Event, nano(r.Time), r.Name, r.Model, r.Evidence, r.Before, r.After, r.Report, nano(r.Received), StatusOpen)
	return err
}

const reportColumns = "id, site, device, event, time, name, model, evidence, before_, after_, report, received, status, tried, release_, detail"

func scanReport(s scanner) (DriftReport, error) {
	var r DriftReport
	var at, received int64
	err := s.Scan(&r.ID, &r.Site, &r.Device, &r.Event, &at, &r.Name, &r.Model, &r.Evidence, &r.Before, &r.After,
		&r.Report, &received, &r.Status, &r.Tried, &r.Release, &r.Detail)
	r.Time, r.Received = fromNano(at), fromNano(received)
	return r, err
}

// Unanswered returns the reports that are open or were refused, oldest first.
func (t *Tx) Unanswered() ([]DriftReport, error) {
	return rows(t, "drift reports", scanReport, "SELECT "+reportColumns+` FROM drift_reports
		WHERE status IN (?, ?) ORDER BY id`, StatusOpen, StatusRefused)
}

// OpenReports counts the open reports of a device under a model.
func (t *Tx) OpenReports(site, device, model string) (int, error) {
	var n int
	err := t.row("drift reports of "+device, "SELECT COUNT(*) FROM drift_reports WHERE site = ? AND device = ? AND model = ? AND status = ?",
		[]any{site, device, model, StatusOpen}, &n)
	return n, err
}

// DriftReports returns a device's reports, oldest first.
func (t *Tx) DriftReports(site, device string) ([]DriftReport, error) {
	return rows(t, "drift reports of "+device, scanReport, "SELECT "+reportColumns+` FROM drift_reports
		WHERE site = ? AND device = ? ORDER BY id`, site, device)
}

// AnswerReport notes what became of a report.
func (t *Tx) AnswerReport(id int64, status Status, tried int, release, detail string) error {
	n, err := t.exec("drift report", "UPDATE drift_reports SET status = ?, tried = ?, release_ = ?, detail = ? WHERE id = ?",
		status, tried, release, detail, id)
	if err == nil && n == 0 {
		err = fmt.Errorf("store: drift report %d: %w", id, ErrNotFound)
	}
	return err
}
