package main

import (
	"encoding/json"
	"fmt"
	"time"

	"kedge/telemetry/wire"
)

// at is the time of everything in the vectors, give or take.
var at = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const (
	boot       = "17-3f9a12c0"
	evidenceID = "17-3f9a12c0-904"
)

func sampleID(n uint64) string {
	return wire.SampleID{Device: device.Device, Boot: boot, Sequence: n}.String()
}

// addMessages shows one message of every kind, and some that readers refuse.
func (s *set) addMessages() {
	model := wire.ModelRef{Name: "pump", Version: 7, SHA256: sampleDigest, Release: sampleDigest, Slot: "a"}
	s.message("state", "a device is there", "state", device.State(),
		&wire.State{V: 1, Device: device.Device, Boot: boot, Session: 3, Online: true, Time: at})
	s.message("state-will", "its will", "state", device.State(),
		&wire.State{V: 1, Device: device.Device, Boot: boot, Session: 3, Online: false, Time: at})
	s.message("reported", "what it says of itself", "reported", device.Reported(), &wire.Reported{
		V: 1, Device: device.Device, Boot: boot, Time: at, Agent: "0.1.0", Platform: "linux/arm64", Model: &model,
		Drift: &wire.Monitor{State: "stable", N: 8120}, Root: 2, Assign: 4,
		Counters: wire.Counters{Inferences: 20144, Rejected: 3, Produced: 61, Sent: 58, Queued: 2, Dropped: 1},
	})
	s.message("reported-new", "a device without a model", "reported", device.Reported(),
		&wire.Reported{V: 1, Device: device.Device, Boot: "1-00c0ffee", Time: at, Agent: "0.1.0", Platform: "linux/arm", Root: 1})
	s.message("reported-maintenance", "a device that somebody works on", "reported", device.Reported(), &wire.Reported{
		V: 1, Device: device.Device, Boot: boot, Time: at, Agent: "0.1.0", Platform: "linux/arm64", Model: &model,
		Drift: &wire.Monitor{State: "maintenance", Weak: true, N: 8120, Estimate: &wire.Estimate{
			Kind: "atc", Window: 500, N: 500, Accuracy: &wire.Bounded{Value: 0.75, Low: 0.625, High: 0.875}, Lost: wire.Bounded{Value: 0.125, Low: 0, High: 0.25},
		}}, Root: 2, Assign: 4,
		Counters:    wire.Counters{Inferences: 20144},
		Maintenance: &wire.Maintenance{Who: "ann", Why: "new bearing", Since: at, Until: at.Add(30 * time.Minute), Samples: 24},
	})
	s.addEvents(model)
	s.message("evidence-0", "the first part of an alarm's samples", "evidence", device.Upload(evidenceID, 0),
		&wire.Evidence{V: 1, ID: evidenceID, Part: 0, Model: sampleDigest, Samples: []wire.Sample{
			{ID: sampleID(903), Time: at, X: wire.PackFloat32s([]float32{0.42, 1.5}), Label: "good", Confidence: 0.6171875},
			{ID: sampleID(904), Time: at.Add(500 * time.Millisecond), X: wire.PackFloat32s([]float32{2.75, 120}), Label: "worn", Confidence: 0.51953125},
		}})
	s.message("evidence-1", "the last part, empty since the input ended", "evidence", device.Upload(evidenceID, 1),
		&wire.Evidence{V: 1, ID: evidenceID, Part: 1, Last: true, Model: sampleDigest})
	s.message("labels", "ground truth by sample, and by device and time", "labels", wire.Truth("north", "lab"),
		&wire.Labels{V: 1, Labels: []wire.Label{{Sample: sampleID(904), Label: "worn"}, {Device: device.Device, Time: at, Label: "good"}}})
	s.message("get", "chunks 16 and 19 of a blob", "get", device.Get(),
		&wire.Get{V: 1, Blob: sampleDigest, First: 16, Want: 0b1001})
	s.addRefusedMessages()
}

