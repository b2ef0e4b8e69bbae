package update

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"kedge/telemetry/trust"
	"kedge/telemetry/wire"
)

func TestInstall(t *testing.T) {
	one, two := makeRelease(t, 1), makeRelease(t, 2)
	b := newBench(t, one, two)
	first, err := b.u.Install(t.Context(), one.file(t))
	if err != nil {
		t.Fatal(err)
	}
	b.want(1, "committed", "")
	if got, want := first.Ref(), b.served[0].Ref(); got != want || got.Slot != "a" || got.Release != one.digest {
		t.Errorf("got %+v, activated %+v", got, want)
	}
	again, err := b.u.Install(t.Context(), one.file(t))
	if err != nil || again != first || len(b.served) != 1 {
		t.Errorf("the same again: got %v, %v, want nothing to happen", again, err)
	}
	if _, err := b.u.Install(t.Context(), two.file(t)); err != nil {
		t.Fatal(err)
	}
	b.open()
	if got := b.version(); got != 2 {
		t.Errorf("after a restart: got version %d, want 2", got)
	}
	// What was installed by hand stays until there is a new assignment.
	b.u.HandleAssign(assign(t, 1, one))
	b.settle()
	b.want(1, "committed", "")
	if _, err := b.u.Install(t.Context(), two.file(t)); err != nil {
		t.Fatal(err)
	}
	b.u.HandleAssign(assign(t, 1, one))
	b.settle()
	b.want(2, "committed", "")
}

func TestVerify(t *testing.T) {
	one := makeRelease(t, 1)
	root, err := trust.OpenRoot(rootEnvelope(t, 1, 10, 20))
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Platform: "linux/arm64", AgentVersion: "devel"}
	i, err := Verify(t.Context(), root, one.file(t), o)
	if err != nil || i.Digest != one.digest || i.Slot != "" {
		t.Errorf("got %+v, %v, want release %.8s in no slot", i, err, one.digest)
	}
	file := one.file(t)
	for at := range file {
		if at%4999 != 0 {
			continue
		}
		bad := append([]byte(nil), file...)
		bad[at] ^= 1
		// A flipped bit in the archive's own structure may be one that nobody reads;
		// the release and the bundle are then the signed ones all the same.
		if i, err := Verify(t.Context(), root, bad, o); err == nil && i.Digest != one.digest {
			t.Errorf("bit flipped at %d: got another release %.8s", at, i.Digest)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Verify(ctx, root, file, o); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: got %v, want context.Canceled", err)
	}
}

// forgetful is a disk that changes what it was given.
type forgetful struct{ *crashFS }

func (f forgetful) ReadFile(name string) ([]byte, error) {
	data, err := f.crashFS.ReadFile(name)
	if filepath.Base(name) == fileBundle && err == nil {
		data[len(data)/2] ^= 1
	}
	return data, err
}

func TestInstallOnBadDisk(t *testing.T) {
	one := makeRelease(t, 1)
	b := newBench(t)
	b.options.Files = forgetful{b.fs}
	b.open()
	if _, err := b.u.Install(t.Context(), one.file(t)); !errors.Is(err, ErrStorage) || !errors.Is(err, trust.ErrDigest) {
		t.Errorf("got %v, want ErrStorage and ErrDigest", err)
	}
	b.want(0, "downloading", "does not keep what is written")
	if b.fs.files["/state/slots/a/bundle.zip"] != nil || b.fs.files["/state/active"] != nil {
		t.Errorf("something is left:\n%v", b.fs)
	}
}

// A download gives way to a file, and goes on after it.
func TestInstallDuringDownload(t *testing.T) {
	one, two := makeRelease(t, 1), makeRelease(t, 2)
	b := newBench(t, two)
	b.center.answer = func(_ string, n int, data []byte) [][]byte {
		if n == 4 {
			return nil
		}
		return [][]byte{data}
	}
	b.u.HandleAssign(assign(t, 1, two))
	b.settle()
	b.want(0, "downloading", "")
	if _, err := b.u.Install(t.Context(), one.file(t)); err != nil {
		t.Fatal(err)
	}
	b.center.answer = nil
	b.settle()
	b.want(2, "committed", "")
}

