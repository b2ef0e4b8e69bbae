package inputs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"testing"
)

func someHistogram() Histogram {
	h := Histogram{Missing: 7}
	h.Counts[0], h.Counts[3], h.Counts[200], h.Counts[255] = 1, math.MaxUint32, 300, 2
	return h
}

func TestHistogramRoundTrip(t *testing.T) {
	full := Histogram{}
	for i := range full.Counts {
		full.Counts[i] = uint32(i * i)
	}
	for name, h := range map[string]Histogram{"empty": {}, "some": someHistogram(), "full": full} {
		b, err := h.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		var got Histogram
		if err := got.UnmarshalBinary(b); err != nil || got != h {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
		text, err := json.Marshal(&h)
		if err != nil {
			t.Fatal(err)
		}
		got = Histogram{}
		if err := json.Unmarshal(text, &got); err != nil || got != h {
			t.Errorf("%s as JSON %s: got %v, %v", name, text, got, err)
		}
	}
}

func TestHistogramMerge(t *testing.T) {
	a, b := Histogram{Missing: 1}, Histogram{Missing: 2}
	a.Counts[5], b.Counts[5], b.Counts[9] = 10, 20, 30
	if err := a.Merge(&b); err != nil {
		t.Fatal(err)
	}
	if a.N() != 60 || a.Missing != 3 || a.Counts[5] != 30 {
		t.Errorf("got %d values, %d missing, bin 5: %d, want 60, 3, 30", a.N(), a.Missing, a.Counts[5])
	}
	h := someHistogram()
	before := h
	for _, other := range []Histogram{{Missing: math.MaxUint32}, someHistogram()} {
		if err := h.Merge(&other); !errors.Is(err, ErrOverflow) || h != before {
			t.Errorf("got %v and a change: %v, want %v and none", err, h != before, ErrOverflow)
		}
	}
}

func TestHistogramMalformed(t *testing.T) {
	h := someHistogram()
	good, err := h.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string][]byte{
		"version":         {2, 0, 0},
		"too many bins":   {1, 0, 0x81, 0x02},
		"beyond the last": {1, 0, 1, 0x80, 0x02, 1},
		"empty bin":       {1, 0, 1, 0, 0},
		"longer varint":   {1, 0x80, 0, 0},
		"trailing":        append(bytes.Clone(good), 0),
	}
	for i := range good {
		cases[fmt.Sprint("cut after ", i)] = good[:i]
	}
	for name, b := range cases {
		var got Histogram
		if err := got.UnmarshalBinary(b); !errors.Is(err, ErrHistogram) || got != (Histogram{}) {
			t.Errorf("%s: got %v, %v, want %v", name, got, err, ErrHistogram)
		}
	}
	var got Histogram
	if err := got.UnmarshalText([]byte("!")); !errors.Is(err, ErrHistogram) {
		t.Errorf("no base64: got %v, want %v", err, ErrHistogram)
	}
}

// FuzzHistogram: whatever is accepted has exactly one encoding.
func FuzzHistogram(f *testing.F) {
	h := someHistogram()
	good, err := h.MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte{1, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		var h Histogram
		if h.UnmarshalBinary(b) != nil {
			return
		}
		if again, err := h.MarshalBinary(); err != nil || !bytes.Equal(again, b) {
			t.Errorf("got %x, %v, want %x", again, err, b)
		}
	})
}
