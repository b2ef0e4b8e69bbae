package agent

import (
	"encoding"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// maxConfig bounds a configuration file in bytes; a real one has a few hundred.
const maxConfig = 1 << 20

// A Problem is one thing that is wrong with a configuration file.
type Problem struct {
	Line   int    `json:"line,omitempty"` // from 1; 0 if the key is absent
	Column int    `json:"column,omitempty"`
	Key    string `json:"key,omitempty"` // dotted: mqtt.broker
	Found  string `json:"found"`
	Want   string `json:"want,omitempty"`
}

func (p Problem) text(file string) string {
	var b strings.Builder
	b.WriteString(file)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
	}
	if p.Key != "" {
		b.WriteString(": " + p.Key)
	}
	b.WriteString(": " + p.Found)
	if p.Want != "" {
		b.WriteString(", want " + p.Want)
	}
	return b.String()
}

// A ConfigError lists everything that is wrong with a configuration file, in
// the order of its lines.
type ConfigError struct {
	File     string
	Problems []Problem
}

// Error gives one line for each problem: file:line:column: key: found, want.
func (e *ConfigError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.text(e.File)
	}
	return strings.Join(lines, "\n")
}

// ParseConfig reads and checks a configuration; file is its name for messages.
// All unknown keys and wrong types are reported at once, and if there are none,
// all values out of range. The error is a *ConfigError.
func ParseConfig(file string, data []byte) (Config, error) {
	c := DefaultConfig()
	fail := func(ps ...Problem) (Config, error) {
		slices.SortStableFunc(ps, func(a, b Problem) int { return a.Line - b.Line })
		return Config{}, &ConfigError{File: file, Problems: ps}
	}
	if len(data) > maxConfig {
		return fail(Problem{Found: fmt.Sprintf("%d bytes", len(data)), Want: fmt.Sprintf("at most %d", maxConfig)})
	}
	var whole map[string]any
	if err := toml.Unmarshal(data, &whole); err != nil {
		return fail(problemOf(err))
	}
	keys := keysOf(data)
	if ps := checkKeys(keys); len(ps) > 0 {
		return fail(ps...)
	}
	if err := toml.Unmarshal(data, &c); err != nil {
		return fail(problemOf(err))
	}
	given := func(key string) bool { _, ok := keys[key]; return ok }
	if !given("output.answers") && c.Source.Kind == SourceStdin {
		c.Output.Answers = "-"
	}
	if ps := c.check(given); len(ps) > 0 {
		for i := range ps {
			at := keys[ps[i].Key]
			ps[i].Line, ps[i].Column = at.line, at.column
		}
		return fail(ps...)
	}
	return c, nil
}

// problemOf turns what the TOML library says into a Problem.
func problemOf(err error) Problem {
	var de *toml.DecodeError
	if !errors.As(err, &de) {
		return Problem{Found: err.Error()}
	}
	p := Problem{Key: strings.Join(de.Key(), "."), Found: strings.TrimPrefix(de.Error(), "toml: ")}
	p.Line, p.Column = de.Position()
	return p
}

// A tomlKey is one key of a file with a value, or the header of a table.
type tomlKey struct {
	line, column int
	kind         unstable.Kind
	elements     []unstable.Kind // of an array
	raw          string
}

// keysOf lists the keys of a valid document by their dotted names. The library's
// own strict mode stops at the first wrong type and tells no whole key inside
// inline tables; its parser tells both.
func keysOf(data []byte) map[string]tomlKey {
	keys := make(map[string]tomlKey)
	var p unstable.Parser
	p.Reset(data)
	table := ""
	for p.NextExpression() {
		switch e := p.Expression(); e.Kind {
		case unstable.Table, unstable.ArrayTable:
			var at tomlKey
			table, at = keyOf(&p, "", e)
			at.kind = e.Kind
			keys[table] = at
		case unstable.KeyValue:
			addKey(&p, keys, table, e)
		}
	}
	return keys
}

func addKey(p *unstable.Parser, keys map[string]tomlKey, table string, e *unstable.Node) {
	name, at := keyOf(p, table, e)
	v := e.Value()
	at.kind, at.raw = v.Kind, string(p.Raw(v.Raw))
	for it := v.Children(); it.Next(); {
		if v.Kind == unstable.InlineTable {
			addKey(p, keys, name, it.Node())
		} else {
			at.elements = append(at.elements, it.Node().Kind)
		}
	}
	keys[name] = at
	// A dotted key or an inline table opens its sections without a header.
	for parent, _, ok := cutLast(name); ok; parent, _, ok = cutLast(parent) {
		if _, have := keys[parent]; !have {
			keys[parent] = tomlKey{line: at.line, column: at.column, kind: unstable.Table}
		}
	}
}

