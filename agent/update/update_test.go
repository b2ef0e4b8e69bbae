package update

import (
	"errors"
	"slices"
	"testing"

	"kedge/telemetry/trust"
)

func TestUpdate(t *testing.T) {
	one, two := makeRelease(t, 1), makeRelease(t, 2)
	b := newBench(t, one, two)
	if _, err := b.u.Active(); !errors.Is(err, ErrNoModel) {
		t.Fatalf("before any update: got %v, want ErrNoModel", err)
	}
	all := []string{"offered", "downloading", "staged", "verified", "committed"}
	for i, m := range []*made{one, two} {
		b.u.HandleAssign(assign(t, uint64(i+1), m))
		b.settle()
		last := b.last()
		if got := b.states(); !slices.Equal(got, all) {
			t.Errorf("states: got %v, want %v", got, all)
		}
		active, err := b.u.Active()
		if err != nil {
			t.Fatal(err)
		}
		if active.Digest != m.digest || active.Release.Version != m.release.Version || b.u.AssignSequence() != uint64(i+1) {
			t.Errorf("got %+v at sequence %d, want version %d", active.Ref(), b.u.AssignSequence(), m.release.Version)
		}
		if last.Release != m.digest || last.Slot != active.Slot || last.Bytes != int64(len(m.bundle)) || last.Code != "K0404" {
			t.Errorf("last report: got %+v", last)
		}
		if b.served[i] != active {
			t.Errorf("activated: got %v, want what is in service", b.served[i].Ref())
		}
		// A window at a time, no chunk twice.
		if got, want := b.center.chunksOf(m.release.Bundle.SHA256), trust.Chunks(int64(len(m.bundle))); got != want {
			t.Errorf("chunks asked for: got %d, want %d", got, want)
		}
	}
	// Retained documents come again with every connection and after a restart.
	for range 2 {
		b.u.HandleAssign(assign(t, 2, two))
		b.u.HandleRelease(two.envelope)
		b.settle()
		if got := b.states(); got != nil {
			t.Errorf("the same again: got %v, want nothing", got)
		}
		b.open()
		b.settle()
	}
	if b.version() != 2 || len(b.served) != 2 {
		t.Errorf("after a restart: got version %d, activated %d times, want 2 and 2", b.version(), len(b.served))
	}
	// Back to the version before: it lies in the other slot.
	requests := len(b.center.requests)
	b.u.HandleAssign(assign(t, 3, one))
	b.settle()
	b.want(1, "committed", "")
	if len(b.center.requests) != requests {
		t.Error("a release that was there was downloaded again")
	}
}