// Everything at once, on a real file system, for the race detector.
func TestConcurrentUse(t *testing.T) {
	one, two, three := makeRelease(t, 1), makeRelease(t, 2), makeRelease(t, 3)
	b := newBench(t, one, two, three)
	b.options.Dir, b.options.Files = t.TempDir(), nil
	b.store.fs = nil
	if err := os.WriteFile(filepath.Join(b.options.Dir, "root.json"), rootEnvelope(t, 1, 10, 20), 0o644); err != nil {
		t.Fatal(err)
	}
	b.open()
	committed := make(chan struct{}, 1)
	report := b.options.Report
	b.u.o.Report = func(w wire.Update) {
		if report(w); w.State == "committed" && w.Version == 3 {
			select {
			case committed <- struct{}{}:
			default:
			}
		}
	}
	stop := b.run()
	var wg sync.WaitGroup
	for _, f := range []func(i int){
		func(i int) { b.u.HandleAssign(assign(t, uint64(i+1), []*made{one, two}[i%2])) },
		func(i int) { b.u.HandleRoot(rootEnvelope(t, uint64(i+1), 10, 20)) },
		func(i int) { b.u.HandleRelease([]*made{one, two}[i%2].envelope) },
		func(i int) { b.u.HandleChunk(two.release.Bundle.SHA256, i%6, trust.Chunk(two.bundle, i%5)) },
		func(i int) { b.u.Active(); b.u.Root(); b.u.AssignSequence() },
	} {
		wg.Go(func() {
			for i := range 40 {
				f(i)
			}
		})
	}
	wg.Go(func() {
		for range 2 {
			b.u.Install(t.Context(), one.file(t))
		}
	})
	wg.Wait()
	b.u.HandleAssign(assign(t, 100, three))
	select {
	case <-committed:
	case <-time.After(time.Minute):
		t.Fatalf("not updated after a minute: %+v", b.last())
	}
	stop()
	b.open()
	if got := b.version(); got != 3 {
		t.Errorf("after a restart: got version %d, want 3", got)
	}
}

// TestCheck: what the agent cannot serve is refused before the switch, from the
// air and from a file.
func TestCheck(t *testing.T) {
	one, two := makeRelease(t, 1), makeRelease(t, 2)
	b := newBench(t, one, two)
	var asked []uint64
	no := errors.New("no such signal")
	b.options.Check = func(i *Installed) error {
		asked = append(asked, i.Release.Version)
		if i.Release.Version == 2 {
			return no
		}
		return nil
	}
	b.open()
	b.u.HandleAssign(assign(t, 1, one))
	b.settle()
	b.want(1, "committed", "")
	b.u.HandleAssign(assign(t, 2, two))
	b.settle()
	b.want(1, "refused", "no such signal")
	if _, err := b.u.Install(t.Context(), two.file(t)); !errors.Is(err, ErrUnsupported) || !errors.Is(err, no) {
		t.Errorf("Install: got %v, want ErrUnsupported and the cause", err)
	}
	b.want(1, "refused", "no such signal")
	if _, err := Verify(t.Context(), b.u.Root(), two.file(t), b.options); !errors.Is(err, ErrUnsupported) {
		t.Errorf("Verify: got %v, want ErrUnsupported", err)
	}
	if want := []uint64{1, 2, 2, 2}; !slices.Equal(asked, want) || len(b.served) != 1 {
		t.Errorf("asked about %v, want %v; %d models activated, want 1", asked, want, len(b.served))
	}
	// A start does not ask: what serves already goes on.
	b.open()
	if got := b.version(); got != 1 || len(asked) != 4 {
		t.Errorf("after a restart: got version %d, asked %v", got, asked)
	}
}
