package trainer

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kedge/telemetry/wire"
	"kedge/trainer/fleet"
	"kedge/trainer/store"
	"kedge/trainer/train"
)

// count returns how many notices of the kind were heard.
func (c *center) count(kind fleet.Kind) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, one := range c.heard {
		if one.Kind == kind {
			n++
		}
	}
	return n
}

// status returns what became of the device's only report.
func (c *center) status() store.Status {
	c.t.Helper()
	var status store.Status
	err := c.Store().View(context.Background(), func(tx *store.Tx) error {
		reports, err := tx.DriftReports("hall", "press-7")
		if err == nil {
			status = reports[0].Status
		}
		return err
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return status
}

// A training that fails for another reason than its model is no answer: it is
// tried again after a pause, when a label changes, and when the next process
// starts; people hear of each cause once.
func TestFailedTrainingIsTriedAgain(t *testing.T) {
	dir, aside := newDir(t), t.TempDir()
	c := start(t, Options{Dir: dir})
	prepare(t, c)
	c.run()
	d := enroll(t, c, "b1")
	d.install(1)
	c.stop()

	var ahead atomic.Int64
	script := `echo x >> "` + aside + `/runs"; echo "pid $$" >&2; test ! -e "` + aside + `/worse" || exit 4; exit 3`
	o := Options{
		Dir: dir, Command: train.Command{Args: []string{"/bin/sh", "-c", script}},
		Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) },
	}
	runs := func(want int) {
		t.Helper()
		for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
			data, _ := os.ReadFile(filepath.Join(aside, "runs"))
			if len(data) == 2*want {
				return
			}
			if len(data) > 2*want || time.Now().After(deadline) {
				t.Fatalf("got %d runs, want %d", len(data)/2, want)
			}
		}
	}
	failing := start(t, o)
	failing.run()
	d.peer = enroll(t, failing, "b1").peer
	w := newWorld(2)
	w.drift = 1
	samples, labels := d.capture(w, 100)
	d.report("alarm-1", "e1", 100)
	d.upload("e1", 0, true, samples)
	d.truth(labels)
	first := failing.await(fleet.Rejected, 1)
	if !strings.Contains(first.Text, "trying again") || !strings.Contains(first.Text, "exit status 3") {
		t.Errorf("got %q, want the cause and that it is tried again", first.Text)
	}
	if got := failing.status(); got != store.StatusOpen {
		t.Errorf("got status %s, want it open", got)
	}
	time.Sleep(300 * time.Millisecond) // some looks, none of which is an attempt
	runs(1)
	ahead.Store(int64(firstRetry))
	runs(2)
	if err := os.WriteFile(filepath.Join(aside, "worse"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	wrong := labels[0]
	wrong.Label = kinds[(slices.Index(kinds, labels[0].Label)+1)%len(kinds)]
	d.truth([]wire.Label{wrong})
	failing.await(fleet.Corrected, 1)
	if got := failing.await(fleet.Rejected, 2); !strings.Contains(got.Text, "exit status 4") {
		t.Errorf("got %q, want the new cause", got.Text)
	}
	runs(3)
	if n := failing.count(fleet.Training); n != 1 {
		t.Errorf("got %d notices of a training, want 1", n)
	}
	failing.stop()

	mended := start(t, Options{Dir: dir})
	mended.run()
	mended.await(fleet.Assigned, 1)
	if got := mended.status(); got != store.StatusReleased {
		t.Errorf("got status %s, want it released", got)
	}
}

// Labels of a class that the model lacks are told, and count again once they are
// corrected.
func TestUnknownClasses(t *testing.T) {
	c := start(t, Options{Dir: newDir(t)})
	prepare(t, c)
	c.run()
	d := enroll(t, c, "b1")
	d.install(1)
	w := newWorld(2)
	w.drift = 1
	samples, labels := d.capture(w, 100)
	bad := slices.Clone(labels)
	for i := range 80 {
		bad[i].Label = []string{"quiet", "hoarse"}[i%2]
	}
	d.report("alarm-1", "e1", 100)
	d.upload("e1", 0, true, samples)
	d.truth(bad)
	if got := c.await(fleet.UnknownClass, 1); got.Labels != 80 || got.Text != "80 labels name classes that the model lacks: hoarse, quiet" {
		t.Errorf("got %d labels, %q", got.Labels, got.Text)
	}
	if got := c.await(fleet.Training, 1); got.Labels != 20 || !strings.Contains(got.Text, "20 of 100 labels") {
		t.Errorf("got %d labels, %q, want the 20 that can be used", got.Labels, got.Text)
	}
	c.await(fleet.Rejected, 1)
	d.truth(labels)
	if got := c.await(fleet.Corrected, 1); got.Labels != 80 || got.Text != "labels corrected: 80" {
		t.Errorf("got %d labels, %q, want 80 corrected", got.Labels, got.Text)
	}
	if got := c.await(fleet.Trained, 1); got.Labels != 100 || !strings.Contains(got.Text, "trained with 100 labels") {
		t.Errorf("got %d labels, %q, want all 100", got.Labels, got.Text)
	}
}

func TestPauses(t *testing.T) {
	r := newRetrainer(nil)
	now := time.Unix(1000, 0)
	d := due{reports: []store.DriftReport{{Site: "s", Device: "d", Model: "m"}}, state: "a"}
	if r.waits(d, now) {
		t.Error("the first attempt waits")
	}
	var got []time.Duration
	for range 20 {
		got = append(got, r.failed(d, now))
	}
	want := []time.Duration{1, 2, 4, 8, 16, 32, 60, 60}
	for i := range want {
		if got[i] != want[i]*time.Minute {
			t.Errorf("pause %d: got %v, want %v", i, got[i], want[i]*time.Minute)
		}
	}
	if got[19] != time.Hour {
		t.Errorf("pause 20: got %v, want an hour", got[19])
	}
	other := d
	other.state = "b"
	if !r.waits(d, now.Add(time.Hour-1)) || r.waits(d, now.Add(time.Hour)) || r.waits(other, now) {
		t.Error("it does not wait for an hour, or waits although labels have changed")
	}
}
