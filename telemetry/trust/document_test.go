package trust

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// A change is one thing wrong (or still right) with a document.
type change struct {
	name   string
	member string
	value  any // nil removes the member
	want   error
}

// verifyChanges signs document with each change made to it and compares what verify says.
func verifyChanges(t *testing.T, payloadType string, key byte, document any, verify func([]byte) error, changes []change) {
	t.Helper()
	base := members(t, document)
	for _, c := range changes {
		t.Run(c.name, func(t *testing.T) {
			wantError(t, verify(sign(t, payloadType, with(base, c.member, c.value), key)), c.want)
		})
	}
}

func TestVerifyRelease(t *testing.T) {
	r := openTestRoot(t)
	b := testBundle()
	release := testRelease(b, encodeBundle(t, b))
	envelope := sign(t, TypeRelease, release, 10)
	got, digest, err := r.VerifyRelease(envelope)
	wantError(t, err, nil)
	if !reflect.DeepEqual(got, release) {
		t.Errorf("got %+v, want %+v", got, release)
	}
	if _, payload, _ := PayloadOf(envelope); digest != DocumentDigest(payload) {
		t.Errorf("got digest %s, want %s", digest, DocumentDigest(payload))
	}

	digestOf := strings.Repeat("0a", 32)
	ref := func(sha, index string, size any) map[string]any {
		return map[string]any{"sha256": sha, "index": index, "size": size}
	}
	operand := func(kind string, shape ...any) []any {
		return []any{map[string]any{"type": kind, "shape": shape}}
	}
	verifyChanges(t, TypeRelease, 10, release, func(e []byte) error { _, _, err := r.VerifyRelease(e); return err }, []change{
		{"member of the future", "more", 1, nil},
		{"no type", "type", nil, ErrMalformed},
		{"other type", "type", "assign", ErrMalformed},
		{"no name", "name", nil, ErrMalformed},
		{"name with slash", "name", "a/b", ErrMalformed},
		{"name with newline", "name", "pump\n", ErrMalformed},
		{"name of 65", "name", long(65), ErrMalformed},
		{"no version", "version", nil, ErrMalformed},
		{"version 0", "version", 0, ErrMalformed},
		{"version below 0", "version", -1, ErrMalformed},
		{"version as string", "version", "7", ErrMalformed},
		{"no bundle", "bundle", nil, ErrMalformed},
		{"size 0", "bundle", ref(digestOf, digestOf, 0), ErrMalformed},
		{"size below 0", "bundle", ref(digestOf, digestOf, -1), ErrMalformed},
		{"largest bundle", "bundle", ref(digestOf, digestOf, MaxBundle), nil},
		{"bundle too large", "bundle", ref(digestOf, digestOf, MaxBundle+1), ErrMalformed},
		{"size over 64 bits", "bundle", ref(digestOf, digestOf, json.Number("9223372036854775808")), ErrMalformed},
		{"size in floating point", "bundle", ref(digestOf, digestOf, json.Number("1e3")), ErrMalformed},
		{"digest in capitals", "bundle", ref(strings.ToUpper(digestOf), digestOf, 9), ErrMalformed},
		{"short digest", "bundle", ref(digestOf[2:], digestOf, 9), ErrMalformed},
		{"no index", "bundle", ref(digestOf, "", 9), ErrMalformed},
		{"bad model digest", "model", "g" + digestOf[1:], ErrMalformed},
		{"no platforms", "platforms", nil, nil},
		{"no operators", "operators", nil, nil},
		{"no inputs", "inputs", nil, nil},
		{"scalar", "inputs", []any{map[string]any{"type": "int8"}}, nil},
		{"operand without type", "inputs", operand("", 1), ErrMalformed},
		{"dimension 0", "outputs", operand("int8", 1, 0), ErrMalformed},
		{"dimension below 0", "inputs", operand("int8", -1), ErrMalformed},
		{"dimension of 31 bits", "inputs", operand("int8", json.Number("2147483647")), nil},
		{"dimension over 31 bits", "inputs", operand("int8", json.Number("2147483648")), ErrMalformed},
		{"any agent", "min_agent", nil, nil},
		{"agent with v", "min_agent", "v0.1.0", ErrMalformed},
		{"agent with leading zero", "min_agent", "0.01.0", ErrMalformed},
		{"agent of two numbers", "min_agent", "0.1", ErrMalformed},
		{"floor at the version", "security_floor", 7, nil},
		{"floor above the version", "security_floor", 8, ErrMalformed},
	})
}

