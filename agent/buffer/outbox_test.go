package buffer

import (
	"errors"
	"fmt"
	"slices"
	"testing"
)

// put puts a message whose payload is its name.
func put(t *testing.T, b *Buffer, class Class, name string) error {
	t.Helper()
	return b.Outbox.Put(Message{Class: class, Topic: "t/" + class.String(), Payload: []byte(name), QoS: 1, Retain: class == ClassEvent})
}

// names lists the payloads of messages.
func names(messages []Message) []string {
	var n []string
	for _, m := range messages {
		n = append(n, string(m.Payload))
	}
	return n
}

func next(t *testing.T, b *Buffer, n int, skip func(uint64) bool) []Message {
	t.Helper()
	m, err := b.Outbox.Next(n, skip)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestOutboxOrderAndAcks(t *testing.T) {
	dir := t.TempDir()
	b := open(t, dir, small)
	for i := range 3 {
		for c := range Classes {
			if err := put(t, b, c, fmt.Sprintf("%v%d", c, i)); err != nil {
				t.Fatal(err)
			}
		}
	}
	select {
	case <-b.Outbox.Wake():
	default:
		t.Error("Wake: no value after Put")
	}
	want := []string{"report0", "report1", "report2", "event0", "event1", "event2",
		"evidence0", "evidence1", "evidence2", "telemetry0", "telemetry1", "telemetry2"}
	all := next(t, b, 100, nil)
	if got := names(all); !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
	if m := all[3]; m.Topic != "t/event" || m.QoS != 1 || !m.Retain || m.Class != ClassEvent {
		t.Errorf("got %+v, want what was put", m)
	}
	skip := func(id uint64) bool { return id == all[0].ID || id == all[2].ID }
	if got := names(next(t, b, 2, skip)); !slices.Equal(got, []string{"report1", "event0"}) {
		t.Errorf("with two skipped: got %q", got)
	}
	// Twice, and one that never was.
	if err := b.Outbox.Ack(all[0].ID, all[0].ID, all[11].ID, 12345, ^uint64(0)); err != nil {
		t.Fatal(err)
	}
	if got := names(next(t, b, 100, nil)); !slices.Equal(got, want[1:11]) {
		t.Errorf("after two acknowledgements: got %q, want %q", got, want[1:11])
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if err := b.Outbox.Ack(all[1].ID); !errors.Is(err, ErrClosed) {
		t.Errorf("Ack after Close: got %v, want ErrClosed", err)
	}

	b = open(t, dir, small)
	if got := names(next(t, b, 100, nil)); !slices.Equal(got, want[1:11]) || b.Counters().OutboxTotal().Queued != 10 {
		t.Errorf("after a restart: got %d messages %q, want %q", b.Counters().OutboxTotal().Queued, got, want[1:11])
	}
	if err := put(t, b, ClassReport, "report3"); err != nil {
		t.Fatal(err)
	}
	if m := next(t, b, 3, nil); string(m[2].Payload) != "report3" || m[2].ID <= all[11].ID&0xFFFF {
		t.Errorf("got %+v, want the new report last of its class under a new number", m)
	}
	if got := b.Counters().OutboxTotal(); got.Produced != 13 || got.Done != 2 || got.Queued != 11 {
		t.Errorf("got %v, want 13 = 2 + 0 + 11", got)
	}
	sound(t, b)
}

func TestOutboxDropsLowestClassFirst(t *testing.T) {
	o := small
	o.Outbox = Limit{Records: 6}
	b := open(t, t.TempDir(), o)
	for i, c := range []Class{ClassEvidence, ClassTelemetry, ClassEvent, ClassTelemetry, ClassReport, ClassEvent} {
		if err := put(t, b, c, fmt.Sprintf("%v%d", c, i)); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		class Class
		name  string
		full  bool
		want  []string
	}{
		{ClassTelemetry, "a", false, []string{"report4", "event2", "event5", "evidence0", "telemetry3", "a"}},
		{ClassEvent, "b", false, []string{"report4", "event2", "event5", "b", "evidence0", "a"}},
		{ClassReport, "c", false, []string{"report4", "c", "event2", "event5", "b", "evidence0"}},
		{ClassTelemetry, "d", true, []string{"report4", "c", "event2", "event5", "b", "evidence0"}},
		{ClassEvent, "e", false, []string{"report4", "c", "event5", "b", "e", "evidence0"}},
		{ClassReport, "f", false, []string{"report4", "c", "f", "b", "e", "evidence0"}},
		{ClassEvidence, "g", false, []string{"report4", "c", "f", "e", "evidence0", "g"}},
		{ClassEvidence, "h", false, []string{"report4", "c", "f", "evidence0", "g", "h"}},
		{ClassEvidence, "i", false, []string{"c", "f", "evidence0", "g", "h", "i"}},
		{ClassEvent, "j", true, []string{"c", "f", "evidence0", "g", "h", "i"}},
		{ClassReport, "k", false, []string{"f", "k", "evidence0", "g", "h", "i"}},
		{ClassEvidence, "l", false, []string{"k", "evidence0", "g", "h", "i", "l"}},
		{ClassEvidence, "m", false, []string{"evidence0", "g", "h", "i", "l", "m"}},
		{ClassEvidence, "n", false, []string{"g", "h", "i", "l", "m", "n"}},
	} {
		if err := put(t, b, tt.class, tt.name); errors.Is(err, ErrFull) != tt.full || err != nil && !tt.full {
			t.Errorf("Put %s: got %v, want ErrFull: %t", tt.name, err, tt.full)
		}
		if got := names(next(t, b, 100, nil)); !slices.Equal(got, tt.want) {
			t.Errorf("after %v %s: got %q, want %q", tt.class, tt.name, got, tt.want)
		}
	}
	flush(t, b)
	if got := b.Counters().OutboxTotal(); got.Produced != 20 || got.Dropped != 14 || got.Queued != 6 {
		t.Errorf("got %v, want 20 = 0 + 14 + 6", got)
	}
	sound(t, b)
}

// A batch that does not fit leaves no trace but its count.
func TestPutAllOrNone(t *testing.T) {
	o := small
	o.Outbox = Limit{Records: 4}
	b := open(t, t.TempDir(), o)
	for i := range 3 {
		if err := put(t, b, ClassReport, fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	batch := []Message{{Class: ClassEvent, Topic: "t"}, {Class: ClassTelemetry, Topic: "t"}}
	if err := b.Outbox.Put(batch...); !errors.Is(err, ErrFull) {
		t.Errorf("got %v, want ErrFull", err)
	}
	if got := names(next(t, b, 10, nil)); !slices.Equal(got, []string{"0", "1", "2"}) {
		t.Errorf("got %q, want what was there", got)
	}
	if got := b.Counters().OutboxTotal(); got.Produced != 5 || got.Dropped != 2 {
		t.Errorf("got %v, want 5 = 0 + 2 + 3", got)
	}
	if err := b.Outbox.TryPut(batch...); !errors.Is(err, ErrFull) || errors.Is(err, ErrDisk) {
		t.Errorf("got %v, want ErrFull and not ErrDisk", err)
	}
	flush(t, b)
	if got := b.Counters().OutboxTotal(); got.Produced != 5 || got.Dropped != 2 {
		t.Errorf("committed: got %v, want 5 = 0 + 2 + 3", got)
	}
	sound(t, b)
}

func TestPutRefuses(t *testing.T) {
	b := open(t, t.TempDir(), small)
	for name, m := range map[string]Message{
		"class": {Class: Classes, Topic: "t"},
		"QoS":   {Topic: "t", QoS: 3},
		"topic": {},
	} {
		if err := b.Outbox.Put(m); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
	if err := b.Outbox.Put(Message{Topic: "t", Payload: make([]byte, MaxPayload)}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("got %v, want ErrTooLarge", err)
	}
	if got := b.Counters().OutboxTotal(); got.Produced != 0 {
		t.Errorf("got %v, want nothing counted", got)
	}
}
