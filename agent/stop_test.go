package agent

import (
	"slices"
	"testing"
	"time"

	"kedge/telemetry/wire"
)

// TestLastAccount: what is retained after the end says exactly what the run came
// to, without waiting for the store's next commit.
func TestLastAccount(t *testing.T) {
	for _, end := range []struct {
		name   string
		drains bool
		stop   func(*device)
	}{
		{"end of input", true, func(d *device) { d.stdin.Close() }},
		{"signal", false, func(d *device) { d.stop() }},
	} {
		t.Run(end.name, func(t *testing.T) {
			c := testConfig(t)
			c.Buffer.CommitAge.Duration = time.Minute // longer than the test waits
			install(t, c, testRelease(t, 1))
			centre, addr := startCentre(t, "")
			c.MQTT.Broker = "mqtt://" + addr
			d := startDevice(t, c)
			eventually(t, "the first account", func() bool { return centre.reported().Model != nil })
			const sounds = 65 // five more than the reference takes
			for range sounds {
				d.sample(sound)
			}
			d.line("[1]")
			eventually(t, "the reference", func() bool { return len(events[wire.Reference](centre, wire.KindReference)) == 1 })
			end.stop(d)
			d.wait()
			got, want := centre.reported(), wire.Counters{Inferences: sounds, Rejected: 1}
			// After a signal an acknowledgement may still have been on its way: then the
			// account says that, as the store does.
			total := checkStore(t, c).OutboxTotal()
			want.Produced, want.Sent, want.Queued = total.Produced, total.Done, total.Queued
			if end.drains && total.Queued != 0 {
				t.Errorf("got %d messages that are not sent, want none", total.Queued)
			}
			if got.Counters != want || got.Boot != d.boot() || want.Produced == 0 {
				t.Errorf("last account: got %+v of boot %s, want %+v", got.Counters, got.Boot, want)
			}
			if states := centre.states(); !slices.Equal(states, []string{"session 1 online true", "session 1 online false"}) {
				t.Errorf("states: got %q", states)
			}
			// The account comes before the goodbye: who is offline says nothing.
			last := centre.last(2)
			if !slices.Equal(last, []string{topics.Reported(), topics.State()}) {
				t.Errorf("last messages: got %q", last)
			}
		})
	}
}

// TestStopWithoutWaiting: with nothing to send, or nobody to send it to, the end
// of the input ends the agent, however long it might drain.
func TestStopWithoutWaiting(t *testing.T) {
	for _, tt := range []struct {
		name   string
		broker string
		alarm  bool // something lies in the outbox
	}{
		{"no broker", "", true},
		{"broker away, nothing to send", "mqtt://127.0.0.1:1", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := testConfig(t)
			c.MQTT.Broker, c.MQTT.Drain.Duration, c.Buffer.CommitAge.Duration = tt.broker, time.Minute, time.Minute
			install(t, c, testRelease(t, 1))
			d := startDevice(t, c)
			for range 20 {
				d.sample(sound)
			}
			if tt.alarm {
				d.untilAlarm(40)
			}
			d.finish() // which waits for 20 seconds
			if queued := checkStore(t, c).OutboxTotal().Queued; (queued > 0) != tt.alarm {
				t.Errorf("got %d messages in the outbox, want some %v", queued, tt.alarm)
			}
		})
	}
}
