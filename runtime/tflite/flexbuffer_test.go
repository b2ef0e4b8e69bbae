package tflite_test

import (
	"errors"
	"math"
	"testing"

	"kedge/runtime/runtimetest"
	"kedge/runtime/tflite"
)

// wide is a map as other writers make it: values of 1, 2, 4 and 8 bytes behind a
// distance, inline ones of 2, keys of 1.
var wide = []byte{
	'a', 0, 'b', 0, 'c', 0, 'd', 0, 'e', 0, 'f', 0, 'g', 0, // 0
	0xfe,       // 14: −2
	0,          // 15
	0x39, 0x30, // 16: 12345
	0, 0, // 18
	0, 0, 0xc0, 0x3f, // 20: 1.5
	0, 0, 0, 0, 0, 0, 0xf8, 0xbf, // 24: −1.5
	7,                          // 32: keys
	33, 32, 31, 30, 29, 28, 27, // 33
	7, 0, 1, 0, 7, 0, // 40: distance to the keys, their width, number of values
	32, 0, 32, 0, 30, 0, 28, 0, 0xff, 0x7f, 0xff, 0xff, 1, 0, // 46
	6 << 2, 7<<2 | 1, 8<<2 | 2, 8<<2 | 3, 1<<2 | 1, 2<<2 | 1, 26<<2 | 1, // 60
	21, 9<<2 | 1, 1, // 67
}

func TestFlexMap(t *testing.T) {
	ordinary := runtimetest.Flex("count", 70000, "negative", -3, "real", float32(0.25), "whole", float32(12), "yes", true, "no", false, "none", nil)
	for _, c := range []struct {
		name string
		buf  []byte
		key  string
		want float64
		ok   bool
	}{
		{"int", ordinary, "count", 70000, true},
		{"negative", ordinary, "negative", -3, true},
		{"float32", ordinary, "real", 0.25, true},
		{"whole float", ordinary, "whole", 12, true},
		{"true", ordinary, "yes", 1, true},
		{"false", ordinary, "no", 0, true},
		{"null", ordinary, "none", 0, false},
		{"absent", ordinary, "other", 0, false},
		{"beginning of a key", ordinary, "coun", 0, false},
		{"longer than a key", ordinary, "counts", 0, false},
		{"longer than the buffer", ordinary, string(make([]byte, 1000)), 0, false},
		{"empty map", runtimetest.Flex(), "count", 0, false},
		{"indirect int8", wide, "a", -2, true},
		{"indirect uint16", wide, "b", 12345, true},
		{"indirect float32", wide, "c", 1.5, true},
		{"indirect float64", wide, "d", -1.5, true},
		{"int16", wide, "e", 32767, true},
		{"uint16", wide, "f", 65535, true},
		{"bool", wide, "g", 1, true},
	} {
		m, err := tflite.OpenFlexMap(c.buf)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got, ok, err := m.Float(c.key); got != c.want || ok != c.ok || err != nil {
			t.Errorf("%s as a number: got %v, %v, %v, want %v, %v", c.name, got, ok, err, c.want, c.ok)
		}
		got, ok, err := m.Int(c.key)
		if c.want != math.Trunc(c.want) {
			if !errors.Is(err, tflite.ErrMalformed) {
				t.Errorf("%s as an integer: got %v, want %v", c.name, err, tflite.ErrMalformed)
			}
			continue
		}
		if got != int64(c.want) || ok != c.ok || err != nil {
			t.Errorf("%s as an integer: got %v, %v, %v, want %v, %v", c.name, got, ok, err, c.want, c.ok)
		}
	}
}

func TestFlexMapRefusals(t *testing.T) {
	edit := func(at int, v byte) []byte {
		b := append([]byte(nil), wide...)
		b[at] = v
		return b
	}
	for _, c := range []struct {
		name string
		buf  []byte
		key  string // empty where the outline is refused
	}{
		{"empty", nil, ""},
		{"no map", edit(68, 10<<2|1), ""},
		{"root of 3 bytes", edit(69, 3), ""},
		{"root in front of the buffer", edit(67, 200), ""},
		{"too many values", edit(45, 3), ""},
		{"values behind the end", edit(44, 9), ""},
		{"keys of 3 bytes", edit(42, 3), ""},
		{"keys in front of the buffer", edit(40, 90), ""},
		{"key in front of the buffer", edit(33, 90), "a"},
		{"value in front of the buffer", edit(46, 90), "a"},
		{"text", edit(60, 5<<2), "a"},
		{"float16", edit(62, 8<<2|1), "c"},
	} {
		m, err := tflite.OpenFlexMap(c.buf)
		if c.key != "" && err == nil {
			_, _, err = m.Float(c.key)
		}
		if !errors.Is(err, tflite.ErrMalformed) {
			t.Errorf("%s: got %v, want %v", c.name, err, tflite.ErrMalformed)
		}
	}
}

// FuzzFlexMap looks up keys in any bytes: nothing panics or allocates by them.
func FuzzFlexMap(f *testing.F) {
	f.Add(wide, "a")
	f.Add(runtimetest.Flex("shift", 12, "scale", float32(10), "yes", true), "scale")
	f.Add(runtimetest.Flex(), "")
	f.Fuzz(func(t *testing.T, buf []byte, key string) {
		m, err := tflite.OpenFlexMap(buf)
		if err != nil && !errors.Is(err, tflite.ErrMalformed) {
			t.Errorf("got %v, want %v", err, tflite.ErrMalformed)
		}
		i, ok, err := m.Int(key)
		r, known, realErr := m.Float(key)
		if err == nil && (ok != known || realErr != nil || ok && math.Abs(r) < 1<<53 && float64(i) != r) {
			t.Errorf("key %q: got %v, %v and %v, %v", key, i, ok, r, known)
		}
		if (err != nil && !errors.Is(err, tflite.ErrMalformed)) || (realErr != nil && !errors.Is(realErr, tflite.ErrMalformed)) {
			t.Errorf("got %v and %v, want %v", err, realErr, tflite.ErrMalformed)
		}
	})
}