func (s *set) addEvents(model wire.ModelRef) {
	s.event(wire.KindDrift, 1, "an alarm", &wire.Drift{
		Model: model, Sample: sampleID(904), N: 8120, Alarm: 1, Fired: []string{"page-hinkley"},
		Promise: "at most one false alarm in 1000000 inferences, all detectors together",
		Detectors: []wire.Detector{
			{Name: "page-hinkley", Statistic: 51.5, Threshold: 50.25, Fired: true, Promise: "one false alarm in 2000000 inferences", Course: []float64{48.75, 50, 51.5}},
			{Name: "e-sr", Statistic: 9.5, Threshold: 14.5, Promise: "one false alarm in 2000000 inferences"},
		},
		Before:   wire.Window{N: 600, SignalMean: 0.95703125, Classes: map[string]uint64{"good": 580, "worn": 20}, Inputs: []wire.Input{{Name: "rms", Mean: -0.125}}},
		After:    wire.Window{N: 8, SignalMean: 0.703125, Classes: map[string]uint64{"good": 1, "worn": 7}, Inputs: []wire.Input{{Name: "rms", Mean: 2.5}}},
		Evidence: wire.EvidenceRef{ID: evidenceID, Before: 2, After: 100},
	})
	s.named("event-drift-inputs", wire.KindDrift, 5, "an alarm of a further signal and of the inputs", inputsAlarm(model))
	s.event(wire.KindUpdate, 2, "a refused update", &wire.Update{
		Release: sampleDigest, Name: "pump", Version: 8, State: wire.UpdateRefused, Code: "K0405",
		Reason: "pump version 8 < floor 9: below the security floor", Slot: "a", Bytes: 40960,
	})
	s.event(wire.KindReference, 3, "the first signals of a new model (readers ask for 500 or more in practice)", &wire.Reference{
		Model: model, First: sampleID(1000), Signals: []byte{255, 255, 254, 250, 255, 231},
	})
	s.event(wire.KindAudit, 6, "somebody ended a maintenance", &wire.Audit{
		Action: wire.MaintenanceEnded, Who: "ann", Why: "bearing is in", Since: at, Until: at.Add(30 * time.Minute), Samples: 1200,
	})
	s.event(wire.KindHealth, 4, "something that people should know", &wire.Health{
		Code: "K0503", Severity: "W", Text: "records dropped", Do: "restore the connection or raise buffer.max_bytes", Count: 12,
	})
}

// inputsAlarm is an alarm with all that a device may say of it.
func inputsAlarm(model wire.ModelRef) *wire.Drift {
	return &wire.Drift{
		Model: model, Sample: sampleID(960), N: 8176, Alarm: 1, Fired: []string{"margin/page-hinkley", "inputs"},
		Promise: "at most one false alarm in 1000000 inferences, all detectors together",
		Detectors: []wire.Detector{
			{Name: "page-hinkley", Statistic: 0.25, Threshold: 50.25, Promise: "one false alarm in 6000000 inferences"},
		},
		Before:   wire.Window{N: 600, SignalMean: 0.95703125},
		After:    wire.Window{N: 64, SignalMean: 0.955078125},
		Evidence: wire.EvidenceRef{ID: boot + "-960", Before: 2, After: 100},
		Context:  &wire.Context{Key: "hour", Value: "12", Known: 24, Unknown: 3},
		Estimate: &wire.Estimate{
			Kind: "atc", Window: 500, N: 500, Accuracy: &wire.Bounded{Value: 0.75, Low: 0.625, High: 0.875}, Lost: wire.Bounded{Value: 0.125, Low: 0, High: 0.25},
		},
		Signals: []wire.Signal{{
			Name: "margin", N: 8176, Mean: 0.5, Reference: 0.75, ReferenceN: 600,
			Detectors: []wire.Detector{{Name: "page-hinkley", Statistic: 30.5, Threshold: 30.25, Fired: true, Promise: "one false alarm in 6000000 inferences", Course: []float64{15.25, 30.5}}},
		}},
		Inputs: &wire.Inputs{
			Fired: true, Promise: "at most one false alarm in 3000000 inferences, all features and tests together", ReferenceN: 600,
			Moved: []wire.Moved{{
				Name: "rms", Tests: []string{"ks", "range"}, Effect: 0.5, PSI: 1.75, KS: 0.5, Outside: 0.25,
				Before: wire.Values{N: 599, Missing: 1, Least: 0, Q05: 0.25, Median: 0.5, Q95: 0.75, Most: 1},
				After:  wire.Values{N: 3, Missing: 5, Least: 0.75, Q05: 0.75, Median: 1, Q95: 1.5, Most: 1.5},
			}, {Name: "valve", Tests: []string{"range"}, Constant: true, Effect: 1, Outside: 1}},
			Histograms: map[string]string{"rms": "AQUCyAEBNgI"}, // 5 missing, 1 in bin 200, 2 in bin 255
		},
	}
}

