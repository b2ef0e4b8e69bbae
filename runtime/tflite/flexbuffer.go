package tflite

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
)

// Types of FlexBuffer values that are read here; a value's type byte holds the
// type above two bits of width.
const (
	flexNull          = 0
	flexInt           = 1
	flexUint          = 2
	flexFloat         = 3
	flexIndirectInt   = 6
	flexIndirectUint  = 7
	flexIndirectFloat = 8
	flexMap           = 9
	flexBool          = 26
)

// maxFlexEntries limits a map, whose entries are searched one by one; the
// options of an operator are about ten.
const maxFlexEntries = 256

// FlexMap is a FlexBuffer whose root is a map with text keys: the options of a
// custom operator. It is a view into the file; looking a key up allocates
// nothing. The zero FlexMap has no entries.
//
// The format: the buffer's last byte is the width of the root, the one before
// its type, and the root before that is a distance back to the map. A map is
// one value of its width for each entry, then the values' type bytes; in front of
// it lie its size, the width of its keys and the distance back to them, which
// are distances back to zero-terminated texts.
type FlexMap struct {
	buf             []byte
	n               int
	values, width   int
	keys, keysWidth int
}

// OpenFlexMap checks the outline of a FlexBuffer. The content of entries is
// checked when they are looked up. Every error wraps ErrMalformed.
func OpenFlexMap(buf []byte) (FlexMap, error) {
	m := FlexMap{buf: buf}
	if len(buf) < 3 {
		return m, fmt.Errorf("%w: options of %d bytes", ErrMalformed, len(buf))
	}
	rootWidth, kind := int(buf[len(buf)-1]), buf[len(buf)-2]
	if kind>>2 != flexMap {
		return m, fmt.Errorf("%w: options of FlexBuffer type %d, not a map", ErrMalformed, kind>>2)
	}
	m.width = 1 << (kind & 3)
	var ok [4]bool
	m.values, ok[0] = m.back(len(buf)-2-rootWidth, rootWidth)
	size, sized := m.unsigned(m.values-m.width, m.width)
	keysWidth, wide := m.unsigned(m.values-2*m.width, m.width)
	m.keys, ok[1] = m.back(m.values-3*m.width, m.width)
	ok[2], ok[3] = sized && wide && size <= maxFlexEntries, keysWidth == 1 || keysWidth == 2 || keysWidth == 4 || keysWidth == 8
	if ok != [4]bool{true, true, true, true} {
		return FlexMap{}, fmt.Errorf("%w: outline of the options' map", ErrMalformed)
	}
	m.n, m.keysWidth = int(size), int(keysWidth)
	if m.n*(m.width+1) > len(buf)-m.values || m.n*m.keysWidth > len(buf)-m.keys {
		return FlexMap{}, fmt.Errorf("%w: options' map of %d entries", ErrMalformed, m.n)
	}
	return m, nil
}

// unsigned reads width bytes at p.
func (m FlexMap) unsigned(p, width int) (v uint64, ok bool) {
	if p < 0 || width > len(m.buf) || p > len(m.buf)-width {
		return 0, false
	}
	switch width {
	case 1:
		return uint64(m.buf[p]), true
	case 2:
		return uint64(binary.LittleEndian.Uint16(m.buf[p:])), true
	case 4:
		return uint64(binary.LittleEndian.Uint32(m.buf[p:])), true
	case 8:
		return binary.LittleEndian.Uint64(m.buf[p:]), true
	}
	return 0, false
}

// back is where the distance at p points: that far in front of itself.
func (m FlexMap) back(p, width int) (target int, ok bool) {
	v, ok := m.unsigned(p, width)
	if !ok || v > uint64(p) {
		return 0, false
	}
	return p - int(v), true
}

// flexValue is a scalar: its type without indirection, and where it lies.
type flexValue struct {
	kind      byte
	at, width int
}

// find looks a key up; the zero flexValue, which is null, stands for no entry.
func (m FlexMap) find(key string) (flexValue, error) {
	for i := range m.n {
		at, ok := m.back(m.keys+i*m.keysWidth, m.keysWidth)
		if !ok {
			return flexValue{}, fmt.Errorf("%w: key %d of the options", ErrMalformed, i)
		}
		if name := m.buf[at:]; len(name) <= len(key) || name[len(key)] != 0 || !bytes.Equal(name[:len(key)], []byte(key)) {
			continue
		}
		kind := m.buf[m.values+m.n*m.width+i]
		v := flexValue{kind >> 2, m.values + i*m.width, m.width}
		switch v.kind {
		case flexIndirectInt, flexIndirectUint, flexIndirectFloat:
			if v.at, ok = m.back(v.at, v.width); !ok {
				return v, fmt.Errorf("%w: option %s", ErrMalformed, key)
			}
			v.kind, v.width = v.kind-flexIndirectInt+flexInt, 1<<(kind&3)
		}
		return v, nil
	}
	return flexValue{}, nil
}

// number reads a value: an integer, or a real where isReal is set. Anything but
// a number or a truth is an error.
func (m FlexMap) number(key string, v flexValue) (integer int64, real float64, isReal bool, err error) {
	u, ok := m.unsigned(v.at, v.width)
	unused := 64 - 8*uint(v.width)
	switch {
	case !ok:
	case v.kind == flexInt:
		return int64(u<<unused) >> unused, 0, false, nil
	case (v.kind == flexUint || v.kind == flexBool) && u <= math.MaxInt64:
		return int64(u), 0, false, nil
	case v.kind == flexFloat && v.width == 8:
		return 0, math.Float64frombits(u), true, nil
	case v.kind == flexFloat && v.width == 4:
		return 0, float64(math.Float32frombits(uint32(u))), true, nil
	}
	return 0, 0, false, fmt.Errorf("%w: option %s: FlexBuffer type %d of %d bytes, not a number", ErrMalformed, key, v.kind, v.width)
}

// Int is the integer or truth under a key; a real counts if it is one. ok is
// false where there is no entry or a null.
func (m FlexMap) Int(key string) (value int64, ok bool, err error) {
	v, err := m.find(key)
	if err != nil || v.kind == flexNull {
		return 0, false, err
	}
	i, r, isReal, err := m.number(key, v)
	if isReal {
		if !(math.Abs(r) < 1<<53) || r != math.Trunc(r) {
			return 0, false, fmt.Errorf("%w: option %s: %g, not an integer", ErrMalformed, key, r)
		}
		i = int64(r)
	}
	return i, err == nil, err
}

// Float is the number under a key, rounded to float64; ok as for Int.
func (m FlexMap) Float(key string) (value float64, ok bool, err error) {
	v, err := m.find(key)
	if err != nil || v.kind == flexNull {
		return 0, false, err
	}
	i, r, isReal, err := m.number(key, v)
	if !isReal {
		r = float64(i)
	}
	return r, err == nil, err
}
