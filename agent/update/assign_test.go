package update

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"kedge/telemetry/trust"
)

func TestAssignmentRefused(t *testing.T) {
	one, two := makeRelease(t, 1), makeRelease(t, 2)
	with := func(f func(*trust.Assign)) []byte { return assign(t, 6, two, f) }
	for _, c := range []struct {
		name    string
		payload []byte
		reason  string // empty: not a word
	}{
		{"other site", with(func(a *trust.Assign) { a.Site = "south" }), `site "south": not for this device`},
		{"other device", with(func(a *trust.Assign) { a.Device = "d2" }), `device "d2": not for this device`},
		{"other group", with(forGroup("g3")), `group "g3": not for this device`},
		{"lower sequence", assign(t, 4, two), "sequence 4 after 5: replayed"},
		{"same sequence, other release", assign(t, 5, two), "sequence 5 was release"},
		{"same sequence, same release", assign(t, 5, one), ""},
		{"expired", with(func(a *trust.Assign) { a.NotAfter = signed.Add(time.Minute) }), "valid until 2026-03-01T12:01:00Z, the clock says 2026-03-01T13:00:00Z"},
		{"signed by the release key", sign(t, trust.TypeAssign, trust.Assign{Type: "assign"}, 10), "not signed by enough trusted keys"},
		{"another document", two.envelope, "unexpected payload type"},
		{"deleted from the broker", nil, ""},
		{"not JSON", []byte("hello"), "malformed document"},
		{"too large", make([]byte, 1<<20), "too large"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, one, two)
			b.u.HandleAssign(assign(t, 5, one))
			b.settle()
			b.want(1, "committed", "")
			b.states()
			for range 2 { // told once, however often it comes
				b.u.HandleAssign(c.payload)
				b.settle()
			}
			if c.reason == "" {
				if got := b.states(); got != nil {
					t.Errorf("got %v, want silence", got)
				}
			} else {
				b.want(1, "refused", c.reason)
				if got := b.states(); len(got) != 1 {
					t.Errorf("got %v, want one report", got)
				}
			}
			if got := b.u.AssignSequence(); got != 5 {
				t.Errorf("sequence: got %d, want 5", got)
			}
		})
	}
}

// The device's own assignment wins over its groups', and of those the latest,
// in whatever order they come.
func TestAssignmentPrecedence(t *testing.T) {
	one, two, three := makeRelease(t, 1), makeRelease(t, 2), makeRelease(t, 3)
	own := assign(t, 1, one)
	earlier := assign(t, 8, two, forGroup("g1"))
	later := assign(t, 2, three, forGroup("g2"), func(a *trust.Assign) { a.Issued = signed.Add(time.Minute) })
	for _, c := range []struct {
		name     string
		payloads [][]byte
		want     uint64
		sequence uint64
	}{
		{"own first", [][]byte{own, earlier, later}, 1, 1},
		{"own last", [][]byte{earlier, later, own}, 1, 1},
		{"groups", [][]byte{earlier, later}, 3, 2},
		{"groups, other order", [][]byte{later, earlier}, 3, 2},
	} {
		for _, between := range []string{"at once", "one by one", "restarting between"} {
			t.Run(c.name+" "+between, func(t *testing.T) {
				b := newBench(t, one, two, three)
				for _, p := range c.payloads {
					b.u.HandleAssign(p)
					if between != "at once" {
						b.settle()
					}
					if between == "restarting between" {
						b.open()
					}
				}
				b.settle()
				b.want(c.want, b.last().State, "")
				if got := b.u.AssignSequence(); got != c.sequence {
					t.Errorf("sequence: got %d, want %d", got, c.sequence)
				}
			})
		}
	}
}

