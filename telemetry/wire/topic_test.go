package wire

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

var (
	testTopics = DeviceTopics{Site: "north", Device: "pump-1"}
	testDigest = strings.Repeat("ab", 32)
)

func TestCheckName(t *testing.T) {
	for _, good := range []string{"a", "0", "pump-1", "A.b_c-9", strings.Repeat("x", 64)} {
		if err := CheckName(good); err != nil {
			t.Errorf("%q: got %v, want no error", good, err)
		}
	}
	for _, bad := range []string{"", "-a", ".a", "_a", "a/b", "+", "#", "a b", "a\n", "\na", "é", "a\x00", strings.Repeat("x", 65)} {
		if err := CheckName(bad); !errors.Is(err, ErrMalformed) {
			t.Errorf("%q: got %v, want ErrMalformed", bad, err)
		}
	}
}

func TestTopics(t *testing.T) {
	d := testTopics
	tests := []struct{ got, want string }{
		{d.State(), "kedge/v1/d/north/pump-1/state"},
		{d.Reported(), "kedge/v1/d/north/pump-1/rep"},
		{d.Event(KindDrift), "kedge/v1/d/north/pump-1/evt/drift"},
		{d.Upload("e1", 0), "kedge/v1/d/north/pump-1/up/e1/0"},
		{d.Get(), "kedge/v1/d/north/pump-1/get"},
		{d.Chunk(testDigest, 17), "kedge/v1/d/north/pump-1/dn/" + testDigest + "/17"},
		{d.Chunks(), "kedge/v1/d/north/pump-1/dn/+/+"},
		{d.Assign(), "kedge/v1/d/north/pump-1/assign"},
		{d.Reference(), "kedge/v1/d/north/pump-1/ref"},
		{GroupAssign("north", "pumps"), "kedge/v1/g/north/pumps/assign"},
		{Release(testDigest), "kedge/v1/rel/" + testDigest},
		{Root(18446744073709551615), "kedge/v1/root/18446744073709551615"},
		{Roots(), "kedge/v1/root/+"},
		{Truth("north", "lab"), "kedge/v1/t/north/lab"},
		{d.Source(), "/kedge/north/pump-1"},
	}
	for _, test := range tests {
		if test.got != test.want {
			t.Errorf("got %s, want %s", test.got, test.want)
		}
		if n := strings.Count(test.got, "/"); n > 7 {
			t.Errorf("%s: %d slashes, at most 7", test.got, n)
		}
	}
}

func TestParseTopic(t *testing.T) {
	const d = "kedge/v1/d/north/pump-1/"
	device := func(kind string, rest ...string) Topic {
		return Topic{Site: "north", Device: "pump-1", Kind: kind, Rest: rest}
	}
	tests := []struct {
		topic string
		want  Topic
	}{
		{d + "state", device("state")},
		{d + "rep", device("rep")},
		{d + "evt/drift", device("evt", "drift")},
		{d + "evt/of-the-future", device("evt", "of-the-future")},
		{d + "up/e1/0", device("up", "e1", "0")},
		{d + "up/e1/999999999", device("up", "e1", "999999999")},
		{d + "get", device("get")},
		{d + "dn/" + testDigest + "/3", device("dn", testDigest, "3")},
		{d + "assign", device("assign")},
		{d + "ref", device("ref")},
		{"kedge/v1/t/north/lab", Topic{Site: "north", Source: "lab", Kind: "t"}},
	}
	for _, test := range tests {
		got, err := ParseTopic(test.topic)
		if len(got.Rest) == 0 {
			got.Rest = nil
		}
		if err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: got %+v, %v, want %+v", test.topic, got, err, test.want)
		}
	}
	for _, bad := range []string{
		"", "/", "kedge", "kedge/v1", "kedge/v1/", "kedge/v1/d", "kedge/v1/d/north", "kedge/v1/d/north/pump-1", d,
		"kedge/v2/d/north/pump-1/state", "Kedge/v1/d/north/pump-1/state", "/" + d + "state", "x" + d + "state",
		"kedge/v1/d//pump-1/state", "kedge/v1/d/north//state", "kedge/v1/d/no rth/pump-1/state", "kedge/v1/d/+/+/state",
		"kedge/v1/d/north/pump\n/state", "kedge/v1/d/" + strings.Repeat("x", 65) + "/pump-1/state",
		d + "State", d + "state/", d + "state/x", d + "cmd", d + "res", d + "evt", d + "evt/", d + "evt/a/b", d + "evt/#", d + "evt/-a",
		d + "up/e1", d + "up//0", d + "up/e1/", d + "up/e1/-1", d + "up/e1/+1", d + "up/e1/01", d + "up/e1/1000000000", d + "up/e1/0x1",
		d + "up/e1/0/0", d + "up/../0", d + "dn/x/0", d + "dn/" + strings.ToUpper(testDigest) + "/0", d + "dn/" + testDigest, d + "dn/" + testDigest + "/١",
		"kedge/v1/t/north", "kedge/v1/t/north/", "kedge/v1/t/north/lab/x", "kedge/v1/g/north/pumps/assign", "kedge/v1/rel/" + testDigest, "kedge/v1/root/1",
	} {
		if got, err := ParseTopic(bad); !errors.Is(err, ErrTopic) {
			t.Errorf("%q: got %+v, %v, want ErrTopic", bad, got, err)
		}
	}
}

// Every topic that a device or a source of truth writes is one that the centre
// has subscribed to, and AWS IoT takes the filters in one SUBSCRIBE.
func TestCentreFilters(t *testing.T) {
	filters := CentreFilters()
	if len(filters) > 8 {
		t.Errorf("%d filters, at most 8", len(filters))
	}
	d := testTopics
	for _, topic := range []string{d.State(), d.Reported(), d.Event(KindHealth), d.Upload("e1", 3), d.Get(), Truth("north", "lab")} {
		matches := 0
		for _, filter := range filters {
			if matchFilter(filter, topic) {
				matches++
			}
		}
		if matches != 1 {
			t.Errorf("%s: %d filters match, want 1", topic, matches)
		}
	}
	for _, topic := range []string{d.Chunk(testDigest, 0), d.Assign(), d.Reference(), Release(testDigest), Root(1)} {
		for _, filter := range filters {
			if matchFilter(filter, topic) {
				t.Errorf("%s: what the centre writes itself matches %s", topic, filter)
			}
		}
	}
	if !matchFilter(d.Chunks(), d.Chunk(testDigest, 5)) || !matchFilter(Roots(), Root(7)) {
		t.Error("a device's filters miss its topics")
	}
}

// matchFilter is MQTT's rule for filters that hold "+" only.
func matchFilter(filter, topic string) bool {
	f, l := strings.Split(filter, "/"), strings.Split(topic, "/")
	if len(f) != len(l) {
		return false
	}
	for i := range f {
		if f[i] != "+" && f[i] != l[i] {
			return false
		}
	}
	return true
}
