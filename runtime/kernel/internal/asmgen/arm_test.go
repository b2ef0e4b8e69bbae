package main

import "testing"

// TestARM compares encodings with those of another assembler, llvm-mc.
func TestARM(t *testing.T) {
	check := func(w uint32, text string, want uint32, wantText string) {
		t.Helper()
		if w != want || text != wantText {
			t.Errorf("got %#08x, %q, want %#08x, %q", w, text, want, wantText)
		}
	}
	proven := map[string]bool{}
	for _, c := range []struct {
		form string
		regs []int
		want uint32
		text string
	}{
		{"vmull.s8", []int{2, 21, 14}, 0xf2852c8e, "vmull.s8 q1, d21, d14"},
		{"vmull.s8", []int{30, 4, 27}, 0xf2c4ec2b, "vmull.s8 q15, d4, d27"},
		{"vmlal.s8", []int{2, 21, 14}, 0xf285288e, "vmlal.s8 q1, d21, d14"},
		{"vmlal.s8", []int{30, 4, 27}, 0xf2c4e82b, "vmlal.s8 q15, d4, d27"},
		{"vmlal.s16", []int{2, 21, 14}, 0xf295288e, "vmlal.s16 q1, d21, d14"},
		{"vmlal.s16", []int{30, 4, 27}, 0xf2d4e82b, "vmlal.s16 q15, d4, d27"},
		{"vpadal.s16", []int{2, 20}, 0xf3b42664, "vpadal.s16 q1, q10"},
		{"vpadal.s16", []int{30, 4}, 0xf3f4e644, "vpadal.s16 q15, q2"},
		{"vaddw.s16", []int{2, 20, 14}, 0xf294218e, "vaddw.s16 q1, q10, d14"},
		{"vaddw.s16", []int{30, 4, 27}, 0xf2d4e12b, "vaddw.s16 q15, q2, d27"},
		{"vsubl.s8", []int{2, 21, 14}, 0xf285228e, "vsubl.s8 q1, d21, d14"},
		{"vsubl.s8", []int{30, 4, 27}, 0xf2c4e22b, "vsubl.s8 q15, d4, d27"},
		{"rotate16", []int{2, 20, 14}, 0xf2b422ce, "vext.8 q1, q10, q7, #2"},
		{"rotate16", []int{30, 4, 26}, 0xf2f4e26a, "vext.8 q15, q2, q13, #2"},
		{"rotate8", []int{2, 21, 14}, 0xf2b5228e, "vext.8 d2, d21, d14, #2"},
		{"rotate8", []int{31, 4, 27}, 0xf2f4f22b, "vext.8 d31, d4, d27, #2"},
		{"rotate8by4", []int{2, 21, 14}, 0xf2b5248e, "vext.8 d2, d21, d14, #4"},
		{"rotate8by4", []int{31, 4, 27}, 0xf2f4f42b, "vext.8 d31, d4, d27, #4"},
		{"vrev32.16", []int{2, 21}, 0xf3b420a5, "vrev32.16 d2, d21"},
		{"vrev32.16", []int{31, 4}, 0xf3f4f084, "vrev32.16 d31, d4"},
		{"vqrdmulh.s32", []int{2, 20, 14}, 0xf3242bce, "vqrdmulh.s32 q1, q10, q7"},
		{"vqrdmulh.s32", []int{30, 4, 26}, 0xf364eb6a, "vqrdmulh.s32 q15, q2, q13"},
		{"sign", []int{2, 20}, 0xf2a12174, "vsra.s32 q1, q10, #31"},
		{"sign", []int{30, 4}, 0xf2e1e154, "vsra.s32 q15, q2, #31"},
		{"vrshl.s32", []int{2, 20, 14}, 0xf22e2564, "vrshl.s32 q1, q10, q7"},
		{"vrshl.s32", []int{30, 4, 26}, 0xf26ae5c4, "vrshl.s32 q15, q2, q13"},
		{"vand", []int{2, 20, 14}, 0xf20421de, "vand q1, q10, q7"},
		{"vand", []int{30, 4, 26}, 0xf244e17a, "vand q15, q2, q13"},
		{"vqmovn.s32", []int{2, 20}, 0xf3b622a4, "vqmovn.s32 d2, q10"},
		{"vqmovn.s32", []int{31, 4}, 0xf3f6f284, "vqmovn.s32 d31, q2"},
		{"vqmovn.s16", []int{2, 20}, 0xf3b222a4, "vqmovn.s16 d2, q10"},
		{"vqmovn.s16", []int{31, 4}, 0xf3f2f284, "vqmovn.s16 d31, q2"},
		{"vqadd.s16", []int{2, 20, 14}, 0xf21420de, "vqadd.s16 q1, q10, q7"},
		{"vqadd.s16", []int{30, 4, 26}, 0xf254e07a, "vqadd.s16 q15, q2, q13"},
		{"vmax.s8", []int{2, 21, 14}, 0xf205268e, "vmax.s8 d2, d21, d14"},
		{"vmax.s8", []int{31, 4, 27}, 0xf244f62b, "vmax.s8 d31, d4, d27"},
		{"vmin.s8", []int{2, 21, 14}, 0xf205269e, "vmin.s8 d2, d21, d14"},
		{"vmin.s8", []int{31, 4, 27}, 0xf244f63b, "vmin.s8 d31, d4, d27"},
		{"shl5", []int{2, 20}, 0xf2952574, "vshl.i16 q1, q10, #5"},
		{"shl5", []int{30, 4}, 0xf2d5e554, "vshl.i16 q15, q2, #5"},
		{"shl6", []int{2, 20}, 0xf2962574, "vshl.i16 q1, q10, #6"},
		{"shl6", []int{30, 4}, 0xf2d6e554, "vshl.i16 q15, q2, #6"},
		{"vshll15", []int{2, 21}, 0xf29f2a35, "vshll.s16 q1, d21, #15"},
		{"vshll15", []int{30, 4}, 0xf2dfea14, "vshll.s16 q15, d4, #15"},
		{"half", []int{2, 21}, 0xf3a020b5, "vshr.u64 d2, d21, #32"},
		{"half", []int{31, 4}, 0xf3e0f094, "vshr.u64 d31, d4, #32"},
		{"quarter", []int{2, 21}, 0xf3b020b5, "vshr.u64 d2, d21, #16"},
		{"quarter", []int{31, 4}, 0xf3f0f094, "vshr.u64 d31, d4, #16"},
	} {
		form := armForms[c.form]
		w, text := form.encode(c.regs)
		check(w, text, c.want, c.text)
		proven[c.form] = true
	}
	for name := range armForms {
		if !proven[name] {
			t.Errorf("%s is compared with nothing", name)
		}
	}
	for _, c := range []struct {
		load             bool
		d, n, base, step int
		want             uint32
		text             string
	}{
		{true, 3, 1, 1, next, 0xf421370d, "vld1.8 {d3}, [r1]!"},
		{true, 30, 2, 9, stay, 0xf469ea0f, "vld1.8 {d30-d31}, [r9]"},
		{true, 28, 4, 5, next, 0xf465c20d, "vld1.8 {d28-d31}, [r5]!"},
		{true, 4, 4, 14, 6, 0xf42e4206, "vld1.8 {d4-d7}, [r14], r6"},
		{false, 3, 1, 1, next, 0xf401370d, "vst1.8 {d3}, [r1]!"},
		{false, 30, 2, 9, stay, 0xf449ea0f, "vst1.8 {d30-d31}, [r9]"},
		{false, 28, 4, 5, next, 0xf445c20d, "vst1.8 {d28-d31}, [r5]!"},
		{false, 4, 4, 14, 6, 0xf40e4206, "vst1.8 {d4-d7}, [r14], r6"},
	} {
		w, text := armMove(c.load, c.d, c.n, c.base, c.step)
		check(w, text, c.want, c.text)
	}
	for _, c := range []struct {
		load                bool
		size, d, base, step int
		want                uint32
		text                string
	}{
		{true, 1, 5, 1, next, 0xf4a1500d, "vld1.8 {d5[0]}, [r1]!"},
		{true, 2, 16, 9, stay, 0xf4e9040f, "vld1.16 {d16[0]}, [r9]"},
		{true, 4, 31, 12, 6, 0xf4ecf806, "vld1.32 {d31[0]}, [r12], r6"},
		{false, 1, 5, 1, next, 0xf481500d, "vst1.8 {d5[0]}, [r1]!"},
		{false, 2, 16, 9, stay, 0xf4c9040f, "vst1.16 {d16[0]}, [r9]"},
		{false, 4, 31, 12, 6, 0xf4ccf806, "vst1.32 {d31[0]}, [r12], r6"},
	} {
		w, text := armPart(c.load, c.size, c.d, c.base, c.step)
		check(w, text, c.want, c.text)
	}
	for _, c := range []struct {
		d, base, step int
		want          uint32
		text          string
	}{
		{7, 1, next, 0xf4a17c8d, "vld1.32 {d7[]}, [r1]!"},
		{29, 12, stay, 0xf4ecdc8f, "vld1.32 {d29[]}, [r12]"},
	} {
		w, text := armRepeat(c.d, c.base, c.step)
		check(w, text, c.want, c.text)
	}
	for _, c := range []struct {
		size, d, r int
		want       uint32
		text       string
	}{
		{1, 2, 5, 0xeee25b10, "vdup.8 q1, r5"},
		{2, 28, 12, 0xeeaccbb0, "vdup.16 q14, r12"},
		{4, 18, 3, 0xeea23b90, "vdup.32 q9, r3"},
	} {
		w, text := armSpread(c.size, c.d, c.r)
		check(w, text, c.want, c.text)
	}
}
