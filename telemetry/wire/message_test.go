package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// example is a good message of every kind, in the order of the documentation.
func examples() []Message {
	model := ModelRef{Name: "pump", Version: 7, SHA256: testDigest, Release: testDigest, Slot: "a"}
	return []Message{
		&State{V: 1, Device: "pump-1", Boot: "b1", Session: 3, Online: true, Time: noon},
		&Reported{V: 1, Device: "pump-1", Boot: "b1", Time: noon, Agent: "0.1.0", Platform: "linux/arm64", Model: &model,
			Drift: &Monitor{State: "stable", N: 9}, Root: 1, Assign: 4, Counters: Counters{Inferences: 9, Produced: 3, Sent: 2, Queued: 1}},
		&Event{SpecVersion: "1.0", ID: "b1-1", Source: "/kedge/north/pump-1", Type: EventType(KindHealth), Time: noon,
			DataContentType: "application/json", Data: json.RawMessage(`{"code":"K0601"}`)},
		&Drift{Model: model, Sample: "pump-1/b1/8", N: 8, Alarm: 1, Fired: []string{"page-hinkley"},
			Detectors: []Detector{{Name: "page-hinkley", Statistic: 51.5, Threshold: 50, Fired: true, Course: []float64{1, 51.5}}},
			Before:    Window{N: 500, SignalMean: 0.96, Classes: map[string]uint64{"good": 1}}, After: Window{N: 8, SignalMean: 0.7, Inputs: []Input{{"rms", 2.5}}},
			Evidence: EvidenceRef{ID: "e1", Before: 8, After: 100}},
		&Update{Release: testDigest, Name: "pump", Version: 7, State: UpdateRefused, Code: "K0405", Reason: "because", Slot: "a", Bytes: 1},
		&Reference{Model: model, First: "pump-1/b1/1", Signals: []byte{250, 251}},
		&Health{Code: "K0601", Severity: "W", Text: "text", Do: "advice", Count: 2},
		&Evidence{V: 1, ID: "e1", Part: 1, Last: true, Model: testDigest,
			Samples: []Sample{{ID: "pump-1/b1/8", Time: noon, X: PackFloat32s([]float32{1.5, -2}), Label: "worn", Confidence: 0.7}}},
		&Labels{V: 1, Labels: []Label{{Sample: "pump-1/b1/8", Label: "worn"}, {Device: "pump-1", Time: noon, Label: "good"}}},
		&Get{V: 1, Blob: testDigest, First: 16, Want: 0x8001},
	}
}

func TestDecodeExamples(t *testing.T) {
	for _, want := range examples() {
		data, err := json.Marshal(want)
		if err != nil {
			t.Fatalf("%T: %v", want, err)
		}
		got := reflect.New(reflect.TypeOf(want).Elem()).Interface().(Message)
		if err := Decode(data, got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%T: got %+v, %v, want %+v", want, got, err, want)
		}
		// A newer device says more; an empty message says nothing.
		more := append([]byte(`{"of_the_future":[1],`), data[1:]...)
		if err := Decode(more, got); err != nil {
			t.Errorf("%T with an unknown member: %v", want, err)
		}
		for _, bad := range []string{"", "null", "{}", "[]", `"x"`, string(data) + "x", string(data[:len(data)-1]), "\xef\xbb\xbf" + string(data)} {
			fresh := reflect.New(reflect.TypeOf(want).Elem()).Interface().(Message)
			if err := Decode([]byte(bad), fresh); !errors.Is(err, ErrMalformed) {
				t.Errorf("%T from %.40q: got %v, want ErrMalformed", want, bad, err)
			}
		}
		huge := append(data, bytes.Repeat([]byte(" "), MaxMessage+1-len(data))...)
		if err := Decode(huge[:MaxMessage], got); err != nil {
			t.Errorf("%T of the largest size: %v", want, err)
		}
		if err := Decode(huge, got); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%T of a byte more: got %v, want ErrTooLarge", want, err)
		}
	}
}

func TestDecodeNesting(t *testing.T) {
	deep := `{"v":1,"x":` + strings.Repeat("[", 60000) + strings.Repeat("]", 60000) + `}`
	if err := Decode([]byte(deep), new(Labels)); !errors.Is(err, ErrMalformed) {
		t.Errorf("got %v, want ErrMalformed", err)
	}
}

