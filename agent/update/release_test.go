package update

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"kedge/runtime"
	"kedge/runtime/runtimetest"
	"kedge/telemetry/trust"
)

// refusals are releases that must not come into service, whichever way they arrive.
var refusals = []struct {
	name   string
	change func(*recipe)
	err    error
	reason string
}{
	{"platform", func(r *recipe) { r.release.Platforms = []string{"linux/arm", "linux/riscv64"} },
		ErrUnsupported, "runs on linux/arm linux/riscv64, this is linux/arm64"},
	{"agent too old", func(r *recipe) { r.release.MinAgent = "0.1.1" }, ErrUnsupported, "needs agent 0.1.1, this is 0.1.0"},
	{"signed by the assign key", func(r *recipe) { r.by = 20 }, trust.ErrSignature, "not signed by enough trusted keys"},
	{"model is none", func(r *recipe) { r.bundle.Model = []byte("a model") }, ErrUnsupported, "model.tflite: "},
	{"operator unknown", func(r *recipe) { r.bundle.Model = exotic() }, runtime.ErrUnsupported, "Wavelet"},
	{"other model than signed", func(r *recipe) { r.release.Model = trust.Digest(nil) }, trust.ErrBundle, "the bundle says"},
	{"other version than signed", func(r *recipe) { r.bundle.Manifest.Version = 9 }, trust.ErrBundle, "version 9"},
	{"input type", func(r *recipe) { r.release.Inputs[0].Type = "float32" }, ErrMismatch, "input 0 is int8"},
	{"input shape", func(r *recipe) { r.release.Inputs[0].Shape = []int{1} }, ErrMismatch, "release says int8[1]"},
	{"outputs", func(r *recipe) { r.release.Outputs = nil }, ErrMismatch, "model has 1 outputs, release 0"},
	{"features", func(r *recipe) { r.bundle.Features = []byte(`[{"name":"x"}]`) }, ErrMismatch, "features.json: 1 features for"},
	{"features are none", func(r *recipe) { r.bundle.Features = []byte(`{}`) }, ErrMismatch, "features.json: "},
	{"labels", func(r *recipe) { r.bundle.Manifest.Labels = []string{"x"} }, ErrMismatch, "1 labels for"},
	{"golden samples of the wrong size", func(r *recipe) { r.bundle.Manifest.GoldenSamples = 1 }, ErrMismatch, "golden samples of"},
	{"golden output", func(r *recipe) { r.bundle.GoldenOutput[len(r.bundle.GoldenOutput)-1] ^= 1 }, ErrGolden, "golden sample 4 of 5: output byte "},
	{"golden input", func(r *recipe) { slices.Reverse(r.bundle.GoldenInput) }, ErrGolden, "golden sample 0 of 5: output byte "},
}

// exotic is a model with an operator that nobody has.
func exotic() []byte {
	m := runtimetest.Successor()
	m.Ops[0].Code, m.Ops[0].Custom = 32, "Wavelet"
	return m.Bytes()
}

func TestReleaseRefused(t *testing.T) {
	one := makeRelease(t, 1)
	for _, c := range refusals {
		t.Run(c.name, func(t *testing.T) {
			bad := makeRelease(t, 2, c.change)
			b := newBench(t, one, bad)
			b.u.HandleAssign(assign(t, 1, one))
			b.settle()
			b.u.HandleAssign(assign(t, 2, bad))
			b.settle()
			last := b.last()
			b.want(1, "refused", c.reason)
			if last.Code != "K0405" || last.Release != bad.digest || last.Slot != "a" {
				t.Errorf("got %+v, want K0405 for %.8s with slot a in service", last, bad.digest)
			}

			// It is not tried again, not even after a restart.
			b.states()
			requests := len(b.center.requests)
			b.u.HandleAssign(assign(t, 2, bad))
			b.settle()
			b.open()
			b.u.HandleAssign(assign(t, 2, bad))
			b.settle()
			if got := b.states(); got != nil || len(b.center.requests) != requests || b.version() != 1 {
				t.Errorf("the same again: got %v and %d requests, want nothing", got, len(b.center.requests)-requests)
			}
			// A new number is a new attempt.
			b.u.HandleAssign(assign(t, 3, bad))
			b.settle()
			b.want(1, "refused", c.reason)
			if got := b.states(); !slices.Contains(got, "offered") {
				t.Errorf("with a new sequence: got %v, want another attempt", got)
			}
		})
	}
}

