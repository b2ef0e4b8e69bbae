package update

import (
	"testing"

	"kedge/telemetry/trust"
)

func TestRoot(t *testing.T) {
	plain := func(v uint64) []byte { return rootEnvelope(t, v, 10, 20) }
	var long [][]byte
	for v := uint64(6); v > 1; v-- {
		long = append(long, plain(v))
	}
	var far [][]byte
	for v := range uint64(100) {
		far = append(far, plain(1<<40+v))
	}
	for _, c := range []struct {
		name     string
		payloads [][]byte
		want     uint64
	}{
		{"next", [][]byte{plain(2)}, 2},
		{"same and older", [][]byte{plain(2), plain(1), plain(2)}, 2},
		{"five at once, in reverse", long, 6},
		{"gap", [][]byte{plain(3), plain(4)}, 1},
		{"one signature of two", [][]byte{rootEnvelope(t, 2, 10, 20, 3)}, 1},
		{"signed by release and assign", [][]byte{rootEnvelope(t, 2, 10, 20, 10, 20)}, 1},
		{"forged before genuine", [][]byte{rootEnvelope(t, 2, 10, 20, 3), plain(2)}, 2},
		{"far ahead, then next", append(far, plain(2)), 2},
		{"garbage", [][]byte{nil, []byte("{}"), []byte("hello"), make([]byte, 1<<20), plain(2)}, 2},
		{"another document", [][]byte{assign(t, 1, makeRelease(t, 1))}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			for _, p := range c.payloads {
				b.u.HandleRoot(p)
				if len(c.payloads) > maxDocuments {
					b.settle()
				}
			}
			b.settle()
			if got := b.u.Root().Version(); got != c.want {
				t.Errorf("got version %d, want %d", got, c.want)
			}
			if len(b.u.held) > maxHeld {
				t.Errorf("%d root documents are held, want at most %d", len(b.u.held), maxHeld)
			}
			b.open()
			if got := b.u.Root().Version(); got != c.want {
				t.Errorf("after a restart: got version %d, want %d", got, c.want)
			}
		})
	}
}

// New keys: what they sign may come before the root document that brings them,
// and what the old ones signed stays in service.
func TestKeyRotation(t *testing.T) {
	one := makeRelease(t, 1)
	two := makeRelease(t, 2, func(r *recipe) { r.by = 11 })
	three := makeRelease(t, 3) // by the old key
	by21 := func(sequence uint64, m *made) []byte {
		a := trust.Assign{Type: "assign", Site: "north", Device: "d1", Release: m.digest, Sequence: sequence,
			Mode: trust.ModeActive, Issued: signed, NotAfter: notAfter}
		return sign(t, trust.TypeAssign, a, 21)
	}
	b := newBench(t, one, two, three)
	// A stolen assign key's last act.
	b.u.HandleAssign(assign(t, 1<<63, one))
	b.settle()
	b.want(1, "committed", "")

	b.u.HandleAssign(by21(1, two))
	b.settle()
	b.want(1, "refused", "not signed by enough trusted keys")
	b.u.HandleRoot(rootEnvelope(t, 2, 11, 21))
	b.settle()
	b.want(2, "committed", "")
	if got := b.u.AssignSequence(); got != 1 {
		t.Errorf("sequence: got %d, want that of the new keys, 1", got)
	}

	b.u.HandleAssign(assign(t, 1<<63, one))
	b.settle()
	b.want(2, "refused", "not signed by enough trusted keys")
	b.u.HandleAssign(by21(2, three))
	b.settle()
	b.want(2, "refused", "not signed by enough trusted keys")

	// The key of the release in service is gone: it runs on, also after a restart.
	b.u.HandleRoot(rootEnvelope(t, 3, 10, 21))
	b.settle()
	b.want(3, "committed", "") // refused for its signature alone, tried again
	b.u.HandleRoot(rootEnvelope(t, 4, 12, 21))
	b.settle()
	b.open()
	b.settle()
	if got := b.version(); got != 3 {
		t.Errorf("after the release key was replaced: got version %d, want 3", got)
	}
}

// A root document that cannot be stored is not in force, so that nothing it
// verifies is lost at the next start.
func TestRootNotStored(t *testing.T) {
	b := newBench(t)
	b.fs.room.Store(100)
	b.u.HandleRoot(rootEnvelope(t, 2, 10, 20))
	b.settle()
	if got := b.u.Root().Version(); got != 1 {
		t.Errorf("with a full disk: got version %d, want 1", got)
	}
	b.fs.room.Store(-1)
	b.u.HandleRoot(rootEnvelope(t, 2, 10, 20))
	b.settle()
	if got := b.u.Root().Version(); got != 2 {
		t.Errorf("with room: got version %d, want 2", got)
	}
}
