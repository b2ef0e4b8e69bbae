package pipeline

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kedge/agent/drift"
	"kedge/agent/drift/signal"
	"kedge/agent/source"
	"kedge/runtime"
	"kedge/runtime/runtimetest"
	"kedge/runtime/tflite"
)

// twoClasses is a dense layer and a softmax: class 0 where the first feature is
// the larger one, surer the farther they are apart.
func twoClasses() *runtimetest.Builder {
	return &runtimetest.Builder{
		Tensors: []runtimetest.Tensor{
			runtimetest.Int8("x", 0.02, 0, 1, 2),
			runtimetest.Weights("w", 0.02, []int{2, 2}, 100, 0, 0, 100),
			runtimetest.Const32("b", []int{2}, 0, 0),
			runtimetest.Int8("logits", 0.1, 0, 1, 2),
			runtimetest.Int8("p", 1.0/256, -128, 1, 2),
		},
		Inputs: []int{0}, Outputs: []int{4},
		Ops: []runtimetest.Op{
			{Code: tflite.FullyConnected, Inputs: []int{0, 1, 2}, Outputs: []int{3}, Options: []any{byte(0)}},
			{Code: tflite.Softmax, Inputs: []int{3}, Outputs: []int{4}, Options: []any{float32(1)}},
		},
	}
}

const twoFeatures = `[{"name":"a","transform":"none","mean":10,"scale":2},{"name":"b","mean":0,"scale":1}]`

