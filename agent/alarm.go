package agent

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"

	"kedge/agent/buffer"
	"kedge/agent/drift"
	"kedge/agent/pipeline"
	"kedge/telemetry/event"
	"kedge/telemetry/wire"
)

// maxMoved is how many inputs a drift report lists.
const maxMoved = 8

// alarm reports the first alarm since the reference is in force and begins to
// gather its evidence; with mu held. sample is the one that raised it, seq its
// number in the ring.
func (a *agent) alarm(got pipeline.Answer, sample wire.Sample, seq uint64) {
	a.say(event.DriftAlarm, slog.String("sample", sample.ID), slog.Any("fired", got.Fired), slog.Float64("confidence", got.Confidence))
	a.endCollection()
	a.endCapture()
	before := a.samplesBefore(sample, seq)
	id := fmt.Sprintf("%s-%d", a.boot, got.Sequence)
	report, ok := a.newEvent(wire.KindDrift, buffer.ClassReport, a.driftReport(got, sample.ID, wire.EvidenceRef{
		ID: id, Before: len(before), After: a.c.Evidence.After,
	}))
	c := newCapture(id, a.serving.installed.Release.Model, before, a.c.Evidence.After)
	if ok {
		a.report(report, id, a.encodeCapture(c))
	}
	a.beginCapture(c, before)
	a.stateChanged()
}

// report puts the drift report into the outbox; with mu held. Until it is there the
// alarm is not noted as raised: after a restart the watch goes on from before it,
// and raises it again. progress is what its evidence begins with.
func (a *agent) report(m buffer.Message, id string, progress []byte) {
	s := a.serving
	s.unreported = id
	a.putOrKeep(m, func() {
		a.put(keyCapture, progress)
		if s.unreported != id {
			return // a new reference has ended the alarm meanwhile
		}
		s.unreported = ""
		if a.serving == s {
			a.persistMonitor()
		}
	})
}

// samplesBefore reads the latest samples that the model in service answered, up
// to and with the one given, which is there even if the ring took nothing.
func (a *agent) samplesBefore(last wire.Sample, seq uint64) []ringSample {
	n := uint64(a.c.Evidence.Before)
	from := a.serving.first
	if seq >= n {
		from = max(from, seq-n+1)
	}
	samples := append(a.readRing(from, seq), ringSample{last, seq})
	return samples[max(0, len(samples)-a.c.Evidence.Before):]
}

// A ringSample is a sample with its number in the ring.
type ringSample struct {
	wire.Sample
	seq uint64
}

// readRing returns the samples of the ring in [from, to).
func (a *agent) readRing(from, to uint64) []ringSample {
	if from >= to {
		return nil
	}
	records, err := a.buf.Ring.Read(from, to)
	if err != nil {
		a.o.Log.Error("input ring cannot be read", slog.Any("error", err))
	}
	var samples []ringSample
	for _, r := range records {
		rec, err := pipeline.ParseRecord(r.Payload)
		if err != nil {
			a.o.Log.Error("input ring holds something else", slog.Uint64("record", r.Seq), slog.Any("error", err))
			continue
		}
		samples = append(samples, ringSample{wire.Sample{
			ID:   wire.SampleID{Device: a.c.Device.ID, Boot: rec.Boot, Sequence: rec.Sequence}.String(),
			Time: rec.Time, X: wire.PackFloat32s(rec.X), Label: rec.Label, Confidence: rec.Confidence,
		}, r.Seq})
	}
	return samples
}

// driftReport translates the pipeline's report; with mu held.
func (a *agent) driftReport(got pipeline.Answer, sample string, evidence wire.EvidenceRef) *wire.Drift {
	r := got.Report
	d := &wire.Drift{
		Model: a.serving.installed.Ref(), Sample: sample, N: uint64(r.N), Alarm: uint64(r.Alarms),
		Fired: got.Fired, Weak: r.Weak, Evidence: evidence,
		Promise: promise(r.ARL, "all detectors together"),
		Before:  a.window(r.Before, r.Moved), After: a.window(r.After, r.Moved),
		Detectors: detectors(&r.Explanation, "", got.Fired),
	}
	if r.Weak {
		d.Promise += fmt.Sprintf("; it does not hold yet: the reference has %d samples", r.ReferenceN)
	}
	// The signal was compared with the reference, not with what came since.
	d.Before.N, d.Before.SignalMean = uint64(r.ReferenceN), r.Mu0
	for _, o := range r.Others {
		d.Signals = append(d.Signals, wire.Signal{
			Name: o.Name, N: uint64(o.N), Mean: o.RecentMean, Reference: o.Mu0, ReferenceN: uint64(o.ReferenceN), Weak: o.Weak,
			Detectors: detectors(&o.Explanation, o.Name+"/", got.Fired),
		})
	}
	d.Estimate = estimated(r.Estimate)
	if r.Key != "" {
		d.Context = &wire.Context{Key: r.Key, Value: r.Where, Known: uint64(r.Contexts), Unknown: uint64(r.Unknown)}
	}
	if r.Inputs != nil {
		d.Inputs = a.inputReport(r.Inputs, slices.Contains(got.Fired, pipeline.FiredInputs))
	}
	fit(d)
	return d
}

// reportBytes leaves room for the event around a report.
const reportBytes = wire.MaxMessage - 4096

// fit leaves out of a report that no reader would take what can best be spared: the
// histograms, then the courses of the further signals, then the class mix.
func fit(d *wire.Drift) {
	for _, spare := range []func(){
		func() {},
		func() {
			if d.Inputs != nil {
				d.Inputs.Histograms = nil
			}
		},
		func() {
			for _, s := range d.Signals {
				for i := range s.Detectors {
					s.Detectors[i].Course = nil
				}
			}
		},
		func() { d.Before.Classes, d.After.Classes = nil, nil },
	} {
		spare()
		if data, err := json.Marshal(d); err != nil || len(data) <= reportBytes {
			return
		}
	}
}

func promise(arl float64, whose string) string {
	return fmt.Sprintf("at most one false alarm in %.0f inferences, %s", arl, whose)
}

// detectors accounts for those of a signal; prefix stands before their names in fired.
func detectors(e *drift.Explanation, prefix string, fired []string) []wire.Detector {
	var all []wire.Detector
	for i, d := range e.Detectors {
		one := wire.Detector{
			Name: d.Name, Statistic: d.Statistic, Threshold: d.Threshold, Promise: d.Promise,
			Fired: slices.Contains(fired, prefix+d.Name),
		}
		for _, point := range e.Course {
			one.Course = append(one.Course, point.Statistics[i])
		}
		all = append(all, one)
	}
	return all
}

func (a *agent) window(w pipeline.Window, moved []int) wire.Window {
	out := wire.Window{N: w.N, SignalMean: w.SignalMean}
	if w.N == 0 {
		return out
	}
	labels, names := a.serving.model.Labels(), a.serving.model.Features()
	if len(labels) > 0 {
		out.Classes = make(map[string]uint64)
	}
	for i, n := range w.Classes {
		if n > 0 {
			out.Classes[labels[i]] += n
		}
	}
	for _, i := range moved[:min(len(moved), maxMoved)] {
		out.Inputs = append(out.Inputs, wire.Input{Name: names[i], Mean: w.Inputs[i]})
	}
	return out
}