// Every rule of Check, broken alone.
func TestCheck(t *testing.T) {
	nan := PackFloat32s([]float32{1, float32(math.NaN())})
	inf := PackFloat32s([]float32{float32(math.Inf(-1))})
	tests := []struct {
		name   string
		member string // and the JSON that takes its place in the example of that type
		value  string
		kind   Message
	}{
		{"version", "v", `2`, &State{}}, {"device", "device", `"a/b"`, &State{}}, {"boot", "boot", `""`, &State{}},
		{"session", "session", `0`, &State{}}, {"session below 0", "session", `-1`, &State{}}, {"online", "online", `1`, &State{}}, {"time", "time", `"noon"`, &State{}},
		{"version", "v", `0`, &Reported{}}, {"device", "device", `""`, &Reported{}}, {"boot", "boot", `"b 1"`, &Reported{}},
		{"counter", "counters", `{"sent":-1}`, &Reported{}}, {"root", "root", `1.5`, &Reported{}}, {"assign", "assign", `18446744073709551616`, &Reported{}},
		{"specversion", "specversion", `"0.3"`, &Event{}}, {"id", "id", `""`, &Event{}}, {"long id", "id", `"` + strings.Repeat("x", 257) + `"`, &Event{}},
		{"source", "source", `""`, &Event{}}, {"long source", "source", `"` + strings.Repeat("x", 257) + `"`, &Event{}}, {"type", "type", `""`, &Event{}},
		{"sample", "sample", `"8"`, &Drift{}}, {"fired", "fired", `[]`, &Drift{}}, {"evidence id", "evidence", `{"id":"/"}`, &Drift{}},
		{"evidence before", "evidence", `{"id":"e","before":-1}`, &Drift{}}, {"evidence after", "evidence", `{"id":"e","after":-1}`, &Drift{}},
		{"number too large", "detectors", `[{"statistic":1e999}]`, &Drift{}}, {"NaN", "detectors", `[{"statistic":NaN}]`, &Drift{}},
		{"state", "state", `"golden"`, &Update{}}, {"no state", "state", `""`, &Update{}}, {"bytes", "bytes", `1e3`, &Update{}},
		{"first", "first", `"pump-1/b1"`, &Reference{}}, {"signals", "signals", `""`, &Reference{}}, {"base64", "signals", `"?"`, &Reference{}}, {"model", "model", `{}`, &Reference{}},
		{"code", "code", `""`, &Health{}}, {"severity", "severity", `"fatal"`, &Health{}},
		{"version", "v", `3`, &Evidence{}}, {"id", "id", `"#"`, &Evidence{}}, {"part", "part", `-1`, &Evidence{}}, {"part over 64 bits", "part", `9223372036854775808`, &Evidence{}},
		{"sample id", "samples", `[{"id":"x"}]`, &Evidence{}}, {"null sample", "samples", `[null]`, &Evidence{}},
		{"confidence above 1", "samples", `[{"id":"a/b/1","confidence":1.001}]`, &Evidence{}}, {"confidence below 0", "samples", `[{"id":"a/b/1","confidence":-0.1}]`, &Evidence{}},
		{"half a float", "samples", `[{"id":"a/b/1","x":"AAA="}]`, &Evidence{}}, {"long label", "samples", `[{"id":"a/b/1","label":"` + strings.Repeat("x", 129) + `"}]`, &Evidence{}},
		{"feature that is no number", "samples", `[{"id":"a/b/1","x":` + quoted(nan) + `}]`, &Evidence{}}, {"infinite feature", "samples", `[{"id":"a/b/1","x":` + quoted(inf) + `}]`, &Evidence{}},
		{"version", "v", `0`, &Labels{}}, {"empty label", "labels", `[{"sample":"a/b/1","label":""}]`, &Labels{}}, {"long label", "labels", `[{"sample":"a/b/1","label":"` + strings.Repeat("x", 129) + `"}]`, &Labels{}},
		{"sample", "labels", `[{"sample":"1","label":"a"}]`, &Labels{}}, {"device without time", "labels", `[{"device":"a","label":"a"}]`, &Labels{}},
		{"time without device", "labels", `[{"time":"2026-03-01T12:00:00Z","label":"a"}]`, &Labels{}}, {"bad device", "labels", `[{"device":"+","time":"2026-03-01T12:00:00Z","label":"a"}]`, &Labels{}},
		{"version", "v", `2`, &Get{}}, {"blob", "blob", `"x"`, &Get{}}, {"first", "first", `-1`, &Get{}}, {"far first", "first", `1048577`, &Get{}},
		{"want nothing", "want", `0`, &Get{}}, {"want too much", "want", `65536`, &Get{}}, {"want as string", "want", `"1"`, &Get{}},
	}
	for _, test := range tests {
		for _, example := range examples() {
			if reflect.TypeOf(example) != reflect.TypeOf(test.kind) {
				continue
			}
			t.Run(reflect.TypeOf(example).Elem().Name()+" "+test.name, func(t *testing.T) {
				data, _ := json.Marshal(example)
				var m map[string]json.RawMessage
				if err := json.Unmarshal(data, &m); err != nil {
					t.Fatal(err)
				}
				if _, ok := m[test.member]; !ok {
					t.Fatalf("the example has no member %q", test.member)
				}
				m[test.member] = json.RawMessage("null")
				data, _ = json.Marshal(m)
				data = bytes.Replace(data, []byte(`"`+test.member+`":null`), []byte(`"`+test.member+`":`+test.value), 1)
				if err := Decode(data, test.kind); !errors.Is(err, ErrMalformed) {
					t.Errorf("%s: got %v, want ErrMalformed", data, err)
				}
			})
		}
	}
}