func invoker(t testing.TB, b *runtimetest.Builder) runtime.Invoker {
	t.Helper()
	m, err := runtime.Load(b.Bytes(), runtime.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := m.NewSession(runtime.SessionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// reference is one in which the signal lies at the top, n samples of it.
func reference(t testing.TB, n int) drift.Reference {
	t.Helper()
	xs := make([]float64, n)
	for i := range xs {
		xs[i] = 255.0 / 256
		if i%16 == 0 {
			xs[i] = 240.0 / 256
		}
	}
	ref, err := drift.NewReference(xs)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// declared is a signal without a range but for high.
func declared(t testing.TB, name string, high float64, ref drift.Reference) SignalOptions {
	t.Helper()
	s, err := signal.Parse(name, 0, high, false)
	if err != nil {
		t.Fatal(err)
	}
	return SignalOptions{Signal: s, Reference: ref}
}

func options(t testing.TB) ModelOptions {
	return ModelOptions{
		Invoker: invoker(t, twoClasses()), Features: []byte(twoFeatures), Labels: []string{"left", "right"},
		Signals: []SignalOptions{declared(t, signal.Top1, 0, reference(t, 512))},
	}
}

func loaded(t testing.TB) (*Pipeline, *Model) {
	t.Helper()
	m, err := NewModel(options(t))
	if err != nil {
		t.Fatal(err)
	}
	p := New()
	if old := p.Swap(m); old != nil {
		t.Fatalf("got %v in service before the first model", old)
	}
	return p, m
}

func sample(a, b float32) source.Sample {
	return source.Sample{Time: time.Unix(1, 0), X: []float32{a, b}}
}

func TestProcess(t *testing.T) {
	p, _ := loaded(t)
	for i, c := range []struct {
		a, b       float32
		class      int
		label      string
		confidence float64 // what softmax of the difference of logits gives, in 1/256
	}{
		{14, 0, 0, "left", 251}, // standardized 2 and 0: logits 4 and 0, 0.982
		{10, 2, 1, "right", 251},
		{10, 0, 0, "left", 128}, // equal: the first, and exactly one half
		{12, 0, 0, "left", 225}, // logits 2 and 0: 0.881
	} {
		got, err := p.Process(sample(c.a, c.b))
		if err != nil {
			t.Fatal(err)
		}
		if got.Class != c.class || got.Label != c.label || got.Confidence != c.confidence/256 {
			t.Errorf("%v %v: got %d %s %v/256, want %d %s %v/256", c.a, c.b, got.Class, got.Label, got.Confidence*256, c.class, c.label, c.confidence)
		}
		if got.Sequence != uint64(i+1) || !got.Time.Equal(time.Unix(1, 0)) || got.Signal != got.Confidence {
			t.Errorf("got sequence %d at %v, signal %v", got.Sequence, got.Time, got.Signal)
		}
	}
}

func TestProcessRefuses(t *testing.T) {
	if _, err := New().Process(sample(1, 2)); !errors.Is(err, ErrNoModel) {
		t.Errorf("without a model: got %v, want ErrNoModel", err)
	}
	p, _ := loaded(t)
	for _, x := range [][]float32{{1}, {1, 2, 3}, {1, float32(math.NaN())}, {float32(math.Inf(1)), 1}} {
		if _, err := p.Process(source.Sample{X: x}); !errors.Is(err, ErrInput) {
			t.Errorf("%v: got %v, want ErrInput", x, err)
		}
	}
	got, err := p.Process(sample(14, 0))
	if err != nil || got.Sequence != 1 {
		t.Errorf("got sequence %d, %v, want refused samples to take none", got.Sequence, err)
	}
}

func TestNewModelRefuses(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*ModelOptions)
		want   string
	}{
		{"no signal", func(o *ModelOptions) { o.Signals = nil }, `no signal: unsuitable model`},
		{"labels", func(o *ModelOptions) { o.Labels = []string{"a"} }, `tensor "p" of 2 elements for 1 labels: unsuitable model`},
		{"no features", func(o *ModelOptions) { o.Features = []byte("[]") }, "unsuitable model: features: none declared"},
		{"features", func(o *ModelOptions) { o.Features = []byte(`[{"name":"a","scale":1}]`) }, `tensor "x" of 2 elements for 1 features: unsuitable model`},
		{"scale", func(o *ModelOptions) { o.Features = []byte(`[{"name":"a","scale":1},{"name":"b","scale":0}]`) }, `unsuitable model: feature 1 "b": scale 0: must be above 0`},
		{"not JSON", func(o *ModelOptions) { o.Features = []byte("x") }, "features: unsuitable model: invalid character 'x' looking for beginning of value"},
		{"detector", func(o *ModelOptions) { o.Drift.Detectors = []string{"x"} }, `drift: unknown detector: "x"`},
		{"two outputs", func(o *ModelOptions) {
			b := twoClasses()
			b.Outputs = []int{4, 3}
			o.Invoker = invoker(t, b)
		}, "1 inputs and 2 outputs, want one of each: unsuitable model"},
	} {
		o := options(t)
		c.change(&o)
		if _, err := NewModel(o); err == nil || err.Error() != c.want {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
}

// fake is an engine with given tensors and a fixed output.
type fake struct {
	in, out runtime.TensorInfo
	input   []byte
	output  []byte
}

func (f *fake) Inputs() []runtime.TensorInfo  { return []runtime.TensorInfo{f.in} }
func (f *fake) Outputs() []runtime.TensorInfo { return []runtime.TensorInfo{f.out} }
func (f *fake) Input(int) []byte              { return f.input }
func (f *fake) Output(int) []byte             { return f.output }
func (f *fake) Invoke() error                 { return nil }
func (f *fake) Reset()                        {}

func floats(v ...float32) []byte { return runtimetest.Float32s(v...) }

func TestFloatTensors(t *testing.T) {
	f := &fake{
		in:    runtime.TensorInfo{Type: runtime.Float32, Shape: []int{1, 2}},
		out:   runtime.TensorInfo{Name: "p", Type: runtime.Float32, Shape: []int{2}},
		input: make([]byte, 8),
	}
	o := options(t)
	o.Invoker = f
	m, err := NewModel(o)
	if err != nil {
		t.Fatal(err)
	}
	p := New()
	p.Swap(m)
	for _, c := range []struct {
		out        []float32
		class      int
		confidence float64
		err        error
	}{
		{[]float32{0.25, 0.75}, 1, 0.75, nil},
		{[]float32{1.0000001, 0}, 0, 1, nil},
		{[]float32{2, 1}, 0, 0, ErrOutput},
		{[]float32{-2, -1}, 0, 0, ErrOutput},
		{[]float32{0.5, float32(math.NaN())}, 0, 0, ErrOutput},
		{[]float32{float32(math.NaN()), 0.5}, 0, 0, ErrOutput},
	} {
		f.output = floats(c.out...)
		got, err := p.Process(sample(14, 3))
		if !errors.Is(err, c.err) || got.Class != c.class || got.Confidence != c.confidence {
			t.Errorf("%v: got class %d, %v, %v, want %d, %v, %v", c.out, got.Class, got.Confidence, err, c.class, c.confidence, c.err)
		}
	}
	if want := floats(2, 3); !bytes.Equal(f.input, want) {
		t.Errorf("input: got %x, want the standardized features %x", f.input, want)
	}
	f.out.Type = runtime.Int16
	if _, err := NewModel(o); !errors.Is(err, ErrModel) {
		t.Errorf("int16 output: got %v, want ErrModel", err)
	}
}

func TestAlarmReport(t *testing.T) {
	p, m := loaded(t)
	for range 300 {
		if got, err := p.Process(sample(18, 0)); err != nil || got.State != drift.Stable {
			t.Fatalf("before: got %v, %v, want stable", got.State, err)
		}
	}
	alarms, at := 0, uint64(0)
	var report *Report
	for range 200 {
		got, err := p.Process(sample(10, 0.5)) // logits 0 and 1: 0.731
		if err != nil {
			t.Fatal(err)
		}
		if got.Alarm != (got.Report != nil) || got.Alarm != (got.State == drift.Drift) {
			t.Fatalf("alarm %v, report %v, state %v", got.Alarm, got.Report, got.State)
		}
		if got.Alarm {
			alarms, at, report = alarms+1, got.Sequence, got.Report
		}
	}
	if alarms != 1 || at > 330 {
		t.Fatalf("got %d alarms, the last at %d, want one within 30 samples", alarms, at)
	}
	after := report.After.N
	if report.Before.N+after != at || after < 65 || after > 80 {
		t.Errorf("windows of %d and %d samples at sample %d, want all, 65 to 80 of them after", report.Before.N, after, at)
	}
	bad := at - 300
	if want := []uint64{after - bad, bad}; !slices.Equal(report.After.Classes, want) || report.Before.Classes[1] != 0 {
		t.Errorf("classes: got %v before, %v after, want %v after", report.Before.Classes, report.After.Classes, want)
	}
	// Feature a moved from 4 to 0 deviations in the bad part, b from 0 to 0.5.
	wantA, wantB := 4*float64(after-bad)/float64(after), 0.5*float64(bad)/float64(after)
	if got := report.After.Inputs; math.Abs(got[0]-wantA) > 1e-6 || math.Abs(got[1]-wantB) > 1e-6 {
		t.Errorf("inputs after: got %v, want %v and %v", got, wantA, wantB)
	}
	if got := report.Before.Inputs; got[0] != 4 || got[1] != 0 || !slices.Equal(report.Moved, []int{0, 1}) {
		t.Errorf("inputs before: got %v, moved %v, want [4 0], [0 1]", got, report.Moved)
	}
	if report.N != int64(at) || report.Alarms != 1 || len(report.Detectors) != 2 {
		t.Errorf("got n %d, %d alarms, %d detectors", report.N, report.Alarms, len(report.Detectors))
	}
	// Only a new reference ends it, and only one that is meant to.
	if ok, err := p.SetReference(m, reference(t, 600), false); ok || err != nil {
		t.Errorf("a reference from before the alarm: got %v, %v, want false", ok, err)
	}
	if e, _ := p.Explain(); e.State != drift.Latched {
		t.Errorf("after a reference from before the alarm: got %v, want latched", e.State)
	}
	if ok, err := p.SetReference(m, reference(t, 600), true); !ok || err != nil {
		t.Fatalf("got %v, %v", ok, err)
	}
	if e, _ := p.Explain(); e.State != drift.Stable || e.N != 0 || e.ReferenceN != 600 {
		t.Errorf("after a new reference: got %v, n %d, reference of %d", e.State, e.N, e.ReferenceN)
	}
	other, err := NewModel(options(t))
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := p.SetReference(other, reference(t, 600), true); ok || err != nil {
		t.Errorf("for a model out of service: got %v, %v, want false", ok, err)
	}
}

func TestSnapshotRestore(t *testing.T) {
	p, m := loaded(t)
	for range 40 {
		if _, err := p.Process(sample(10, 0.5)); err != nil {
			t.Fatal(err)
		}
	}
	before, _ := p.Explain()
	next, err := NewModel(options(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := next.Restore(p.Snapshot(m)); err != nil {
		t.Fatal(err)
	}
	if p.Snapshot(next) != nil {
		t.Error("a model out of service has a snapshot")
	}
	if old := p.Swap(next); old != m {
		t.Errorf("swap: got %p, want the old model %p", old, m)
	}
	after, _ := p.Explain()
	if after.N != before.N || after.Alarms != before.Alarms || after.Alarms == 0 || after.State != drift.Latched {
		t.Errorf("got n %d, %d alarms, %v, want n %d, %d alarms, latched", after.N, after.Alarms, after.State, before.N, before.Alarms)
	}
}

func TestProcessDoesNotAllocate(t *testing.T) {
	p, _ := loaded(t)
	s := sample(18, 0)
	var record []byte
	if n := testing.AllocsPerRun(500, func() {
		got, err := p.Process(s)
		if err != nil {
			t.Fatal(err)
		}
		record = AppendRecord(record[:0], &Record{Boot: "1-a", Sequence: got.Sequence, Label: got.Label, Confidence: got.Confidence, X: s.X})
	}); n != 0 {
		t.Errorf("got %v allocations per sample, want 0", n)
	}
}

// TestSwapAtSampleBoundary runs swaps beside samples: every answer is wholly of
// one of the two models, and none is lost.
func TestSwapAtSampleBoundary(t *testing.T) {
	p, first := loaded(t)
	o := options(t)
	o.Labels = []string{"LEFT", "RIGHT"}
	o.Features = []byte(strings.Replace(twoFeatures, `"mean":10`, `"mean":2`, 1))
	second, err := NewModel(o)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	done := make(chan struct{})
	wg.Go(func() {
		defer close(done)
		for i := range 400 {
			if i%2 == 0 {
				p.Swap(second)
			} else {
				p.Swap(first)
			}
			p.Explain()
		}
	})
	allowed := map[string]bool{"right 0.98046875": true, "LEFT 0.98046875": true}
	count := uint64(0)
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		got, err := p.Process(sample(6, 0)) // -2 and 0, or 2 and 0 deviations
		if err != nil {
			t.Fatal(err)
		}
		count++
		if text := fmt.Sprint(got.Label, " ", got.Confidence); !allowed[text] || got.Sequence != count {
			t.Fatalf("got %s, sequence %d, want one of %v, sequence %d", text, got.Sequence, allowed, count)
		}
	}
	wg.Wait()
}

func TestStats(t *testing.T) {
	s := newStats(2, 1)
	for i := range 1000 {
		s.add(i%2, 0.5, []float32{1})
		recent := s.recent()
		if recent.n+s.before.n != uint64(i+1) || recent.classes[0]+recent.classes[1] != recent.n || recent.inputs[0] != float64(recent.n) {
			t.Fatalf("after %d samples: recent %+v, before %d", i+1, recent, s.before.n)
		}
		if i >= 79 && (recent.n < 65 || recent.n > 80) {
			t.Fatalf("after %d samples: %d recent", i+1, recent.n)
		}
	}
}

func TestRecord(t *testing.T) {
	want := Record{Boot: "17-3f9a12c0", Sequence: 8120, Time: time.Unix(5, 7).UTC(), Label: "ok", Confidence: 0.75, X: []float32{1, -2.5}}
	got, err := ParseRecord(AppendRecord(nil, &want))
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	long := Record{Label: strings.Repeat("x", 300), Time: time.Unix(0, 0)}
	if got, err := ParseRecord(AppendRecord(nil, &long)); err != nil || got.Label != long.Label[:255] {
		t.Errorf("long label: got %d bytes, %v, want 255", len(got.Label), err)
	}
}

func FuzzParseRecord(f *testing.F) {
	f.Add(AppendRecord(nil, &Record{Boot: "1-a", Label: "ok", Time: time.Unix(5, 0), X: []float32{1, 2}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ParseRecord(b)
		if err != nil {
			if !errors.Is(err, ErrRecord) {
				t.Errorf("got %v, want ErrRecord", err)
			}
			return
		}
		if again := AppendRecord(nil, &r); !bytes.Equal(again, b) {
			t.Errorf("encoded again: got %x, want %x", again, b)
		}
	})
}

// TestSetReferenceWhileAnAlarmStands: a reference that is no answer is taken while
// all is well, and neither at the sample of the alarm nor behind it.
func TestSetReferenceWhileAnAlarmStands(t *testing.T) {
	p, m := loaded(t)
	take := func(when string, answer, want bool) {
		t.Helper()
		if ok, err := p.SetReference(m, reference(t, 512), answer); ok != want || err != nil {
			t.Errorf("%s: got %v, %v, want %v", when, ok, err, want)
		}
	}
	take("stable", false, true)
	alarm := false
	for i := 0; i < 500 && !alarm; i++ {
		a, err := p.Process(sample(10, 0.5))
		if err != nil {
			t.Fatal(err)
		}
		alarm = a.Alarm
	}
	if !alarm {
		t.Fatal("no alarm")
	}
	take("at the alarm", false, false)
	if _, err := p.Process(sample(10, 0.5)); err != nil {
		t.Fatal(err)
	}
	take("behind it", false, false)
	take("as an answer", true, true)
}
