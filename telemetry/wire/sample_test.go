package wire

import (
	"errors"
	"math"
	"testing"
)

func TestSampleID(t *testing.T) {
	for text, want := range map[string]SampleID{
		"pump-1/b1/0":                    {"pump-1", "b1", 0},
		"a/b/18446744073709551615":       {"a", "b", math.MaxUint64},
		"a/0f3c-11/9007199254740993":     {"a", "0f3c-11", 9007199254740993}, // no float64
		"pump.1/2026-03-01_a/1234567890": {"pump.1", "2026-03-01_a", 1234567890},
	} {
		got, err := ParseSampleID(text)
		if err != nil || got != want || got.String() != text {
			t.Errorf("%s: got %+v, %v, want %+v", text, got, err, want)
		}
	}
	for _, bad := range []string{
		"", "/", "//", "a/b", "a/b/", "a/b/1/", "/a/b/1", "a/b/c/1", "a//1", "+/b/1", "a/b/-1", "a/b/+1", "a/b/01", "a/b/00",
		"a/b/1.0", "a/b/1e3", "a/b/0x1", "a/b/1_0", "a/b/ 1", "a/b/18446744073709551616", "a/b/٣", "a b/b/1",
	} {
		if got, err := ParseSampleID(bad); !errors.Is(err, ErrMalformed) {
			t.Errorf("%q: got %+v, %v, want ErrMalformed", bad, got, err)
		}
	}
}

func TestFloat32s(t *testing.T) {
	want := []float32{0, float32(math.Copysign(0, -1)), 1.5, -math.MaxFloat32, math.SmallestNonzeroFloat32}
	packed := PackFloat32s(want)
	if got := [4]byte(packed[8:12]); got != [4]byte{0, 0, 0xc0, 0x3f} {
		t.Errorf("1.5: got % x, want 00 00 c0 3f", got)
	}
	got, err := packed.Unpack()
	if err != nil || len(got) != len(want) {
		t.Fatalf("got %v, %v, want %v", got, err, want)
	}
	for i := range want {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
			t.Errorf("element %d: got %g, want %g", i, got[i], want[i])
		}
	}
	if _, err := packed[:7].Unpack(); !errors.Is(err, ErrMalformed) {
		t.Errorf("7 bytes: got %v, want ErrMalformed", err)
	}
	if !packed.finite() {
		t.Error("finite numbers count as infinite")
	}
}
