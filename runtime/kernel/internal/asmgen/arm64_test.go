package main

import (
	"fmt"
	"maps"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// arm64Encodings are what LLVM's assembler makes of our instructions.
var arm64Encodings = map[string]uint32{
	"and v1.16b, v18.16b, v28.16b":     0x4e3c1e41,
	"and v30.16b, v13.16b, v7.16b":     0x4e271dbe,
	"fcvtas v1.4s, v18.4s":             0x4e21ca41,
	"fcvtas v30.4s, v13.4s":            0x4e21c9be,
	"fdiv v1.4s, v18.4s, v28.4s":       0x6e3cfe41,
	"fdiv v30.4s, v13.4s, v7.4s":       0x6e27fdbe,
	"sqadd v1.4s, v18.4s, v28.4s":      0x4ebc0e41,
	"sqadd v30.4s, v13.4s, v7.4s":      0x4ea70dbe,
	"ldp q1, q2, [x25, #-1024]":        0xad600b21,
	"ldp q29, q14, [x5], #32":          0xacc138bd,
	"ldp q30, q17, [x19, #1008]":       0xad5fc67e,
	"ldr b29, [x11], #1":               0x3c40157d,
	"ldr d29, [x11], #8":               0xfc40857d,
	"ldr d30, [x19, x8]":               0xfc686a7e,
	"ldr q29, [x11], #16":              0x3cc1057d,
	"ldr q30, [x19, x8]":               0x3ce86a7e,
	"ldr s30, [x19, x8]":               0xbc686a7e,
	"sadalp v1.4s, v18.8h":             0x4e606a41,
	"sadalp v30.4s, v13.8h":            0x4e6069be,
	"saddw v1.4s, v18.4s, v28.4h":      0x0e7c1241,
	"saddw v30.4s, v13.4s, v7.4h":      0x0e6711be,
	"saddw2 v1.4s, v18.4s, v28.8h":     0x4e7c1241,
	"saddw2 v30.4s, v13.4s, v7.8h":     0x4e6711be,
	"sdot v1.4s, v18.16b, v28.16b":     0x4e9c9641,
	"sdot v1.4s, v18.16b, v28.4b[0]":   0x4f9ce241,
	"sdot v1.4s, v18.16b, v28.4b[1]":   0x4fbce241,
	"sdot v1.4s, v18.16b, v28.4b[2]":   0x4f9cea41,
	"sdot v1.4s, v18.16b, v28.4b[3]":   0x4fbcea41,
	"sdot v30.4s, v13.16b, v7.16b":     0x4e8795be,
	"sdot v30.4s, v13.16b, v7.4b[0]":   0x4f87e1be,
	"sdot v30.4s, v13.16b, v7.4b[1]":   0x4fa7e1be,
	"sdot v30.4s, v13.16b, v7.4b[2]":   0x4f87e9be,
	"sdot v30.4s, v13.16b, v7.4b[3]":   0x4fa7e9be,
	"shl v1.8h, v18.8h, #5":            0x4f155641,
	"shl v1.8h, v18.8h, #6":            0x4f165641,
	"shl v30.8h, v13.8h, #5":           0x4f1555be,
	"shl v30.8h, v13.8h, #6":           0x4f1655be,
	"smax v1.16b, v18.16b, v28.16b":    0x4e3c6641,
	"smax v30.16b, v13.16b, v7.16b":    0x4e2765be,
	"smin v1.16b, v18.16b, v28.16b":    0x4e3c6e41,
	"smin v30.16b, v13.16b, v7.16b":    0x4e276dbe,
	"smlal v1.4s, v18.4h, v28.4h":      0x0e7c8241,
	"smlal v1.8h, v18.8b, v28.8b":      0x0e3c8241,
	"smlal v30.4s, v13.4h, v7.4h":      0x0e6781be,
	"smlal v30.8h, v13.8b, v7.8b":      0x0e2781be,
	"smlal2 v1.4s, v18.8h, v28.8h":     0x4e7c8241,
	"smlal2 v1.8h, v18.16b, v28.16b":   0x4e3c8241,
	"smlal2 v30.4s, v13.8h, v7.8h":     0x4e6781be,
	"smlal2 v30.8h, v13.16b, v7.16b":   0x4e2781be,
	"smull v1.8h, v18.8b, v28.8b":      0x0e3cc241,
	"smull v30.8h, v13.8b, v7.8b":      0x0e27c1be,
	"smull2 v1.8h, v18.16b, v28.16b":   0x4e3cc241,
	"smull2 v30.8h, v13.16b, v7.16b":   0x4e27c1be,
	"sqadd v1.8h, v18.8h, v28.8h":      0x4e7c0e41,
	"sqadd v30.8h, v13.8h, v7.8h":      0x4e670dbe,
	"sqrdmulh v1.4s, v18.4s, v28.4s":   0x6ebcb641,
	"sqrdmulh v30.4s, v13.4s, v7.4s":   0x6ea7b5be,
	"sqxtn v1.4h, v18.4s":              0x0e614a41,
	"sqxtn v1.8b, v18.8h":              0x0e214a41,
	"sqxtn v30.4h, v13.4s":             0x0e6149be,
	"sqxtn v30.8b, v13.8h":             0x0e2149be,
	"sqxtn2 v1.16b, v18.8h":            0x4e214a41,
	"sqxtn2 v1.8h, v18.4s":             0x4e614a41,
	"sqxtn2 v30.16b, v13.8h":           0x4e2149be,
	"sqxtn2 v30.8h, v13.4s":            0x4e6149be,
	"srshl v1.4s, v18.4s, v28.4s":      0x4ebc5641,
	"srshl v30.4s, v13.4s, v7.4s":      0x4ea755be,
	"sshll v1.4s, v18.4h, #15":         0x0f1fa641,
	"sshll v30.4s, v13.4h, #15":        0x0f1fa5be,
	"sshll2 v1.4s, v18.8h, #15":        0x4f1fa641,
	"sshll2 v30.4s, v13.8h, #15":       0x4f1fa5be,
	"ssra v1.4s, v18.4s, #31":          0x4f211641,
	"ssra v30.4s, v13.4s, #31":         0x4f2115be,
	"ssubl v1.8h, v18.8b, v28.8b":      0x0e3c2241,
	"ssubl v30.8h, v13.8b, v7.8b":      0x0e2721be,
	"ssubl2 v1.8h, v18.16b, v28.16b":   0x4e3c2241,
	"ssubl2 v30.8h, v13.16b, v7.16b":   0x4e2721be,
	"st1 { v21.16b }, [x3], x4":        0x4c847075,
	"st1 { v21.8b }, [x3], x4":         0x0c847075,
	"str b17, [x22], #1":               0x3c0016d1,
	"str d17, [x22], #8":               0xfc0086d1,
	"str q17, [x22], #16":              0x3c8106d1,
	"tbl v1.16b, { v18.16b }, v28.16b": 0x4e1c0241,
	"tbl v30.16b, { v13.16b }, v7.16b": 0x4e0701be,
	"uzp1 v1.8h, v18.8h, v28.8h":       0x4e5c1a41,
	"uzp1 v30.8h, v13.8h, v7.8h":       0x4e4719be,
	"zip1 v1.16b, v18.16b, v28.16b":    0x4e1c3a41,
	"zip1 v1.8h, v18.8h, v28.8h":       0x4e5c3a41,
	"zip1 v30.16b, v13.16b, v7.16b":    0x4e0739be,
	"zip1 v30.8h, v13.8h, v7.8h":       0x4e4739be,
	"zip2 v1.16b, v18.16b, v28.16b":    0x4e1c7a41,
	"zip2 v1.8h, v18.8h, v28.8h":       0x4e5c7a41,
	"zip2 v30.16b, v13.16b, v7.16b":    0x4e0779be,
	"zip2 v30.8h, v13.8h, v7.8h":       0x4e4779be,
}

// arm64Samples are all of them, with registers whose bits differ.
func arm64Samples() map[string]uint32 {
	got := map[string]uint32{}
	for _, name := range slices.Sorted(maps.Keys(arm64Forms)) {
		f := arm64Forms[name]
		for _, regs := range [][]int{{30, 13, 7}, {1, 18, 28}} {
			regs = regs[:strings.Count(f.text, "%d")]
			args := make([]any, len(regs))
			for i, r := range regs {
				args[i] = r
			}
			got[fmt.Sprintf(f.text, args...)] = f.encode(regs)
		}
	}
	add := func(w uint32, text string) { got[text] = w }
	for _, size := range []int{16, 8, 4} {
		add(arm64LoadAt(size, 30, 19, 8))
	}
	for _, size := range []int{16, 8, 1} {
		add(arm64Move(true, size, 29, 11, size))
		add(arm64Move(false, size, 17, 22, size))
	}
	for _, size := range []int{16, 8} {
		add(arm64Store(size, 21, 3, 4))
	}
	add(arm64LoadPair(30, 17, 19, 1008))
	add(arm64LoadPair(1, 2, 25, -1024))
	add(arm64LoadNext(29, 14, 5, 32))
	return got
}

func TestArm64Encodings(t *testing.T) {
	got := arm64Samples()
	for text, w := range got {
		want, ok := arm64Encodings[text]
		if !ok || w != want {
			t.Errorf("%s: got %#08x, want %#08x", text, w, want)
		}
	}
	if len(got) != len(arm64Encodings) {
		t.Errorf("got %d encodings, want %d", len(got), len(arm64Encodings))
	}
}

// TestArm64Listing gives every encoding of the files to LLVM's assembler, where
// there is one.
func TestArm64Listing(t *testing.T) {
	mc, err := exec.LookPath("llvm-mc")
	if err != nil {
		t.Skip("no llvm-mc: encodings are compared with the table only")
	}
	line := regexp.MustCompile(`WORD \$0x([0-9a-f]{8}) // (.*)`)
	encoding := regexp.MustCompile(`encoding: \[0x(..),0x(..),0x(..),0x(..)\]`)
	for _, file := range []string{"neon_arm64.s", "dotprod_arm64.s"} {
		words := line.FindAllStringSubmatch(string(generate(file)), -1)
		var text strings.Builder
		for _, w := range words {
			fmt.Fprintln(&text, w[2])
		}
		cmd := exec.Command(mc, "-triple=aarch64", "-mattr=+neon,+dotprod", "-show-encoding")
		cmd.Stdin = strings.NewReader(text.String())
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		found := encoding.FindAllStringSubmatch(string(out), -1)
		if len(words) == 0 || len(found) != len(words) {
			t.Fatalf("%s: got %d instructions, want %d", file, len(found), len(words))
		}
		for i, e := range found {
			if want := e[4] + e[3] + e[2] + e[1]; words[i][1] != want {
				t.Errorf("%s: %s: got %s, want %s", file, words[i][2], words[i][1], want)
			}
		}
	}
}

// TestSchedule: every instruction is there once, behind what it depends on.
func TestSchedule(t *testing.T) {
	a := &arm64{source: &source{}}
	a.loadAt(16, 0, 10, 8)
	a.x("ADD $16, R8", 8, 8)
	a.loadNext(1, 2, 5, 32)
	a.v("smull", 3, 1, 0)
	a.v("smlal2", 3, 1, 0)
	a.v("sadalp", 4, 3)
	a.v("smull", 3, 2, 0)
	a.loadAt(16, 0, 10, 8)
	a.v("sadalp", 5, 3)
	a.store(16, 5, 3, 4)
	for i := range a.piece {
		a.piece[i].text = strconv.Itoa(i)
	}
	got := schedule(a.piece)
	at := func(i int) int {
		return slices.IndexFunc(got, func(in instruction) bool { return in.text == strconv.Itoa(i) })
	}
	if len(got) != len(a.piece) {
		t.Fatalf("got %d instructions, want %d", len(got), len(a.piece))
	}
	for _, order := range [][2]int{{0, 1}, {0, 3}, {2, 3}, {3, 4}, {4, 5}, {5, 6}, {6, 7}, {4, 7}, {1, 7}, {6, 8}, {8, 9}} {
		if at(order[0]) < 0 || at(order[0]) > at(order[1]) {
			t.Errorf("instruction %d is behind %d", order[0], order[1])
		}
	}
}

func TestScheduleFillsLatencies(t *testing.T) {
	var code []instruction
	for i := range 4 {
		reg := strconv.Itoa(i)
		code = append(code,
			instruction{text: "load " + reg, unit: memory, latency: 4, writes: []string{reg}},
			instruction{text: "use " + reg, unit: vector, latency: 1, reads: []string{reg}})
	}
	var got []string
	for _, in := range schedule(code) {
		got = append(got, in.text)
	}
	want := []string{"load 0", "load 1", "load 2", "load 3", "use 0", "use 1", "use 2", "use 3"}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
