package main

import (
	"bytes"
	"encoding"
	"encoding/json"
	"maps"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"kedge/agent/drift"
	"kedge/agent/drift/inputs"
	"kedge/runtime/feature"
	"kedge/telemetry/trust"
	"kedge/telemetry/wire"
)

const schemaDir = "../../schema"

// types are the Go types behind the schemas.
var types = map[string]reflect.Type{
	"state": reflect.TypeFor[wire.State](), "reported": reflect.TypeFor[wire.Reported](), "event": reflect.TypeFor[wire.Event](),
	"drift": reflect.TypeFor[wire.Drift](), "update": reflect.TypeFor[wire.Update](), "reference": reflect.TypeFor[wire.Reference](),
	"health": reflect.TypeFor[wire.Health](), "audit": reflect.TypeFor[wire.Audit](), "evidence": reflect.TypeFor[wire.Evidence](), "labels": reflect.TypeFor[wire.Labels](),
	"get": reflect.TypeFor[wire.Get](), "envelope": reflect.TypeFor[trust.Envelope](), "root": reflect.TypeFor[trust.RootDocument](),
	"release": reflect.TypeFor[trust.Release](), "assign": reflect.TypeFor[trust.Assign](),
	"reference-document": reflect.TypeFor[trust.ReferenceDocument](), "bundle-manifest": reflect.TypeFor[trust.Manifest](),
	"bundle-features": reflect.TypeFor[feature.Set](), "bundle-reference": reflect.TypeFor[drift.Reference](),
	"bundle-references": reflect.TypeFor[map[string]drift.Reference](), "bundle-inputs": reflect.TypeFor[inputs.Reference](),
}

func compile(t *testing.T) map[string]*jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	compiled := make(map[string]*jsonschema.Schema)
	for name := range types {
		s, err := c.Compile(filepath.Join(schemaDir, name+".schema.json"))
		if err != nil {
			t.Fatal(err)
		}
		compiled[name] = s
	}
	return compiled
}

// parse reads JSON as the validator wants it, and as it can be changed.
func parse(t *testing.T, data []byte) any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// An instance is a JSON value that has to be of a schema.
type instance struct {
	schema string
	name   string
	data   []byte
}

// instances are all accepted vectors, with what lies within them, and the
// smallest forms that our own types can take.
func instances(t *testing.T) []instance {
	t.Helper()
	files := onDisk(t)
	var m manifest
	decode(t, files, "manifest.json", &m)
	var all []instance
	for _, c := range m.Checks {
		if c.Outcome == accept {
			all = append(all, within(t, c, files[c.File])...)
		}
	}
	for _, f := range smallest() {
		data, err := json.Marshal(f.value)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, instance{f.schema, "smallest " + f.schema, data})
	}
	return all
}

// within returns the JSON of a vector by schema.
func within(t *testing.T, c check, data []byte) []instance {
	t.Helper()
	switch c.Check {
	case checkMessage:
		kind, inner, isEvent := strings.Cut(c.Message, "/")
		all := []instance{{kind, c.File, data}}
		if isEvent {
			var e struct{ Data json.RawMessage }
			if err := json.Unmarshal(data, &e); err != nil {
				t.Fatal(err)
			}
			all = append(all, instance{inner, c.File + " data", e.Data})
		}
		return all
	case checkRoot, checkNextRoot, checkRelease, checkAssign, checkReference:
		_, payload, err := trust.PayloadOf(data)
		if err != nil {
			t.Fatal(err)
		}
		schema := map[string]string{checkRoot: "root", checkNextRoot: "root", checkReference: "reference-document"}[c.Check]
		if schema == "" {
			schema = c.Check
		}
		return []instance{{"envelope", c.File, data}, {schema, c.File + " payload", payload}}
	case checkBundle:
		b, err := trust.OpenBundle(data)
		if err != nil {
			t.Fatal(err)
		}
		manifest, err := json.Marshal(b.Manifest)
		if err != nil {
			t.Fatal(err)
		}
		return []instance{
			{"bundle-manifest", c.File, manifest}, {"bundle-features", c.File, b.Features}, {"bundle-reference", c.File, b.Reference},
		}
	}
	return nil
}

type form struct {
	schema string
	value  any
}

