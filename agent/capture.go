package agent

import (
	"encoding/json"
	"log/slog"

	"kedge/agent/buffer"
	"kedge/telemetry/wire"
)

// Limits of a part of evidence. 24 KiB passes every broker together with the
// other messages in flight; 25 samples keep what a lost part costs small.
const (
	partSamples = 25
	partBytes   = 24 << 10
	// sampleOverhead bounds what a sample takes beside its features and label.
	sampleOverhead = 320
)

// A capture gathers the samples around an alarm. Parts go to the outbox as they
// fill; what is not yet in one can be read from the ring again after a restart.
type capture struct {
	ID    string `json:"id"`
	Model string `json:"model"` // SHA-256
	Part  int    `json:"part"`  // number of the next part
	// From is the ring's number of the first sample that is in no part yet.
	From uint64 `json:"from"`
	// Left counts the samples after the alarm that are in no part yet.
	Left int `json:"left"`

	pending []wire.Sample
	size    int // of pending, in bytes
	after   int // of pending, those that came after the alarm
}

// beginCapture sends the samples before the alarm; with mu held. seq is the
// ring's number of the last of them.
func (a *agent) beginCapture(id string, before []wire.Sample, seq uint64) {
	c := &capture{ID: id, Model: a.serving.installed.Release.Model, From: seq + 1, Left: a.c.Evidence.After}
	a.serving.capture = c
	for _, s := range before {
		a.addSample(s, seq)
	}
	// Whatever is pending is not behind From, so it goes now.
	if c.Left == 0 || len(c.pending) > 0 {
		a.sendPart(c.Left == 0, seq)
	}
}

// captureSample adds a sample that came after the alarm; with mu held.
func (a *agent) captureSample(s wire.Sample, x []float32, seq uint64, inRing bool) {
	if a.serving.capture == nil {
		return
	}
	if !inRing {
		seq = a.serving.capture.From // nothing to read again
	}
	s.X = wire.PackFloat32s(x)
	a.addAfter(s, seq)
}

// addAfter adds a sample from after the alarm, and ends the capture with the last.
func (a *agent) addAfter(s wire.Sample, seq uint64) {
	a.addSample(s, seq)
	c := a.serving.capture
	c.after++
	if c.after >= c.Left {
		a.sendPart(true, seq)
	}
}

// addSample puts a sample into the present part, after sending that if it is full.
func (a *agent) addSample(s wire.Sample, seq uint64) {
	c := a.serving.capture
	size := sampleOverhead + len(s.Label) + (len(s.X)+2)/3*4
	if size > wire.MaxMessage-sampleOverhead {
		a.o.Log.Warn("sample too large for a message, not sent as evidence", slog.String("sample", s.ID), slog.Int("bytes", size))
		return
	}
	if len(c.pending) > 0 && (len(c.pending) == partSamples || c.size+size > partBytes) {
		a.sendPart(false, seq-1)
	}
	c.pending = append(c.pending, s)
	c.size += size
}

// sendPart puts the present part into the outbox. last is the ring's number of
// the last sample in it.
func (a *agent) sendPart(final bool, last uint64) {
	c := a.serving.capture
	part := wire.Evidence{V: wire.Version, ID: c.ID, Part: c.Part, Last: final, Model: c.Model, Samples: c.pending}
	payload, err := json.Marshal(&part)
	if err != nil {
		a.o.Log.Error("evidence cannot be encoded", slog.Any("error", err))
	} else {
		a.stored(a.buf.Outbox.Put(buffer.Message{
			Class: buffer.ClassEvidence, Topic: a.topics.Upload(c.ID, c.Part), Payload: payload, QoS: 1,
		}))
	}
	c.Part++
	c.From = max(c.From, last+1)
	c.Left -= c.after
	c.pending, c.size, c.after = nil, 0, 0
	if final {
		a.serving.capture = nil
		a.put(keyCapture, []byte("null"))
		return
	}
	a.storeCapture()
}

// storeCapture notes how far the parts are.
func (a *agent) storeCapture() {
	value, err := json.Marshal(a.serving.capture)
	if err != nil {
		a.o.Log.Error("progress of evidence cannot be encoded", slog.Any("error", err))
		return
	}
	a.put(keyCapture, value)
}

// endCapture sends what there is as the last part; with mu held.
func (a *agent) endCapture() {
	if a.serving != nil && a.serving.capture != nil {
		a.sendPart(true, a.serving.capture.From)
	}
}

// resumeCapture goes on with evidence that a restart interrupted, if the model
// is still the one that answered.
func (a *agent) resumeCapture() {
	var c *capture
	if json.Unmarshal(a.get(keyCapture), &c) != nil || c == nil || wire.CheckName(c.ID) != nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.serving.capture = c
	if c.Model != a.serving.installed.Release.Model || c.Left <= 0 {
		a.endCapture()
		return
	}
	for _, s := range a.readRing(c.From, a.buf.Ring.Next()) {
		if a.serving.capture != nil {
			a.addAfter(s.Sample, s.seq)
		}
	}
}
