package pipeline

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"kedge/agent/drift"
	"kedge/agent/drift/inputs"
	"kedge/agent/drift/signal"
	"kedge/runtime"
	"kedge/runtime/runtimetest"
	"kedge/runtime/tflite"
)

// around is a reference of n values about a mean, less than a hundredth off.
func around(t testing.TB, mean float64, n int) drift.Reference {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	xs := make([]float64, n)
	for i := range xs {
		xs[i] = mean + 0.01*(rng.Float64()-0.5)
	}
	ref, err := drift.NewReference(xs)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// inputsAround is a reference of both features about given values, half a unit off.
func inputsAround(t testing.TB, a, b float64, n int) *inputs.Reference {
	t.Helper()
	rng := rand.New(rand.NewPCG(3, 4))
	builder := inputs.NewBuilder([]inputs.Column{{Name: "a", Type: inputs.Float}, {Name: "b", Type: inputs.Float}})
	for range n {
		if err := builder.Add([]float64{a + rng.Float64() - 0.5, b + rng.Float64() - 0.5}); err != nil {
			t.Fatal(err)
		}
	}
	ref, err := builder.Reference()
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// opened is a model of two classes with the given signals, opened as a device does.
func opened(t testing.TB, watched *inputs.Reference, signals ...SignalOptions) (*Pipeline, *Model) {
	t.Helper()
	loaded, err := runtime.Load(twoClasses().Bytes(), runtime.Options{})
	if err != nil {
		t.Fatal(err)
	}
	o := options(t)
	o.Signals, o.Inputs = signals, watched
	if o.Invoker, o.Logits, err = Open(loaded, signals); err != nil {
		t.Fatal(err)
	}
	m, err := NewModel(o)
	if err != nil {
		t.Fatal(err)
	}
	p := New()
	p.Swap(m)
	return p, m
}

// process wants no error.
func process(t testing.TB, p *Pipeline, a, b float32) Answer {
	t.Helper()
	got, err := p.Process(sample(a, b))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// TestSignals computes what the softmax hides: logits 4.8 and 0 instead of 4 and 0
// give the same class with nearly the same probability.
func TestSignals(t *testing.T) {
	p, m := opened(t, nil, declared(t, signal.Top1, 0, reference(t, 512)), declared(t, signal.Margin, 8, around(t, 0.5, 512)), declared(t, signal.Entropy, 0, around(t, 0.9, 512)))
	got := process(t, p, 14, 0) // standardized 2 and 0: logits 4 and 0
	h := func(p float64) float64 { return -p*math.Log2(p) - (1-p)*math.Log2(1-p) }
	for i, want := range []float64{251.0 / 256, 0.5, 1 - h(251.0/256)} {
		if v := m.watches[i].value; math.Abs(v-want) > 1e-7 {
			t.Errorf("%s: got %v, want %v", m.watches[i].signal.Name, v, want)
		}
	}
	if got.Signal != 251.0/256 || got.Confidence != got.Signal {
		t.Errorf("got signal %v, confidence %v, want the first signal for both", got.Signal, got.Confidence)
	}
	s := sample(14, 0)
	if n := testing.AllocsPerRun(200, func() {
		if _, err := p.Process(s); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("got %v allocations per sample, want 0", n)
	}
}

// TestSecondSignalAlarms: an alarm of a further signal is the model's, is told once,
// and says who raised it and what was promised.
func TestSecondSignalAlarms(t *testing.T) {
	// The probability never moves: what it is compared with lies below it.
	p, m := opened(t, nil, declared(t, signal.Top1, 0, around(t, 0.6, 512)), declared(t, signal.Margin, 8, around(t, 0.5, 512)))
	for range 200 {
		if got := process(t, p, 14, 0); got.State != drift.Stable {
			t.Fatalf("before: got %v, want stable", got.State)
		}
	}
	var alarm Answer
	for i := 0; !alarm.Alarm; i++ {
		if alarm = process(t, p, 12, 0); i > 100 { // a margin of 2 instead of 4
			t.Fatal("no alarm")
		}
	}
	if alarm.State != drift.Drift || len(alarm.Fired) == 0 || !strings.HasPrefix(alarm.Fired[0], "margin/") {
		t.Errorf("got %v fired by %v, want drift by margin/...", alarm.State, alarm.Fired)
	}
	r := alarm.Report
	if r.Alarms != 1 || r.ARL != drift.DefaultARL || len(r.Others) != 1 || r.Inputs != nil || r.Weak {
		t.Errorf("got %d alarms, run length %v, %d others, inputs %v, weak %v", r.Alarms, r.ARL, len(r.Others), r.Inputs, r.Weak)
	}
	// Two signals with two detectors each share the promise.
	if o := r.Others[0]; o.Name != signal.Margin || o.ARL != 2*drift.DefaultARL || o.Alarms != 1 || math.Abs(o.Value-0.25) > 1e-7 || r.Explanation.ARL != o.ARL || r.Explanation.Alarms != 0 {
		t.Errorf("got %+v, and the first signal with run length %v and %d alarms", o, r.Explanation.ARL, r.Explanation.Alarms)
	}
	for range 100 {
		if got := process(t, p, 12, 0); got.Alarm || got.State != drift.Latched {
			t.Fatalf("afterwards: got %v, %v, want latched", got.Alarm, got.State)
		}
	}
	// The answer ends it. The further signal learns anew, as nobody signed its reference.
	if ok, err := p.SetReference(m, around(t, 0.6, 600), false); ok || err != nil {
		t.Errorf("no answer: got %v, %v, want it put off", ok, err)
	}
	if ok, err := p.SetReference(m, around(t, 0.6, 600), true); !ok || err != nil {
		t.Fatalf("answer: got %v, %v", ok, err)
	}
	for range 600 {
		if got := process(t, p, 12, 0); got.State != drift.Stable || got.Fired != nil {
			t.Fatalf("after the answer: got %v, %v, want stable", got.State, got.Fired)
		}
	}
	if e := m.watches[1].monitor.Explain(); !e.Weak || !e.Local || e.State != drift.Stable {
		t.Errorf("margin: got weak %v, %v, want a weak reference in force", e.Weak, e.State)
	}
}

// TestInputsAlarm: the model stays sure, and its inputs are others.
func TestInputsAlarm(t *testing.T) {
	p, m := opened(t, inputsAround(t, 14, 0, 1000), declared(t, signal.Top1, 0, around(t, 0.9, 512)))
	rng := rand.New(rand.NewPCG(5, 6))
	next := func(a, b float64) Answer {
		return process(t, p, float32(a+rng.Float64()-0.5), float32(b+rng.Float64()-0.5))
	}
	for i := range 2000 {
		if got := next(14, 0); got.Fired != nil {
			t.Fatalf("sample %d: got %v, want nothing", i, got.Fired)
		}
	}
	var alarm Answer
	for i := 0; !alarm.Alarm; i++ {
		if alarm = next(14, -3); i > 200 { // surer than ever
			t.Fatal("no alarm")
		}
	}
	if !slices.Equal(alarm.Fired, []string{FiredInputs}) || alarm.Report.Inputs == nil {
		t.Fatalf("got %v, %v", alarm.Fired, alarm.Report.Inputs)
	}
	r := alarm.Report.Inputs
	if len(r.Moved) != 1 || r.Moved[0].Name != "b" || len(r.Histograms) != 2 || r.ReferenceN != 1000 || r.ARL != 2*drift.DefaultARL || r.Weak {
		t.Errorf("got %+v", r)
	}
	restored, again := opened(t, inputsAround(t, 14, 0, 1000), declared(t, signal.Top1, 0, around(t, 0.9, 512)))
	if err := again.Restore(p.Snapshot(m)); err != nil {
		t.Fatal(err)
	}
	p = restored
	for range 300 {
		if got := next(14, -3); got.Alarm || got.State != drift.Latched {
			t.Fatalf("after a restart: got %v, %v, want latched", got.Alarm, got.State)
		}
	}
}

// TestRestoreOfAnAlarm: whichever watch raised it, an alarm is neither lost nor raised
// again, also when that watch's own state is not usable any more.
func TestRestoreOfAnAlarm(t *testing.T) {
	first, second := declared(t, signal.Top1, 0, around(t, 0.6, 512)), declared(t, signal.Margin, 8, around(t, 0.5, 512))
	p, m := opened(t, nil, first, second)
	for range 60 {
		process(t, p, 12, 0)
	}
	snapshot := p.Snapshot(m)
	for name, other := range map[string]SignalOptions{"same": second, "other reference": declared(t, signal.Margin, 8, around(t, 0.25, 512))} {
		p, m := opened(t, nil, first, other)
		if err := m.Restore(snapshot); err != nil {
			t.Fatal(err)
		}
		for range 60 {
			if got := process(t, p, 12, 0); got.Alarm || got.State != drift.Latched {
				t.Fatalf("%s: got %v, %v, want latched", name, got.Alarm, got.State)
			}
		}
	}
	p, m = opened(t, nil, declared(t, signal.Top1, 0, around(t, 0.61, 512)), second)
	if err := m.Restore(snapshot); !errors.Is(err, drift.ErrSnapshotParameters) {
		t.Errorf("first signal with another reference: got %v, want ErrSnapshotParameters", err)
	}
	if s, _ := p.Explain(); s.State != drift.Stable {
		t.Errorf("then: got %v, want it to begin anew", s.State)
	}
	for _, damaged := range []string{"{", `{"alarms":-1}`, `{"alarms":1,"signals":{}}`, `{"signals":{"top1":"AAAA"}}`} {
		if err := m.Restore([]byte(damaged)); err == nil {
			t.Errorf("%s: got no error", damaged)
		}
	}
}

// TestSnapshotOfOneSignal stays what earlier versions wrote and read.
func TestSnapshotOfOneSignal(t *testing.T) {
	p, m := loaded(t)
	process(t, p, 14, 0)
	if got, want := p.Snapshot(m), m.watches[0].monitor.Snapshot(); !slices.Equal(got, want) {
		t.Errorf("got %d bytes, want the monitor's own %d", len(got), len(want))
	}
}

// TestMute: nothing is raised or learned of what comes while the watch is muted, but
// the end takes the latest samples for the reference, and ends the alarm before.
func TestMute(t *testing.T) {
	build := func() (*Pipeline, *Model) {
		return opened(t, inputsAround(t, 14, 0, 1000), declared(t, signal.Top1, 0, around(t, 0.98, 512)), declared(t, signal.Margin, 8, around(t, 0.5, 512)))
	}
	p, m := build()
	for range 100 {
		process(t, p, 12, 0)
	}
	if s, _ := p.Explain(); s.State != drift.Latched {
		t.Fatalf("got %v, want an alarm to begin with", s.State)
	}
	p.Mute(m)
	for range 700 {
		if got := process(t, p, 10, 0); !got.Muted || got.Alarm || got.Fired != nil || got.Label != "left" {
			t.Fatalf("muted: got %+v", got)
		}
	}
	// A restart in between.
	next, again := build()
	if err := again.Restore(p.Snapshot(m)); err != nil {
		t.Fatal(err)
	}
	p, m = next, again
	if s, _ := p.Explain(); !s.Muted || s.State != drift.Latched {
		t.Errorf("after a restart: got muted %v, %v, want muted, latched", s.Muted, s.State)
	}
	for range 300 {
		process(t, p, 12, 0) // repaired: 0.88 sure, a margin of 0.25
	}
	if err := p.Unmute(m); err != nil {
		t.Fatal(err)
	}
	s, _ := p.Explain()
	// 200 of 0.5 and 300 of 0.88 are the latest 500.
	if want := (200*128.0 + 300*225) / 500 / 256; s.Muted || s.State != drift.Stable || !s.Weak || math.Abs(s.Mu0-want) > 1e-9 || s.ReferenceN != drift.FullReference {
		t.Errorf("got %+v, want a reference with mean %v, weak", s, want)
	}
	for range 1000 {
		if got := process(t, p, 12, 0); got.Muted || got.Alarm {
			t.Fatalf("unmuted: got %+v", got)
		}
	}
	last, again := build()
	if err := again.Restore(p.Snapshot(m)); err != nil {
		t.Fatal(err)
	}
	if r, _ := last.Explain(); r.Mu0 != s.Mu0 || r.N != 1000 || r.State != drift.Stable {
		t.Errorf("after another restart: got mean %v, n %d, %v, want %v, 1000, stable", r.Mu0, r.N, r.State, s.Mu0)
	}
	if ok, err := last.SetReference(again, around(t, 0.88, 600), false); !ok || err != nil {
		t.Fatalf("the centre's reference: got %v, %v", ok, err)
	}
	third, again := build()
	again.given[0] = around(t, 0.88, 600)
	if err := again.reset(); err != nil {
		t.Fatal(err)
	}
	if err := again.Restore(last.Snapshot(last.model)); err != nil {
		t.Errorf("with one signal signed and one learned here: got %v", err)
	}
	if r, _ := third.Explain(); r.ReferenceN != 600 || r.Local || r.Weak || !again.watches[1].monitor.Explain().Local {
		t.Errorf("got a reference of %d, local %v, weak %v, want the signed one, and the margin's to be local", r.ReferenceN, r.Local, r.Weak)
	}
}

// autoencoder gives back its input, halved: a reconstruction that is off.
func autoencoder() *runtimetest.Builder {
	return &runtimetest.Builder{
		Tensors: []runtimetest.Tensor{
			runtimetest.Int8("x", 0.02, 0, 1, 2),
			runtimetest.Weights("w", 0.02, []int{2, 2}, 25, 0, 0, 25),
			runtimetest.Const32("b", []int{2}, 0, 0),
			runtimetest.Int8("y", 0.02, 0, 1, 2),
		},
		Inputs: []int{0}, Outputs: []int{3},
		Ops: []runtimetest.Op{{Code: tflite.FullyConnected, Inputs: []int{0, 1, 2}, Outputs: []int{3}, Options: []any{byte(0)}}},
	}
}

// TestWithoutClasses: a model that classifies nothing answers with its first signal.
func TestWithoutClasses(t *testing.T) {
	o := options(t)
	o.Invoker, o.Labels = invoker(t, autoencoder()), nil
	o.Signals = []SignalOptions{declared(t, signal.Reconstruction, 4, around(t, 0.9, 512)), declared(t, "output:1", 2, around(t, 0.5, 512))}
	m, err := NewModel(o)
	if err != nil {
		t.Fatal(err)
	}
	p := New()
	p.Swap(m)
	got := process(t, p, 12, 2) // standardized 1 and 2, given back as 0.5 and 1
	if want := 1 - (0.25+1)/2/4; math.Abs(got.Confidence-want) > 1e-6 || got.Class != -1 || got.Label != "" || math.Abs(m.watches[1].value-0.5) > 1e-6 {
		t.Errorf("got %+v and output %v, want class -1 with %v, and 0.5", got, m.watches[1].value, want)
	}
	for i := 0; ; i++ {
		if got = process(t, p, 18, 2); got.Alarm {
			break
		}
		if i > 100 {
			t.Fatal("no alarm at a bad reconstruction")
		}
	}
	if len(got.Report.After.Classes) != 0 {
		t.Errorf("got classes %v", got.Report.After.Classes)
	}
}

func TestWatchesRefuse(t *testing.T) {
	for _, c := range []struct {
		name   string
		model  *runtimetest.Builder
		change func(*ModelOptions)
		want   string
	}{
		{"margin without a softmax", autoencoder(), func(o *ModelOptions) {
			o.Signals = []SignalOptions{declared(t, signal.Margin, 1, around(t, 0.5, 512))}
		}, "does not end in a softmax"},
		{"no such output", twoClasses(), func(o *ModelOptions) {
			o.Signals = append(o.Signals, declared(t, "output:2", 1, around(t, 0.5, 512)))
		}, `signal "output:2": 2 outputs`},
		{"classes without labels", autoencoder(), func(o *ModelOptions) { o.Labels = nil }, "for 0 labels"},
		{"inputs of other features", twoClasses(), func(o *ModelOptions) {
			o.Inputs = inputsAround(t, 1, 2, 100)
			o.Features = []byte(strings.Replace(twoFeatures, `"a"`, `"c"`, 1))
		}, `feature 0 is "a"`},
		{"fewer inputs", twoClasses(), func(o *ModelOptions) {
			o.Inputs = inputsAround(t, 1, 2, 100)
			o.Inputs.Features = o.Inputs.Features[:1]
		}, "inputs: 1 features, want 2"},
	} {
		loaded, err := runtime.Load(c.model.Bytes(), runtime.Options{})
		if err != nil {
			t.Fatal(err)
		}
		o := options(t)
		c.change(&o)
		if o.Invoker, o.Logits, err = Open(loaded, o.Signals); err == nil {
			_, err = NewModel(o)
		}
		if !errors.Is(err, ErrModel) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
}

// TestWatchesConcurrently changes references and maintenance beside samples; the race
// detector sees whether they take turns.
func TestWatchesConcurrently(t *testing.T) {
	p, m := opened(t, inputsAround(t, 14, 0, 1000), declared(t, signal.Top1, 0, around(t, 0.9, 512)), declared(t, signal.Margin, 8, around(t, 0.5, 512)))
	var wg sync.WaitGroup
	for _, change := range []func() error{
		func() error { _, err := p.SetReference(m, around(t, 0.9, 512), true); return err },
		func() error { p.Mute(m); return p.Unmute(m) },
		func() error { p.Snapshot(m); p.Explain(); return nil },
	} {
		wg.Go(func() {
			for range 20 {
				if err := change(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 500 {
		process(t, p, 14, 0)
	}
	wg.Wait()
	if got := process(t, p, 14, 0); got.Muted || got.Sequence != 501 {
		t.Errorf("got %+v, want sample 501, not muted", got)
	}
}

// TestStateFits: what a device stores again and again stays within a value of its store,
// 128 KiB, twice in base64 as it is there.
func TestStateFits(t *testing.T) {
	signals := []SignalOptions{declared(t, signal.Top1, 0, around(t, 0.9, 512)), declared(t, signal.Margin, 8, around(t, 0.5, 512)), declared(t, signal.Entropy, 0, around(t, 0.9, 512))}
	p, m := opened(t, nil, signals...)
	for i := range 1000 {
		process(t, p, 14, float32(i%3))
	}
	p.Mute(m)
	for range 1000 {
		process(t, p, 14, 0)
	}
	perSignal := len(p.Snapshot(m)) / len(signals)
	if most := (8*perSignal + maxInputState*4/3) * 4 / 3; most > 120<<10 {
		t.Errorf("got %d bytes a signal, %d with eight and the inputs, want at most 120 KiB", perSignal, most)
	}
	if raw := perSignal * 3 / 4; raw > 4<<10 {
		t.Errorf("got %d bytes a signal, want at most 4 KiB", raw)
	}
}
