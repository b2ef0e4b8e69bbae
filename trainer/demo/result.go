package demo

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// A Result is what the demo measured.
type Result struct {
	// OK: drift was noticed, no alarm came before it, an update was committed,
	// and the stream's drifted part was answered better than without updates.
	OK        bool   `json:"ok"`
	Data      string `json:"data"`
	Simulated bool   `json:"simulated"`
	// AccuracyBefore is the device's accuracy over the first stage, before drift.
	AccuracyBefore float64 `json:"accuracy_before"`
	// AccuracyDrifted is its accuracy over all later stages, every answer as given.
	AccuracyDrifted float64 `json:"accuracy_drifted"`
	// AccuracyUntilUpdate and AccuracyAfterUpdate are its parts before and after
	// the first update; the latter is nil without an update.
	AccuracyUntilUpdate float64  `json:"accuracy_until_update"`
	AccuracyAfterUpdate *float64 `json:"accuracy_after_update"`
	// AccuracyDriftedWithoutUpdates is the same of a device that keeps the first model.
	AccuracyDriftedWithoutUpdates float64 `json:"accuracy_drifted_without_updates"`
	FalseAlarmsBeforeDrift        int     `json:"false_alarms_before_drift"`
	// SamplesToAlarm counts from the first drifted sample to the alarm, both included; nil without an alarm.
	SamplesToAlarm *int `json:"samples_to_alarm"`
	LabelsUsed     int  `json:"labels_used"`
	Updates        int  `json:"updates"` // committed by the device after the first model
	Refused        int  `json:"refused"` // candidates that the centre or the device turned down
	// BytesOverAir counts both directions between device and broker from the first sample to the last.
	BytesOverAir int64         `json:"bytes_over_air"`
	Models       []ModelResult `json:"models"`
	Stages       []StageResult `json:"stages"`
	Seconds      float64       `json:"seconds"`
}

// A ModelResult is one model version's time in service.
type ModelResult struct {
	Version  uint64  `json:"version"`
	Samples  int     `json:"samples"` // answered by it
	Accuracy float64 `json:"accuracy"`
}

// A StageResult is one stage of the stream.
type StageResult struct {
	Name                   string  `json:"name"`
	Samples                int     `json:"samples"`
	Accuracy               float64 `json:"accuracy"`
	AccuracyWithoutUpdates float64 `json:"accuracy_without_updates"`
	MeanConfidence         float64 `json:"mean_confidence"`
	Alarms                 int     `json:"alarms"`
}

// WriteTable prints the result for people.
func (r *Result) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "stage\tsamples\taccuracy\twithout updates\tmean confidence\talarms\n")
	for _, s := range r.Stages {
		fmt.Fprintf(t, "%s\t%d\t%.3f\t%.3f\t%.3f\t%d\n", s.Name, s.Samples, s.Accuracy, s.AccuracyWithoutUpdates, s.MeanConfidence, s.Alarms)
	}
	fmt.Fprintf(t, "\nmodel version\tsamples\taccuracy\n")
	for _, m := range r.Models {
		fmt.Fprintf(t, "%d\t%d\t%.3f\n", m.Version, m.Samples, m.Accuracy)
	}
	fmt.Fprintf(t, "\naccuracy before drift\t%.3f\n", r.AccuracyBefore)
	fmt.Fprintf(t, "accuracy during drift, until the first update\t%.3f\n", r.AccuracyUntilUpdate)
	fmt.Fprintf(t, "accuracy after the first update\t%s\n", optional("%.3f", r.AccuracyAfterUpdate))
	fmt.Fprintf(t, "accuracy over all drifted stages\t%.3f\n", r.AccuracyDrifted)
	fmt.Fprintf(t, "the same without updates\t%.3f\n", r.AccuracyDriftedWithoutUpdates)
	fmt.Fprintf(t, "false alarms before drift\t%d\n", r.FalseAlarmsBeforeDrift)
	fmt.Fprintf(t, "samples from drift to alarm\t%s\n", optional("%d", r.SamplesToAlarm))
	fmt.Fprintf(t, "labels used\t%d\n", r.LabelsUsed)
	fmt.Fprintf(t, "updates committed / candidates refused\t%d / %d\n", r.Updates, r.Refused)
	fmt.Fprintf(t, "bytes over the air\t%d\n", r.BytesOverAir)
	fmt.Fprintf(t, "seconds\t%.1f\n", r.Seconds)
	return t.Flush()
}

// optional formats a figure that there may not be.
func optional[T any](format string, v *T) string {
	if v == nil {
		return "none"
	}
	return fmt.Sprintf(format, *v)
}

// A tally counts right answers.
type tally struct {
	n, right   int
	confidence float64
	alarms     int
}

func (t *tally) add(a answer, truth string) {
	t.n++
	t.confidence += a.Confidence
	if a.Label == truth {
		t.right++
	}
	if a.Alarm {
		t.alarms++
	}
}

func (t *tally) merge(o tally) {
	t.n += o.n
	t.right += o.right
	t.confidence += o.confidence
	t.alarms += o.alarms
}

func (t *tally) accuracy() float64 { return ratio(float64(t.right), t.n) }

func (t *tally) meanConfidence() float64 { return ratio(t.confidence, t.n) }

func ratio(sum float64, n int) float64 {
	if n == 0 {
		return 0
	}
	return sum / float64(n)
}
