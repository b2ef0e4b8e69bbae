package runtimetest

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// Flex writes the options of a custom operator, a FlexBuffer map. The arguments
// are a key and its value in turn: int (32 bits), float32, bool, or nil for null.
func Flex(entries ...any) []byte {
	type entry struct {
		key   string
		value any
	}
	var list []entry
	for i := 0; i < len(entries); i += 2 {
		list = append(list, entry{entries[i].(string), entries[i+1]})
	}
	slices.SortFunc(list, func(a, b entry) int { return slices.Compare([]byte(a.key), []byte(b.key)) })
	var buf []byte
	word := func(v int) { buf = binary.LittleEndian.AppendUint32(buf, uint32(v)) }
	at := make([]int, len(list))
	for i, e := range list {
		at[i] = len(buf)
		buf = append(append(buf, e.key...), 0)
	}
	word(len(list))
	keys := len(buf)
	for i := range list {
		word(len(buf) - at[i])
	}
	word(len(buf) - keys)
	word(4) // the width of the keys
	word(len(list))
	values := len(buf)
	var kinds []byte
	for _, e := range list {
		switch v := e.value.(type) {
		case int:
			kinds = append(kinds, 1<<2|2)
		case float32:
			kinds = append(kinds, 3<<2|2)
		case bool:
			kinds = append(kinds, 26<<2)
		case nil:
			kinds = append(kinds, 0)
			e.value = 0
		default:
			panic(fmt.Sprintf("BUG: option of type %T", v))
		}
		buf = append(buf, append(encode(e.value), 0, 0, 0)[:4]...)
	}
	buf = append(buf, kinds...)
	return append(buf, byte(len(buf)-values), 9<<2|2, 1)
}