// What a clock can do: be right, not set since the power came back, or far ahead.
func TestAssignmentClock(t *testing.T) {
	one, two := makeRelease(t, 1), makeRelease(t, 2)
	old := func(a *trust.Assign) { a.Issued, a.NotAfter = signed.AddDate(-1, 0, 0), signed.AddDate(0, 0, -1) }
	for _, c := range []struct {
		name  string
		now   time.Time
		old   bool // the assignment expired before the newest signed time
		want  uint64
		state string
	}{
		{"right", today, false, 2, "committed"},
		{"right, expired", today, true, 1, "refused"},
		{"1970", time.Unix(0, 0), false, 2, "committed"},
		{"1970, expired", time.Unix(0, 0), true, 2, "committed"},
		{"stopped an hour before the newest signed time, expired", signed.Add(-time.Hour), true, 2, "committed"},
		{"2099", time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC), false, 1, "refused"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, one, two)
			b.u.HandleAssign(assign(t, 1, one))
			b.settle()
			b.options.Now = func() time.Time { return c.now }
			b.open()
			payload := assign(t, 2, two)
			if c.old {
				payload = assign(t, 2, two, old)
			}
			b.u.HandleAssign(payload)
			b.settle()
			b.want(c.want, c.state, "")
			// The number counts with every clock.
			b.u.HandleAssign(assign(t, 0+1, two))
			b.settle()
			b.want(c.want, "refused", "replayed")
		})
	}
}

// An assignment that arrives during the download for another takes its place.
func TestAssignmentDuringDownload(t *testing.T) {
	one, two := makeRelease(t, 1), makeRelease(t, 2)
	b := newBench(t, one, two)
	b.center.answer = func(_ string, n int, data []byte) [][]byte {
		if n == 4 {
			return nil
		}
		return [][]byte{data}
	}
	b.u.HandleAssign(assign(t, 1, one))
	b.settle()
	b.want(0, "downloading", "")
	b.center.answer = nil
	b.u.HandleAssign(assign(t, 2, two))
	b.settle()
	b.want(2, "committed", "")
	if b.fs.open != 0 {
		t.Errorf("%d files are still open", b.fs.open)
	}
}

// A wrong clock is no reason to refuse for good.
func TestAssignmentExpiredThenClockSet(t *testing.T) {
	one := makeRelease(t, 1)
	b := newBench(t, one)
	now := time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)
	b.options.Now = func() time.Time { return now }
	b.open()
	b.u.HandleAssign(assign(t, 1, one))
	b.settle()
	b.want(0, "refused", "valid until")
	now = today
	b.u.HandleAssign(assign(t, 1, one))
	b.settle()
	b.want(1, "committed", "")
}

// makeLate makes a release whose turn, out of an hour, comes after ten minutes or more.
func makeLate(t *testing.T) *made {
	t.Helper()
	for n := uint64(1); ; n++ {
		if m := makeRelease(t, n); spreadDelay("d1", m.digest, time.Hour) > 10*time.Minute {
			return m
		}
	}
}

func TestAssignmentSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := makeLate(t)
		b := newBench(t, one)
		delay := spreadDelay("d1", one.digest, time.Hour)
		stop := b.run()
		b.u.HandleAssign(assign(t, 1, one, func(a *trust.Assign) { a.SpreadSeconds = 3600 }))
		time.Sleep(delay - time.Second)
		b.want(0, "offered", "")
		time.Sleep(2 * time.Second)
		b.want(one.release.Version, "committed", "")
		stop()
	})
}

// An assignment that expires before its turn has come is not begun.
func TestAssignmentExpiresInSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := makeLate(t)
		b := newBench(t, one)
		start := time.Now()
		b.options.Now = func() time.Time { return today.Add(time.Since(start)) }
		b.open()
		stop := b.run()
		b.u.HandleAssign(assign(t, 1, one, func(a *trust.Assign) { a.SpreadSeconds, a.NotAfter = 3600, today.Add(time.Minute) }))
		time.Sleep(time.Hour)
		b.want(0, "refused", "valid until")
		stop()
	})
}

func TestFloorsSurviveALostStore(t *testing.T) {
	one := makeRelease(t, 1)
	three := makeRelease(t, 3, func(r *recipe) { r.release.SecurityFloor = 2 })
	b := newBench(t, one, three)
	b.u.HandleAssign(assign(t, 1, three))
	b.settle()
	b.want(3, "committed", "")
	clear(b.store.values)
	b.open()
	b.u.HandleAssign(assign(t, 2, one))
	b.settle()
	b.want(3, "refused", "pump version 1 < floor 2")
	if _, err := b.u.Install(context.Background(), one.file(t)); !errors.Is(err, ErrFloor) {
		t.Errorf("the same from a file: got %v, want ErrFloor", err)
	}
}