// smallest holds of every type the least that its check lets pass, with nil
// slices, nil maps and nil pointers wherever there may be some.
func smallest() []form {
	d := sampleDigest
	return []form{
		{"state", &wire.State{V: 1, Device: "a", Boot: "b", Session: 1}},
		{"reported", &wire.Reported{V: 1, Device: "a", Boot: "b", Platform: "linux/arm"}},
		{"drift", &wire.Drift{Model: wire.ModelRef{Name: "m", SHA256: d}, Sample: "a/b/0", Fired: []string{"x"}, Evidence: wire.EvidenceRef{ID: "e"}}},
		{"drift", &wire.Drift{Model: wire.ModelRef{Name: "m", SHA256: d}, Sample: "a/b/0", Fired: []string{"x"}, Evidence: wire.EvidenceRef{ID: "e"}, Detectors: []wire.Detector{{Name: "x"}}}},
		{"update", &wire.Update{State: wire.UpdateRefused, Code: "K0405"}},
		{"reference", &wire.Reference{Model: wire.ModelRef{Name: "m", SHA256: d}, First: "a/b/0", Signals: []byte{0}}},
		{"health", &wire.Health{Code: "K0101", Severity: "I"}},
		{"audit", &wire.Audit{Action: "x", Who: "y"}},
		{"evidence", &wire.Evidence{V: 1, ID: "e", Model: d}},
		{"evidence", &wire.Evidence{V: 1, ID: "e", Model: d, Samples: []wire.Sample{{ID: "a/b/0", X: wire.PackFloat32s(nil)}}}},
		{"labels", &wire.Labels{V: 1}},
		{"labels", &wire.Labels{V: 1, Labels: []wire.Label{{Sample: "a/b/0", Label: "x"}, {Device: "a", Time: at, Label: "x"}}}},
		{"get", &wire.Get{V: 1, Blob: d, Want: 1}},
		{"event", &wire.Event{SpecVersion: "1.0", ID: "1", Source: device.Source(), Type: wire.EventType("audit"), DataContentType: "application/json", Data: json.RawMessage(`{}`)}},
		{"envelope", &trust.Envelope{Payload: []byte{}, Signatures: []trust.Signature{}}},
		{"release", &trust.Release{Type: "release", Name: "m", Version: 1, Bundle: trust.BundleRef{SHA256: d, Size: 1, Index: d}, Model: d}},
		{"release", &trust.Release{Type: "release", Name: "m", Version: 1, Bundle: trust.BundleRef{SHA256: d, Size: 1, Index: d}, Model: d, Inputs: []trust.Operand{{Type: "int8"}}}},
		{"assign", &trust.Assign{Type: "assign", Site: "s", Group: "g", Release: d, Sequence: 1, Mode: trust.ModeActive, NotAfter: at}},
		{"bundle-manifest", &trust.Manifest{Format: 1, Name: "m", Version: 1, Signal: "top1", GoldenSamples: 1}},
		{"bundle-manifest", &trust.Manifest{Format: 1, Name: "m", Version: 1, Signal: "margin", Signals: []trust.Signal{{Name: "margin", High: 1}, {Name: "output:0", Low: -1, High: 1, Falling: true}}, GoldenSamples: 1, Accuracy: &trust.Accuracy{N: 1}, Context: &trust.Context{Key: "feature:speed", Edges: []float64{10, 20}}}},
		{"bundle-features", feature.Set{{Scale: 1}}},
		{"bundle-reference", drift.Reference{Counts: make([]int64, drift.LatticeSize), Contexts: contexts()}},
		{"bundle-references", map[string]drift.Reference{"top1": {Counts: make([]int64, drift.LatticeSize), Lags: []float64{0.5}, Contexts: contexts()}, "margin": blocksReference()}},
		{"reference-document", &trust.ReferenceDocument{Type: "reference", Site: "a", Device: "b", Model: d, Sequence: 1, Reference: contextReference()}},
		{"bundle-inputs", inputs.Reference{N: 30, Features: []inputs.Feature{{Type: inputs.Float}, {Type: inputs.Int8, Name: "a", Edges: []float64{1}, Lags: []float64{0.5}, Spread: []inputs.Spread{{Rows: 8, Missing: 2}}}}}},
		{"bundle-reference", drift.Reference{Counts: make([]int64, drift.LatticeSize)}},
		{"bundle-reference", blocksReference()},
		{"reference-document", &trust.ReferenceDocument{Type: "reference", Site: "a", Device: "b", Model: d, Sequence: 1, Reference: marshal(blocksReference())}},
	}
}

func blocksReference() drift.Reference {
	return drift.Reference{Counts: make([]int64, drift.LatticeSize), Blocks: []drift.BlockVariance{{Rows: 64, Blocks: 12, Variance: 1}}}
}

func contexts() map[string]drift.Reference {
	return map[string]drift.Reference{"6": {Counts: make([]int64, drift.LatticeSize)}}
}

func contextReference() json.RawMessage {
	return marshal(drift.Reference{Counts: make([]int64, drift.LatticeSize), Contexts: contexts()})
}

func marshal(v any) json.RawMessage {
	data, err := json.Marshal(v)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return data
}