func keyOf(p *unstable.Parser, table string, e *unstable.Node) (string, tomlKey) {
	var at tomlKey
	name := table
	for it := e.Key(); it.Next(); {
		part := it.Node()
		if at.line == 0 {
			start := p.Shape(part.Raw).Start
			at.line, at.column = start.Line, start.Column
		}
		if name != "" {
			name += "."
		}
		name += string(part.Data)
	}
	return name, at
}

func cutLast(key string) (before, after string, ok bool) {
	i := strings.LastIndexByte(key, '.')
	if i < 0 {
		return "", key, false
	}
	return key[:i], key[i+1:], true
}

// checkKeys reports unknown keys and wrong types.
func checkKeys(keys map[string]tomlKey) []Problem {
	schema := configKeys()
	var ps []Problem
	for _, name := range slices.Sorted(maps.Keys(keys)) {
		at := keys[name]
		p := Problem{Line: at.line, Column: at.column, Key: name}
		typ, known := schema[name]
		parent, _, below := cutLast(name)
		switch {
		case !known && below && schema[parent] == nil:
			continue // the section itself is reported
		case !known:
			p.Found, p.Want = "unknown key", "one of "+strings.Join(keysBelow(schema, parent), ", ")
		case fits(at, typ):
			continue
		default:
			p.Found, p.Want = "got "+foundText(at), wantText(typ)
		}
		ps = append(ps, p)
	}
	return ps
}

// configKeys lists the dotted names of all sections and keys with their types.
func configKeys() map[string]reflect.Type {
	schema := make(map[string]reflect.Type)
	for section := range reflect.TypeFor[Config]().Fields() {
		name := section.Tag.Get("toml")
		schema[name] = section.Type
		for key := range section.Type.Fields() {
			schema[name+"."+key.Tag.Get("toml")] = key.Type
		}
	}
	return schema
}

// keysBelow lists the last parts of the names right below a section.
func keysBelow(schema map[string]reflect.Type, section string) []string {
	var names []string
	for name := range schema {
		if parent, last, _ := cutLast(name); parent == section {
			names = append(names, last)
		}
	}
	slices.Sort(names)
	return names
}

var textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()

// fits reports whether a value has the form that the field takes.
func fits(at tomlKey, typ reflect.Type) bool {
	if reflect.PointerTo(typ).Implements(textUnmarshaler) {
		return at.kind == unstable.String
	}
	switch typ.Kind() {
	case reflect.Struct:
		return at.kind == unstable.Table || at.kind == unstable.InlineTable
	case reflect.String:
		return at.kind == unstable.String
	case reflect.Bool:
		return at.kind == unstable.Bool
	case reflect.Int, reflect.Int64:
		return at.kind == unstable.Integer
	case reflect.Float64:
		return at.kind == unstable.Integer || at.kind == unstable.Float
	case reflect.Slice:
		return at.kind == unstable.Array && !slices.ContainsFunc(at.elements, func(k unstable.Kind) bool { return k != unstable.String })
	}
	panic("BUG: no TOML form for a configuration field of type " + typ.String())
}

// wantText says in words what a field takes.
func wantText(typ reflect.Type) string {
	if reflect.PointerTo(typ).Implements(textUnmarshaler) {
		return `a duration such as "30s"`
	}
	switch typ.Kind() {
	case reflect.Struct:
		return "a table"
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	default:
		return "an array of strings"
	}
}

var kindTexts = map[unstable.Kind]string{
	unstable.Table: "a table", unstable.ArrayTable: "an array of tables", unstable.InlineTable: "a table",
	unstable.Array: "an array", unstable.String: "the string", unstable.Bool: "the boolean",
	unstable.Float: "the number", unstable.Integer: "the number", unstable.LocalDate: "a date",
	unstable.LocalTime: "a time", unstable.LocalDateTime: "a time", unstable.DateTime: "a time",
}

// foundText says in words what stands in the file, with the value if it is short.
func foundText(at tomlKey) string {
	text := kindTexts[at.kind]
	if strings.HasPrefix(text, "the ") && at.raw != "" {
		return fmt.Sprintf("%s %.40s", text, at.raw)
	}
	return text
}