func TestRunsOn(t *testing.T) {
	tests := []struct {
		platforms []string
		want      bool
	}{
		{nil, false}, {[]string{"*"}, true}, {[]string{"linux/arm64"}, true},
		{[]string{"linux/arm"}, false}, {[]string{"linux/*"}, false}, {[]string{"linux/arm", "linux/arm64"}, true},
	}
	for _, test := range tests {
		if got := (&Release{Platforms: test.platforms}).RunsOn("linux/arm64"); got != test.want {
			t.Errorf("%v: got %t, want %t", test.platforms, got, test.want)
		}
	}
}

func TestVerifyAssign(t *testing.T) {
	r := openTestRoot(t)
	assign := testAssign()
	got, err := r.VerifyAssign(sign(t, TypeAssign, assign, 20))
	wantError(t, err, nil)
	if !reflect.DeepEqual(got, assign) {
		t.Errorf("got %+v, want %+v", got, assign)
	}
	verify := func(e []byte) error { _, err := r.VerifyAssign(e); return err }
	changes := []change{
		{"member of the future", "more", 1, nil},
		{"other type", "type", "release", ErrMalformed},
		{"no site", "site", nil, ErrMalformed},
		{"wildcard site", "site", "+", ErrMalformed},
		{"no device", "device", nil, ErrMalformed},
		{"bad device", "device", "a/b", ErrMalformed},
		{"group beside device", "group", "pumps", ErrMalformed},
		{"no release", "release", nil, ErrMalformed},
		{"bad release", "release", "latest", ErrMalformed},
		{"sequence 0", "sequence", 0, ErrMalformed},
		{"highest sequence", "sequence", json.Number("18446744073709551615"), nil},
		{"mode of the future", "mode", "shadow", ErrMalformed},
		{"no mode", "mode", nil, ErrMalformed},
		{"no end", "not_after", nil, ErrMalformed},
		{"ends when it begins", "not_after", issued, ErrMalformed},
		{"no spread", "spread_seconds", nil, nil},
		{"spread of a week", "spread_seconds", 604800, nil},
		{"longer spread", "spread_seconds", 604801, ErrMalformed},
		{"spread that overflows a duration", "spread_seconds", json.Number("9223372036854775807"), ErrMalformed},
		{"spread below 0", "spread_seconds", -1, ErrMalformed},
		{"device in capitals", "Device", "pump-2", ErrMalformed},
	}
	verifyChanges(t, TypeAssign, 20, assign, verify, changes)

	group := *assign
	group.Device, group.Group = "", "pumps"
	t.Run("group", func(t *testing.T) { wantError(t, verify(sign(t, TypeAssign, &group, 20)), nil) })
	group.Group = "../x"
	t.Run("bad group", func(t *testing.T) { wantError(t, verify(sign(t, TypeAssign, &group, 20)), ErrMalformed) })
	t.Run("no object", func(t *testing.T) { wantError(t, verify(sign(t, TypeAssign, []int{1}, 20)), ErrMalformed) })
}

func TestVerifyReference(t *testing.T) {
	r := openTestRoot(t)
	ref := testReference()
	got, err := r.VerifyReference(sign(t, TypeReference, ref, 10))
	wantError(t, err, nil)
	if !reflect.DeepEqual(got, ref) {
		t.Errorf("got %+v, want %+v", got, ref)
	}
	verify := func(e []byte) error { _, err := r.VerifyReference(e); return err }
	verifyChanges(t, TypeReference, 10, ref, verify, []change{
		{"other type", "type", "root", ErrMalformed},
		{"no site", "site", nil, ErrMalformed},
		{"no device", "device", nil, ErrMalformed},
		{"no model", "model", nil, ErrMalformed},
		{"sequence 0", "sequence", 0, ErrMalformed},
		{"first sample", "first", "pump-1/1-3f9a12c0/1000", nil},
		{"first that is no sample", "first", "pump-1/1-3f9a12c0/01", ErrMalformed},
		{"no histogram", "reference", nil, ErrMalformed},
		{"null for a histogram", "reference", json.RawMessage("null"), ErrMalformed},
		{"string for a histogram", "reference", "{}", ErrMalformed},
		{"histogram with a member twice", "reference", json.RawMessage(`{"n":1,"n":2}`), ErrMalformed},
	})
	t.Run("assign key", func(t *testing.T) { wantError(t, verify(sign(t, TypeReference, ref, 20)), ErrSignature) })
}