func TestInstances(t *testing.T) {
	schemas := compile(t)
	for _, i := range instances(t) {
		if err := schemas[i.schema].Validate(parse(t, i.data)); err != nil {
			t.Errorf("%s: %v", i.name, err)
		}
	}
}

// inexpressible are rules that a JSON Schema cannot state.
var inexpressible = map[string]string{
	"messages/more/state-truncated.json": "no JSON", "messages/more/state-trailing.json": "no JSON",
	"messages/more/get-fraction.json": "1e0 is an integer to JSON Schema",
	"messages/more/evidence-x.json":   "the number of bytes", "messages/more/evidence-nan.json": "the value of float32",
	"more/release-floor.json": "two members compared", "more/assign-backwards.json": "two members compared",
	"more/release-case.json": "names of unknown members", "more/root-key-under-two-ids.json": "a digest", "more/root-threshold.json": "two members compared",
	"more/envelope-twice.json": "a member twice", "more/envelope-case.json": "names of unknown members",
	"more/envelope-trailing.json": "no JSON", "more/envelope-truncated.json": "no JSON",
}

// What is refused as malformed is so by the schema as well, where it can say it.
func TestRefusedInstances(t *testing.T) {
	schemas := compile(t)
	files := onDisk(t)
	var m manifest
	decode(t, files, "manifest.json", &m)
	for _, c := range m.Checks {
		if c.Outcome != malformed || inexpressible[c.File] != "" {
			delete(inexpressible, c.File)
			continue
		}
		schema, data := c.Message, files[c.File]
		if c.Check != checkMessage {
			schema = "envelope"
			if _, payload, err := trust.PayloadOf(data); err == nil {
				parts := within(t, c, data)
				schema, data = parts[len(parts)-1].schema, payload
			}
		}
		if err := schemas[schema].Validate(parse(t, data)); err == nil {
			t.Errorf("%s (%s): the schema %s takes it", c.File, c.Why, schema)
		}
	}
	for name := range inexpressible {
		t.Errorf("%s is on the list of what schemas cannot say, and not among the refused vectors", name)
	}
}

// A node is a schema as JSON, with its document for references.
type node struct {
	doc string
	m   map[string]any
}

type documentsByName map[string]map[string]any

func readSchemas(t *testing.T) documentsByName {
	t.Helper()
	docs := make(documentsByName)
	for name := range types {
		docs.read(t, name+".schema.json")
	}
	docs.read(t, "common.schema.json")
	return docs
}

func (docs documentsByName) read(t *testing.T, file string) {
	t.Helper()
	data := readFile(t, filepath.Join(schemaDir, file))
	docs[file] = parse(t, data).(map[string]any)
}

// resolve follows a reference.
func (docs documentsByName) resolve(n node) node {
	for {
		ref, ok := n.m["$ref"].(string)
		if !ok {
			return n
		}
		file, pointer, _ := strings.Cut(ref, "#")
		if file != "" {
			n.doc = path.Base(file)
		}
		n.m = docs[n.doc]
		for _, step := range strings.Split(strings.Trim(pointer, "/"), "/") {
			if step != "" {
				n.m = n.m[step].(map[string]any)
			}
		}
	}
}

func (docs documentsByName) child(n node, keys ...string) (node, bool) {
	for _, k := range keys {
		next, ok := n.m[k].(map[string]any)
		if !ok {
			return node{}, false
		}
		n.m = next
	}
	return docs.resolve(n), true
}

func names(list any) []string {
	var all []string
	for _, v := range list.([]any) {
		all = append(all, v.(string))
	}
	slices.Sort(all)
	return all
}

// TestMembers compares the schemas' members with the fields of the types: none
// more, none less, and those required that are always written.
func TestMembers(t *testing.T) {
	docs := readSchemas(t)
	for name, typ := range types {
		file := name + ".schema.json"
		compareMembers(t, docs, docs.resolve(node{file, docs[file]}), typ, name)
	}
}

func compareMembers(t *testing.T, docs documentsByName, n node, typ reflect.Type, where string) {
	t.Helper()
	switch {
	case typ == reflect.TypeFor[time.Time](), typ == reflect.TypeFor[json.RawMessage](),
		reflect.PointerTo(typ).Implements(reflect.TypeFor[encoding.TextMarshaler]()):
		return
	case typ == reflect.TypeFor[drift.Reference]() && strings.HasSuffix(where, ".contexts.*"):
		// A context is plain counts, without what else the type has.
	case typ.Kind() == reflect.Pointer:
		compareMembers(t, docs, n, typ.Elem(), where)
	case typ.Kind() == reflect.Map:
		if elem, ok := docs.child(n, "additionalProperties"); ok {
			compareMembers(t, docs, elem, typ.Elem(), where+".*")
		} else {
			t.Errorf("%s: the schema says nothing of the values", where)
		}
	case typ.Kind() == reflect.Slice && typ.Elem().Kind() != reflect.Uint8:
		if elem, ok := docs.child(n, "items"); ok {
			compareMembers(t, docs, elem, typ.Elem(), where+"[]")
		} else {
			t.Errorf("%s: the schema says nothing of the elements", where)
		}
	case typ.Kind() == reflect.Struct:
		compareStruct(t, docs, n, typ, where)
	}
}

