package agent

import (
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

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