func quoted(b []byte) string {
	data, _ := json.Marshal(b)
	return string(data)
}

func TestNewEvent(t *testing.T) {
	at := noon.In(time.FixedZone("", 3600))
	for _, data := range []Message{&Update{State: UpdateOffered}, &Health{Code: "K0601", Severity: "I", Text: "<&>"}} {
		e, err := NewEvent(testTopics, KindHealth, "b1-1", at, data)
		if err != nil {
			t.Fatal(err)
		}
		if e.Source != "/kedge/north/pump-1" || e.Type != "kedge.health.v1" || !e.Time.Equal(noon) || e.Time.Location() != time.UTC {
			t.Errorf("got %+v", e)
		}
		raw, _ := json.Marshal(e)
		var back Event
		if err := Decode(raw, &back); err != nil {
			t.Fatal(err)
		}
		fresh := reflect.New(reflect.TypeOf(data).Elem()).Interface().(Message)
		if err := Decode(back.Data, fresh); err != nil || !reflect.DeepEqual(fresh, data) {
			t.Errorf("got %+v, %v, want %+v", fresh, err, data)
		}
	}
}

func TestNewEventErrors(t *testing.T) {
	nan := examples()[3].(*Drift)
	nan.Detectors[0].Statistic = math.NaN()
	tests := []struct {
		name string
		id   string
		data Message
		want error
	}{
		{"bad data", "1", &Update{}, ErrMalformed},
		{"no id", "", &Update{State: UpdateOffered}, ErrMalformed},
		{"too large", "1", &Health{Code: "K0601", Severity: "I", Text: strings.Repeat("x", MaxMessage)}, ErrTooLarge},
	}
	for _, test := range tests {
		if _, err := NewEvent(testTopics, KindHealth, test.id, noon, test.data); !errors.Is(err, test.want) {
			t.Errorf("%s: got %v, want %v", test.name, err, test.want)
		}
	}
	if _, err := NewEvent(testTopics, KindDrift, "1", noon, nan); err == nil {
		t.Error("a statistic that is no number was encoded")
	}
}

func TestGetChunks(t *testing.T) {
	tests := []struct {
		get  Get
		want []int
	}{
		{Get{First: 0, Want: 1}, []int{0}},
		{Get{First: 16, Want: 0x8001}, []int{16, 31}},
		{Get{First: 3, Want: 0b1010}, []int{4, 6}},
		{Get{First: 3}, nil},
	}
	for _, test := range tests {
		if got := test.get.Chunks(); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%+v: got %v, want %v", test.get, got, test.want)
		}
	}
	if got := (&Get{Want: 0xffff}).Chunks(); len(got) != GetWindow {
		t.Errorf("a full window: got %d chunks, want %d", len(got), GetWindow)
	}
}