func compareStruct(t *testing.T, docs documentsByName, n node, typ reflect.Type, where string) {
	t.Helper()
	var all, required []string
	for i := range typ.NumField() {
		tag, options, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
		all = append(all, tag)
		// DSSE lets others leave the keyid out; we always write it.
		if !strings.HasPrefix(options, "omit") && typ.Field(i).Name != "KeyID" {
			required = append(required, tag)
		}
		if member, ok := docs.child(n, "properties", tag); ok {
			compareMembers(t, docs, member, typ.Field(i).Type, where+"."+tag)
		}
	}
	slices.Sort(all)
	slices.Sort(required)
	properties, _ := n.m["properties"].(map[string]any)
	if got := slices.Sorted(maps.Keys(properties)); !slices.Equal(got, all) {
		t.Errorf("%s: the schema has members %v, the type %v", where, got, all)
	}
	if got := names(n.m["required"]); !slices.Equal(got, required) {
		t.Errorf("%s: the schema requires %v, the type always writes %v", where, got, required)
	}
}

// TestMutations removes every required member of every instance, and gives every
// member another type; the schema has to notice. Every member of every schema
// occurs in some instance.
func TestMutations(t *testing.T) {
	schemas, docs := compile(t), readSchemas(t)
	seen := make(map[string]bool)
	tried := 0
	for _, i := range instances(t) {
		root := parse(t, i.data)
		file := i.schema + ".schema.json"
		mutate(docs, docs.resolve(node{file, docs[file]}), root, i.schema, seen, func(where string) {
			tried++
			if schemas[i.schema].Validate(root) == nil {
				t.Errorf("%s: valid with %s", i.name, where)
			}
		})
	}
	if tried < 500 {
		t.Errorf("only %d mutations were tried", tried)
	}
	for name := range types {
		file := name + ".schema.json"
		everyMember(docs, docs.resolve(node{file, docs[file]}), name, func(where string) {
			if !seen[where] {
				t.Errorf("no instance has %s", where)
			}
		})
	}
}

// mutate changes v in place, calls report, and changes it back, for every
// member that the schema n knows.
func mutate(docs documentsByName, n node, v any, where string, seen map[string]bool, report func(string)) {
	switch v := v.(type) {
	case map[string]any:
		properties, _ := n.m["properties"].(map[string]any)
		required, _ := n.m["required"].([]any)
		for name, value := range v {
			member, known := docs.child(n, "properties", name)
			path := where + "." + name
			if !known {
				path = where + ".*"
				if member, known = docs.child(n, "additionalProperties"); !known {
					continue
				}
			}
			seen[path] = true
			mutate(docs, member, value, path, seen, report)
			v[name] = otherType(value)
			report(path + " of another type")
			if _, named := properties[name]; named && slices.Contains(required, any(name)) {
				delete(v, name)
				report("no " + path)
			}
			v[name] = value
		}
	case []any:
		elem, known := docs.child(n, "items")
		for i, value := range v {
			if !known {
				break
			}
			mutate(docs, elem, value, where+"[]", seen, report)
			v[i] = otherType(value)
			report(where + "[] of another type")
			v[i] = value
		}
	}
}

// everyMember names all members below a schema as mutate does.
func everyMember(docs documentsByName, n node, where string, visit func(string)) {
	properties, _ := n.m["properties"].(map[string]any)
	for name := range properties {
		visit(where + "." + name)
		member, _ := docs.child(n, "properties", name)
		everyMember(docs, member, where+"."+name, visit)
	}
	if elem, ok := docs.child(n, "items"); ok {
		everyMember(docs, elem, where+"[]", visit)
	}
	if elem, ok := docs.child(n, "additionalProperties"); ok {
		visit(where + ".*")
		everyMember(docs, elem, where+".*", visit)
	}
}

// otherType returns a value that has another JSON type than v.
func otherType(v any) any {
	switch v.(type) {
	case string:
		return json.Number("1")
	case []any:
		return map[string]any{}
	case map[string]any:
		return []any{}
	default:
		return "x"
	}
}