func (s *set) event(kind string, n int, why string, data wire.Message) {
	s.named("event-"+kind, kind, n, why, data)
}

func (s *set) named(name, kind string, n int, why string, data wire.Message) {
	e, err := wire.NewEvent(device, kind, fmt.Sprintf("%s/%s/%d", device.Device, boot, n), at, data)
	if err != nil {
		s.fail(err)
		return
	}
	s.message(name, why, "event/"+kind, device.Event(kind), e)
}

// message adds one that every reader takes.
func (s *set) message(name, why, kind, topic string, m wire.Message) {
	if err := m.Check(); err != nil {
		s.fail(fmt.Errorf("message %s: %w", name, err))
	}
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		s.fail(err)
	}
	s.checked(append(data, '\n'), check{
		File: "messages/" + name + ".json", Why: why, Check: checkMessage, Message: kind, Topic: topic, Outcome: accept,
	})
}

// addRefusedMessages holds one broken rule each, and two that are not broken.
func (s *set) addRefusedMessages() {
	state := `{"v":1,"device":"pump-1","boot":"17-3f9a12c0","session":3,"online":true,"time":"2026-03-01T12:00:00Z"`
	sample := `{"v":1,"id":"e1","part":0,"last":true,"model":"` + sampleDigest + `","samples":[{"id":"pump-1/b/1","time":"2026-03-01T12:00:00Z","label":"good","confidence":0.5,"x":`
	for _, m := range []struct{ name, kind, text, outcome, why string }{
		{"state-future", "state", state + `,"battery":0.93}`, accept, "a member of the future is passed over"},
		{"state-truncated", "state", state, malformed, "JSON that does not end"},
		{"state-trailing", "state", state + `}{}`, malformed, "something behind the message"},
		{"state-session-0", "state", `{"v":1,"device":"pump-1","boot":"b","session":0,"online":true,"time":"2026-03-01T12:00:00Z"}`, malformed, "sessions count from 1"},
		{"state-version-2", "state", `{"v":2,"device":"pump-1","boot":"b","session":1,"online":true,"time":"2026-03-01T12:00:00Z"}`, malformed, "another version"},
		{"state-name", "state", `{"v":1,"device":"pump/1","boot":"b","session":1,"online":true,"time":"2026-03-01T12:00:00Z"}`, malformed, "a name that is no topic level"},
		{"get-nothing", "get", `{"v":1,"blob":"` + sampleDigest + `","first":0,"want":0}`, malformed, "a request for nothing"},
		{"get-wide", "get", `{"v":1,"blob":"` + sampleDigest + `","first":0,"want":65536}`, malformed, "more than a window"},
		{"get-fraction", "get", `{"v":1,"blob":"` + sampleDigest + `","first":0,"want":1e0}`, malformed, "an integer written as a floating-point number"},
		{"labels-nobody", "labels", `{"v":1,"labels":[{"label":"good"}]}`, malformed, "a label of no sample"},
		{"labels-sample-id", "labels", `{"v":1,"labels":[{"sample":"pump-1/b/07","label":"good"}]}`, malformed, "a second name for sample 7"},
		{"evidence-x", "evidence", sample + `"AADAPwA="}]}`, malformed, "features of 5 bytes"},
		{"evidence-nan", "evidence", sample + `"AADAfw=="}]}`, malformed, "a feature that is not a number"},
	} {
		s.checked([]byte(m.text), check{
			File: "messages/more/" + m.name + ".json", Why: m.why, Check: checkMessage, Message: m.kind, Outcome: m.outcome,
		})
	}
}
