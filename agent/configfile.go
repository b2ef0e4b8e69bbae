package agent

import (
	"bytes"
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
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // some editors put a mark at the front
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
