package runtimetest

import "slices"

// Mutation is one field set to another value.
type Mutation struct {
	Field
	Value uint64
}

// Mutations lists, field by field, what the mutations of a file are: each of its
// fields is set to extremes, to what is next to its value, and to its neighbor's
// value.
func Mutations(file []byte) []Mutation {
	var all []Mutation
	fields := Fields(file)
	for i, f := range fields {
		neighbor := fields[(i+1)%len(fields)].Get(file)
		for _, v := range f.Values(file, neighbor) {
			all = append(all, Mutation{f, v})
		}
	}
	return all
}

// floats are the bits of values that scales had better not have: 0, the smallest,
// 1, the largest, an infinity, a NaN, and −1.
var floats = []uint64{0, 1, 0x3f800000, 0x7f7fffff, 0x7f800000, 0x7fc00000, 0xbf800000}

// Values are values to try, none of them the field's own in file.
func (f *Field) Values(file []byte, neighbor uint64) []uint64 {
	own := f.Get(file)
	bits := uint(8 * f.Width)
	all := ^uint64(0) >> (64 - bits)
	values := []uint64{0, 1, 2, own + 1, own - 1, own ^ 4, 2 * own, all, all >> 1, all>>1 + 1, neighbor, 1 << 16, 1<<31 - 1, 1 << 31}
	if f.Float {
		values = append([]uint64{own ^ 1<<31, own + 1<<23, neighbor}, floats...)
	}
	for i := range values {
		values[i] &= all
	}
	slices.Sort(values)
	values = slices.Compact(values)
	return slices.DeleteFunc(values, func(v uint64) bool { return v == own })
}

// Spread selects n mutations, as many of each kind of field as there are, evenly
// from front to back. Fewer are returned as they are.
func Spread(all []Mutation, n int) []Mutation {
	if len(all) <= n {
		return all
	}
	byKind := map[string][]Mutation{}
	var kinds []string
	for _, m := range all {
		k := m.Kind()
		if byKind[k] == nil {
			kinds = append(kinds, k)
		}
		byKind[k] = append(byKind[k], m)
	}
	slices.SortStableFunc(kinds, func(a, b string) int { return len(byKind[a]) - len(byKind[b]) })
	var out []Mutation
	for i, k := range kinds {
		share := (n - len(out) + len(kinds) - i - 1) / (len(kinds) - i)
		of := byKind[k]
		for j := range min(share, len(of)) {
			out = append(out, of[j*len(of)/min(share, len(of))])
		}
	}
	return out
}
