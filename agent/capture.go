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
// fill; what is not yet there can be read from the ring again after a restart.
type capture struct {
	ID    string `json:"id"`
	Model string `json:"model"` // SHA-256
	Part  int    `json:"part"`  // number of the next part
	// From is the ring's number of the first sample that is in no part yet.
	From uint64 `json:"from"`
	// Left counts the samples that are in no part yet.
	Left int `json:"left"`

	pending []wire.Sample
	size    int // of pending, in bytes
	taken   int // samples for this part, also those that are too large to be sent
}

// newCapture plans the evidence of an alarm: the samples before, which are in the
// ring, and so many after it.
func newCapture(id, model string, before []ringSample, after int) *capture {
	return &capture{ID: id, Model: model, From: before[0].seq, Left: len(before) + after}
}

// beginCapture sends the samples before the alarm; with mu held.
func (a *agent) beginCapture(c *capture, before []ringSample) {
	a.serving.capture = c
	for _, s := range before {
		a.takeSample(s.Sample, s.seq)
	}
	// A person waits for them, so they do not wait for those that come after.
	if a.serving.capture != nil && c.taken > 0 {
		a.sendPart(false, before[len(before)-1].seq)
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
	a.takeSample(s, seq)
}

// takeSample adds a sample, and ends the capture with the last.
func (a *agent) takeSample(s wire.Sample, seq uint64) {
	a.addSample(s, seq)
	c := a.serving.capture
	c.taken++
	if c.taken >= c.Left {
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

// sendPart puts the present part into the outbox, or keeps it until there is room.
// last is the ring's number of the last sample in it. The progress is noted when
// the part is stored: a restart before that reads its samples from the ring again.
func (a *agent) sendPart(final bool, last uint64) {
	c := a.serving.capture
	part := wire.Evidence{V: wire.Version, ID: c.ID, Part: c.Part, Last: final, Model: c.Model, Samples: c.pending}
	payload, err := json.Marshal(&part)
	topic := a.topics.Upload(c.ID, c.Part)
	c.Part++
	c.From = max(c.From, last+1)
	c.Left -= c.taken
	c.pending, c.size, c.taken = nil, 0, 0
	progress := a.encodeCapture(c)
	if final {
		a.serving.capture = nil
		progress = []byte("null")
	}
	if err != nil {
		a.o.Log.Error("evidence cannot be encoded", slog.Any("error", err))
		return
	}
	a.putOrKeep(buffer.Message{Class: buffer.ClassEvidence, Topic: topic, Payload: payload, QoS: 1}, func() {
		a.put(keyCapture, progress)
	})
}

// encodeCapture is how far the parts are, for keyCapture.
func (a *agent) encodeCapture(c *capture) []byte {
	value, err := json.Marshal(c)
	if err != nil {
		a.o.Log.Error("progress of evidence cannot be encoded", slog.Any("error", err))
	}
	return value
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
			a.takeSample(s.Sample, s.seq)
		}
	}
}
