package update

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"kedge/telemetry/trust"
)

// twoSlots is a device with version 1 in slot a and 2 in service in slot b.
func twoSlots(t testing.TB, one, two *made) *bench {
	t.Helper()
	b := newBench(t, one, two)
	for i, m := range []*made{one, two} {
		b.u.HandleAssign(assign(t, uint64(i+1), m))
		b.settle()
	}
	b.want(2, "committed", "")
	b.states()
	return b
}

// Every start verifies from disk what it puts into service.
func TestDamageAtStart(t *testing.T) {
	one, two := makeRelease(t, 1), makeRelease(t, 2)
	flip := func(name string, at int) func(*crashFS) {
		return func(f *crashFS) { f.files["/state/"+name].data[at] ^= 1 }
	}
	remove := func(name string) func(*crashFS) { return func(f *crashFS) { delete(f.files, "/state/"+name) } }
	set := func(name, content string) func(*crashFS) {
		return func(f *crashFS) { f.files["/state/"+name] = &inode{data: []byte(content)} }
	}
	for _, c := range []struct {
		name   string
		damage func(*crashFS)
		want   uint64
		reason string // of the rollback; empty: none
	}{
		{"none", func(*crashFS) {}, 2, ""},
		{"bundle, first byte", flip("slots/b/bundle.zip", 0), 1, "digest differs"},
		{"bundle, middle", flip("slots/b/bundle.zip", 100000), 1, "digest differs"},
		{"bundle, last byte", flip("slots/b/bundle.zip", len(two.bundle)-1), 1, "digest differs"},
		{"bundle truncated", set("slots/b/bundle.zip", "PK"), 1, "digest differs"},
		{"bundle removed", remove("slots/b/bundle.zip"), 1, "bundle.zip"},
		{"release", flip("slots/b/release.json", 300), 1, "slot b"},
		{"release removed", remove("slots/b/release.json"), 1, "slot b: no model installed"},
		{"release of the other slot", set("slots/b/release.json", string(one.envelope)), 1, "digest differs"},
		{"root of the slot", remove("slots/b/root.json"), 2, ""},
		{"pointer garbage", set("active", "c"), 2, ""},
		{"pointer empty", set("active", ""), 2, ""},
		{"pointer removed", remove("active"), 2, ""},
		{"pointer with a newline", set("active", "b\n"), 2, ""},
		{"idle slot", flip("slots/a/bundle.zip", 0), 2, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := twoSlots(t, one, two)
			c.damage(b.fs)
			b.open()
			if got := b.version(); got != c.want {
				t.Fatalf("got version %d, want %d", got, c.want)
			}
			b.settle()
			last := b.last()
			if c.reason == "" {
				if got := b.states(); got != nil {
					t.Errorf("got %v, want silence", got)
				}
			} else {
				b.want(c.want, "rolled_back", c.reason)
				if last.Release != two.digest || last.Slot != "a" || last.Code != "K0406" {
					t.Errorf("got %+v, want the loss of %.8s, slot a in service", last, two.digest)
				}
			}
			if got, want := b.u.disk.readPointer(), b.u.active.Slot; got != want {
				t.Errorf("pointer: got %q, want %q", got, want)
			}
			// Told once, and the damaged release is not tried again by itself.
			b.states()
			b.open()
			b.u.HandleAssign(assign(t, 2, two))
			b.settle()
			if got := b.states(); got != nil || b.version() != c.want {
				t.Errorf("at the next start: got version %d and %v, want %d and silence", b.version(), got, c.want)
			}
			b.u.HandleAssign(assign(t, 3, two))
			b.settle()
			b.want(2, "committed", "")
		})
	}
}

// A device that has lost both models runs without, and gets the assigned one again.
func TestBothSlotsLost(t *testing.T) {
	one, two := makeRelease(t, 1), makeRelease(t, 2)
	b := twoSlots(t, one, two)
	b.fs.files["/state/slots/a/bundle.zip"].data[7] ^= 1
	b.fs.files["/state/slots/b/bundle.zip"].data[7] ^= 1
	b.open()
	if _, err := b.u.Active(); !errors.Is(err, ErrNoModel) {
		t.Fatalf("got %v, want ErrNoModel", err)
	}
	b.u.HandleAssign(assign(t, 2, two))
	b.settle()
	b.want(2, "committed", "")
}

// The power went between the switch and the note of it in the store, and the
// new slot did not survive either: what is refused is the new release.
func TestDamageAfterSwitch(t *testing.T) {
	one, two := makeRelease(t, 1), makeRelease(t, 2)
	b := newBench(t, one, two)
	b.u.HandleAssign(assign(t, 1, one))
	b.settle()
	values := maps.Clone(b.store.values)
	b.u.HandleAssign(assign(t, 2, two))
	b.settle()
	b.store.values = values
	b.fs.files["/state/slots/b/bundle.zip"].data[7] ^= 1
	b.open()
	b.settle()
	if last := b.last(); last.Release != two.digest || last.Version != 2 {
		t.Errorf("got %+v, want the loss of version 2", last)
	}
	b.want(1, "rolled_back", "digest differs")
	b.open()
	if got := b.version(); got != 1 {
		t.Errorf("at the next start: got version %d, want 1", got)
	}
}

