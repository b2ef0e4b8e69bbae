package trainer

import (
	"encoding/json"
	"fmt"

	"kedge/telemetry/wire"
	"kedge/trainer/release"
	"kedge/trainer/store"
)

// rearm signs the signals that a device captured after its latest alarm as the
// running model's reference, and returns how many they are; 0 if they are too
// few. An alarm stands until it is answered: without this, one that leads to no
// better model, a false one above all, would be the device's last.
func (r *retrainer) rearm(tx *store.Tx, d due) (int, error) {
	report := d.reports[len(d.reports)-1]
	var alarm wire.Drift
	if err := json.Unmarshal(report.Report, &alarm); err != nil {
		return 0, fmt.Errorf("drift report %s: %w", report.Event, err)
	}
	at, err := wire.ParseSampleID(alarm.Sample)
	if err != nil {
		return 0, fmt.Errorf("drift report %s: %w", report.Event, err)
	}
	samples, err := tx.EvidenceSamples(report.Site, report.Device, report.Evidence)
	if err != nil {
		return 0, err
	}
	var signals []float64
	for _, s := range samples {
		id, err := wire.ParseSampleID(s.ID)
		if err == nil && s.Model == report.Model && (id.Boot != at.Boot || id.Sequence > at.Sequence) {
			signals = append(signals, s.Confidence)
		}
	}
	if len(signals) < leastLabels {
		return 0, nil
	}
	ref, err := release.NewReference(signals)
	if err != nil {
		return 0, fmt.Errorf("drift report %s: %w", report.Event, err)
	}
	_, err = r.t.registry.SignReference(tx, report.Site, report.Device, report.Model, "", ref)
	return len(signals), err
}
