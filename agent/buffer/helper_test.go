package buffer

import (
	"context"
	"fmt"
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	if mode := os.Getenv("KEDGE_BUFFER_CHILD"); mode != "" {
		os.Exit(childMain(mode))
	}
	os.Exit(m.Run())
}

// small is a Buffer of 1 MiB that commits only when it is told to.
var small = Options{MaxSize: 1 << 20, BatchRecords: maxPending, BatchAge: 1 << 40}

// open opens a Buffer and closes it at the end of the test.
func open(t *testing.T, dir string, o Options) *Buffer {
	t.Helper()
	b, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return b
}

// sound fails the test unless all records of b are accounted for.
func sound(t *testing.T, b *Buffer) {
	t.Helper()
	if err := b.Check(); err != nil {
		t.Errorf("Check: %v", err)
	}
	c := b.Counters()
	for i, tally := range c.tallies() {
		if !tally.Balanced() {
			t.Errorf("tally %d: %v does not add up", i, *tally)
		}
	}
}

func flush(t *testing.T, b *Buffer) {
	t.Helper()
	if err := b.Flush(context.Background()); err != nil {
		t.Fatalf("Flush: %v", err)
	}
}

// sample is the payload that tests give to sample seq.
func sample(seq uint64) []byte { return fmt.Appendf(nil, "sample %d", seq) }

// appendSamples appends n samples whose payload tells their number.
func appendSamples(t *testing.T, b *Buffer, n int) {
	t.Helper()
	for range n {
		want := b.Ring.Next()
		seq, err := b.Ring.Append(sample(want))
		if err != nil || seq != want {
			t.Fatalf("Append: got %d, %v, want %d", seq, err, want)
		}
	}
}

// checkSamples compares records with what appendSamples gave them.
func checkSamples(t *testing.T, got []Record, from, n uint64) {
	t.Helper()
	if uint64(len(got)) != n {
		t.Errorf("got %d records, want %d", len(got), n)
		return
	}
	for i, r := range got {
		if want := from + uint64(i); r.Seq != want || string(r.Payload) != string(sample(want)) {
			t.Errorf("record %d: got %d %q, want %d", i, r.Seq, r.Payload, want)
		}
	}
}