// The floor holds for a fallback too.
func TestFallbackBelowFloor(t *testing.T) {
	one := makeRelease(t, 1)
	two := makeRelease(t, 2, func(r *recipe) { r.release.SecurityFloor = 2 })
	b := twoSlots(t, one, two)
	b.fs.files["/state/slots/b/bundle.zip"].data[7] ^= 1
	b.open()
	if got := b.version(); got != 0 {
		t.Errorf("got version %d, want none: 1 is below the floor", got)
	}
}

func TestOpenErrors(t *testing.T) {
	b := newBench(t)
	b.fs.files["/state/root.json"].data = []byte("{}")
	if _, err := Open(b.options); !errors.Is(err, trust.ErrMalformed) || !strings.HasPrefix(err.Error(), "/state/root.json: ") {
		t.Errorf("damaged root: got %v, want ErrMalformed with the file's name", err)
	}
	delete(b.fs.files, "/state/root.json")
	if _, err := Open(b.options); !errors.Is(err, ErrNotEnrolled) {
		t.Errorf("no root: got %v, want ErrNotEnrolled", err)
	}
}

// The power goes at every step of an update, from the first byte of the
// assignment to the end, and comes back with every remnant. The device then has
// the old model or the new one, verified, and gets to the new one by itself.
func TestPowerCut(t *testing.T) {
	small := func(r *recipe) { r.bundle.Reference = r.bundle.Reference[:40<<10] } // two chunks
	one, two, three := makeRelease(t, 1, small), makeRelease(t, 2, small), makeRelease(t, 3, small)
	third, fourth := assign(t, 3, three), assign(t, 4, three)
	secondRoot := rootEnvelope(t, 2, 10, 20)
	air := func(b *bench) {
		b.u.HandleAssign(third)
		b.settle()
	}
	file := func(b *bench) { b.u.Install(b.t.Context(), three.file(b.t)) }
	root := func(b *bench) {
		b.u.HandleRoot(secondRoot)
		b.settle()
	}
	for _, c := range []struct {
		name     string
		start    func(testing.TB) *bench
		act      func(*bench)
		old, new uint64
	}{
		{"update", func(t testing.TB) *bench { return twoSlots(t, one, two) }, air, 2, 3},
		{"first update", func(t testing.TB) *bench { return newBench(t) }, air, 0, 3},
		{"file", func(t testing.TB) *bench { return twoSlots(t, one, two) }, file, 2, 3},
		{"first file", func(t testing.TB) *bench { return newBench(t) }, file, 0, 3},
		{"rollback after a failed activation", func(t testing.TB) *bench {
			b := twoSlots(t, one, two)
			b.fail = errors.New("no")
			return b
		}, air, 2, 3},
		{"root", func(t testing.TB) *bench { return twoSlots(t, one, two) }, root, 2, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := c.start(t)
			for _, m := range []*made{one, two, three} {
				add(before.center, m)
			}
			saw := map[uint64]int{}
			cuts := 0
			for finished := false; !finished && !t.Failed(); cuts++ {
				b := restart(t, before, leaveAll)
				b.fail = before.fail
				b.fs.cutAt = b.fs.steps + cuts + 1
				c.act(b)
				finished = !b.fs.dead
				for r := range remnants {
					after := restart(t, b, r)
					saw[after.version()]++
					if got := after.version(); got != c.old && got != c.new {
						t.Fatalf("cut %d, remnant %d: got version %d, want %d or %d\n%v", cuts, r, got, c.old, c.new, after.fs)
					}
					checkSlots(t, after)
					if r != remnant(cuts)%remnants {
						continue // one of them is enough for the longer half
					}
					after.u.HandleRoot(secondRoot)
					after.u.HandleAssign(fourth)
					after.settle()
					after.want(3, "committed", "")
					if got := after.u.Root().Version(); got != 2 {
						t.Errorf("cut %d, remnant %d: root version %d, want 2", cuts, r, got)
					}
				}
			}
			if cuts < 3 || saw[c.old] == 0 || saw[c.new] == 0 && before.fail == nil {
				t.Errorf("%d cuts left %v, want both %d and %d", cuts, saw, c.old, c.new)
			}
			t.Logf("%d cuts, %d remnants each, left %v", cuts, remnants, saw)
		})
	}
}

// checkSlots checks the invariant of disk.
func checkSlots(t testing.TB, b *bench) {
	t.Helper()
	for _, slot := range slotNames {
		if b.fs.files["/state/slots/"+slot+"/release.json"] == nil {
			continue
		}
		if _, err := b.u.disk.readSlot(slot, b.u.root); err != nil {
			t.Errorf("slot with a release: %v\n%v", err, b.fs)
		}
	}
}

func add(c *center, m *made) {
	c.releases[m.digest] = m.envelope
	c.blobs[m.release.Bundle.SHA256], c.blobs[m.release.Bundle.Index] = m.bundle, m.index
}

// restart is the device after the power cut, as if b had been left behind in time.
func restart(t testing.TB, b *bench, r remnant) *bench {
	t.Helper()
	c := newCenter()
	c.releases, c.blobs = b.center.releases, b.center.blobs
	after := setUp(t, b.fs.after(r), maps.Clone(b.store.values), c)
	after.open()
	return after
}
