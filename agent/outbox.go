package agent

import (
	"encoding/json"
	"log/slog"
	"strconv"

	"kedge/agent/buffer"
	"kedge/telemetry/event"
	"kedge/telemetry/mqtt"
	"kedge/telemetry/wire"
)

// putEvent puts an event into the outbox and reports whether it is there. Its id
// names it for ever, so that the centre can drop a repetition.
func (a *agent) putEvent(kind string, class buffer.Class, data wire.Message) bool {
	m, ok := a.newEvent(kind, class, data)
	return ok && a.stored(a.buf.Outbox.Put(m))
}

// newEvent makes the message of an event.
func (a *agent) newEvent(kind string, class buffer.Class, data wire.Message) (buffer.Message, bool) {
	id := wire.SampleID{Device: a.c.Device.ID, Boot: a.boot, Sequence: a.events.Add(1)}.String()
	e, err := wire.NewEvent(a.topics, kind, id, a.o.Now(), data)
	if err != nil {
		a.o.Log.Error("event cannot be made", slog.String("kind", kind), slog.Any("error", err))
		return buffer.Message{}, false
	}
	payload, err := json.Marshal(e)
	if err != nil {
		a.o.Log.Error("event cannot be encoded", slog.String("kind", kind), slog.Any("error", err))
		return buffer.Message{}, false
	}
	return buffer.Message{Class: class, Topic: a.topics.Event(kind), Payload: payload, QoS: 1}, true
}

// putHealth reports something that a person should know.
func (a *agent) putHealth(code event.Code, text string, count uint64) {
	e := event.Lookup(code)
	if text != "" {
		text = e.Text + ": " + text
	} else {
		text = e.Text
	}
	a.putEvent(wire.KindHealth, buffer.ClassTelemetry, &wire.Health{
		Code: string(code), Severity: string(e.Severity), Text: text, Do: e.Do, Count: count,
	})
}

// reportUpdate tells the centre how an update gets on.
func (a *agent) reportUpdate(u wire.Update) {
	attrs := []slog.Attr{slog.String("state", u.State)}
	if u.Name != "" {
		attrs = append(attrs, slog.String("name", u.Name), slog.Uint64("version", u.Version))
	}
	if u.Reason != "" {
		attrs = append(attrs, slog.String("reason", u.Reason))
	}
	if u.Slot != "" {
		attrs = append(attrs, slog.String("slot", u.Slot))
	}
	if u.Bytes > 0 {
		attrs = append(attrs, slog.String("bytes", strconv.FormatInt(u.Bytes, 10)))
	}
	a.releaseSettled(u)
	a.say(event.Code(u.Code), attrs...)
	a.putEvent(wire.KindUpdate, buffer.ClassEvent, &u)
	a.stateChanged()
}

// pumped lets package mqtt send the outbox.
type pumped struct{ outbox *buffer.Outbox }

// Next implements mqtt.Source.
func (p pumped) Next(n int, skip func(id uint64) bool) ([]mqtt.Message, error) {
	messages, err := p.outbox.Next(n, skip)
	out := make([]mqtt.Message, len(messages))
	for i, m := range messages {
		out[i] = mqtt.Message{ID: m.ID, Topic: m.Topic, Payload: m.Payload, QoS: m.QoS, Retain: m.Retain}
	}
	return out, err
}

// Ack implements mqtt.Source.
func (p pumped) Ack(ids ...uint64) error { return p.outbox.Ack(ids...) }

// Wake implements mqtt.Source.
func (p pumped) Wake() <-chan struct{} { return p.outbox.Wake() }