func TestInstallRefused(t *testing.T) {
	one := makeRelease(t, 1)
	for _, c := range refusals {
		t.Run(c.name, func(t *testing.T) {
			bad := makeRelease(t, 2, c.change)
			b := newBench(t)
			if _, err := b.u.Install(t.Context(), one.file(t)); err != nil {
				t.Fatal(err)
			}
			before := b.fs.String()
			_, err := b.u.Install(t.Context(), bad.file(t))
			if !errors.Is(err, c.err) || !strings.Contains(err.Error(), c.reason) {
				t.Errorf("got %v, want %v with %q", err, c.err, c.reason)
			}
			b.want(1, "refused", c.reason)
			if got := b.fs.String(); got != before {
				t.Errorf("disk changed from\n%sto\n%s", before, got)
			}
			if _, err := Verify(t.Context(), b.u.Root(), bad.file(t), b.options); !errors.Is(err, c.err) {
				t.Errorf("Verify: got %v, want %v", err, c.err)
			}
		})
	}
}

// What arrives in place of a release document.
func TestReleaseDocument(t *testing.T) {
	one, two := makeRelease(t, 1), makeRelease(t, 2)
	tampered := bytes.Replace(one.envelope, []byte(`"payload":"e`), []byte(`"payload":"f`), 1)
	for _, c := range []struct {
		name    string
		payload []byte
		state   string
	}{
		{"tampered", tampered, "refused"},
		{"garbage", []byte{0xff}, "refused"},
		{"another proper release", two.envelope, "offered"},
		{"deleted from the broker", nil, "offered"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			b.center.releases[one.digest] = c.payload
			b.u.HandleAssign(assign(t, 1, one))
			b.settle()
			b.u.HandleRelease(c.payload)
			b.settle()
			b.want(0, c.state, "")
		})
	}
}

func TestReleaseFloor(t *testing.T) {
	two, three := makeRelease(t, 2), makeRelease(t, 3)
	bad := makeRelease(t, 4, func(r *recipe) {
		r.release.SecurityFloor = 3
		r.bundle.GoldenOutput[0] ^= 1
	})
	b := newBench(t, two, three, bad)
	for i, step := range []struct {
		m       *made
		version uint64
		reason  string
	}{
		{three, 3, ""},
		{two, 2, ""},                         // a rollback that the centre orders
		{bad, 2, "golden"},                   // raises the floor all the same
		{three, 3, ""},                       // at the floor
		{two, 3, "pump version 2 < floor 3"}, // no way back
	} {
		b.open()
		b.u.HandleAssign(assign(t, uint64(i+1), step.m))
		b.settle()
		b.want(step.version, b.last().State, step.reason)
	}
}

func TestArenaLimit(t *testing.T) {
	one := makeRelease(t, 1)
	b := newBench(t, one)
	b.options.MaxArena = 1
	b.open()
	b.u.HandleAssign(assign(t, 1, one))
	b.settle()
	b.want(0, "refused", "arena is larger than allowed")
}

func TestActivateFails(t *testing.T) {
	one, two := makeRelease(t, 1), makeRelease(t, 2)
	for _, first := range []bool{false, true} {
		b := newBench(t, one, two)
		var before uint64
		if !first {
			b.u.HandleAssign(assign(t, 1, one))
			b.settle()
			before = 1
		}
		b.fail = errors.New("features do not fit the source")
		b.u.HandleAssign(assign(t, 2, two))
		b.settle()
		last := b.last()
		b.want(before, "rolled_back", "features do not fit the source")
		if last.Code != "K0406" {
			t.Errorf("code: got %s, want K0406", last.Code)
		}
		b.open()
		b.states()
		b.u.HandleAssign(assign(t, 2, two))
		b.settle()
		if got := b.states(); b.version() != before || got != nil {
			t.Errorf("after a restart: got version %d and %v, want %d and nothing", b.version(), got, before)
		}
		b.fail = nil
		b.u.HandleAssign(assign(t, 3, two))
		b.settle()
		b.want(2, "committed", "")

		if _, err := b.u.Install(context.Background(), one.file(t)); err != nil {
			t.Error(err)
		}
		b.want(1, "committed", "")
		b.fail = errors.New("no")
		if _, err := b.u.Install(context.Background(), two.file(t)); !errors.Is(err, ErrActivate) {
			t.Errorf("from a file: got %v, want ErrActivate", err)
		}
		b.want(1, "rolled_back", "no")
	}
}
