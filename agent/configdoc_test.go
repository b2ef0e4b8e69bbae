package agent

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const configDoc = "../docs/config.md"

var docRow = regexp.MustCompile("(?m)^\\| `([a-z]+\\.[a-z_]+)` \\| ([^|]*) \\| ([^|]*) \\|")

// docTypes is what the document calls the types of fields.
var docTypes = map[reflect.Type]string{
	reflect.TypeFor[string](): "string", reflect.TypeFor[[]string](): "array of strings", reflect.TypeFor[Duration](): "duration",
	reflect.TypeFor[int](): "whole number", reflect.TypeFor[int64](): "whole number", reflect.TypeFor[float64](): "number",
	reflect.TypeFor[bool](): "boolean",
}

// conditional are the keys whose default the document gives in words.
var conditional = map[string]bool{"device.site": true, "device.id": true, "source.kind": true, "output.answers": true}

func TestConfigDocKeys(t *testing.T) {
	doc, err := os.ReadFile(configDoc)
	if err != nil {
		t.Fatal(err)
	}
	documented := make(map[string]bool)
	defaults := configDefaults()
	schema := configKeys()
	for _, row := range docRow.FindAllStringSubmatch(string(doc), -1) {
		key, typ, def := row[1], strings.TrimSpace(row[2]), strings.TrimSpace(row[3])
		if documented[key] {
			t.Errorf("%s stands twice", key)
		}
		documented[key] = true
		if schema[key] == nil {
			t.Errorf("%s is documented but no key", key)
			continue
		}
		if want := docTypes[schema[key]]; typ != want {
			t.Errorf("%s: documented as %s, want %s", key, typ, want)
		}
		if want := "`" + defaults[key] + "`"; def != want && !conditional[key] {
			t.Errorf("%s: documented default %s, want %s", key, def, want)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(schema)) {
		if strings.Contains(key, ".") && !documented[key] {
			t.Errorf("%s is not documented", key)
		}
	}
}

// configDefaults gives every key's default as it is written in TOML.
func configDefaults() map[string]string {
	defaults := make(map[string]string)
	c := reflect.ValueOf(DefaultConfig())
	for section, value := range c.Fields() {
		for key, v := range value.Fields() {
			text := fmt.Sprint(v.Interface())
			switch v.Kind() {
			case reflect.String:
				text = fmt.Sprintf("%q", v.String())
			case reflect.Struct:
				text = fmt.Sprintf("%q", v.Interface())
			case reflect.Slice:
				quoted, _ := json.Marshal(append([]string{}, v.Interface().([]string)...))
				text = strings.ReplaceAll(string(quoted), ",", ", ")
			}
			defaults[section.Tag.Get("toml")+"."+key.Tag.Get("toml")] = text
		}
	}
	return defaults
}

func TestConfigDocExamples(t *testing.T) {
	doc, err := os.ReadFile(configDoc)
	if err != nil {
		t.Fatal(err)
	}
	examples := regexp.MustCompile("(?s)```toml\n(.*?)```").FindAllStringSubmatch(string(doc), -1)
	if len(examples) < 8 {
		t.Errorf("got %d examples, want 8 or more", len(examples))
	}
	for i, e := range examples {
		if _, err := ParseConfig(fmt.Sprintf("example %d", i+1), []byte(e[1])); err != nil {
			t.Errorf("%v\nin\n%s", err, e[1])
		}
	}
}
