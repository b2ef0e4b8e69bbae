package buffer

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestRingSurvivesRestarts(t *testing.T) {
	dir := t.TempDir()
	b := open(t, dir, small)
	appendSamples(t, b, 100)
	records, err := b.Ring.Read(10, 90)
	if err != nil {
		t.Fatal(err)
	}
	checkSamples(t, records, 10, 80) // pending ones can be read
	if got := b.Counters().Ring; got.Queued != 100 || !got.Balanced() {
		t.Errorf("with 100 pending: got %v", got)
	}
	sound(t, b)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Ring.Append(nil); !errors.Is(err, ErrClosed) {
		t.Errorf("Append after Close: got %v, want ErrClosed", err)
	}
	if _, err := b.Ring.Read(0, 1); !errors.Is(err, ErrClosed) {
		t.Errorf("Read after Close: got %v, want ErrClosed", err)
	}
	if err := b.Flush(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("Flush after Close: got %v, want ErrClosed", err)
	}

	b = open(t, dir, small)
	if got := b.Ring.Next(); got != 100 {
		t.Errorf("after a clean end: next number %d, want 100", got)
	}
	appendSamples(t, b, 10)
	flush(t, b)
	if records, err = b.Ring.Read(0, 1000); err != nil {
		t.Fatal(err)
	}
	checkSamples(t, records, 0, 110)
	if r := b.Recovered(); len(r) != 0 {
		t.Errorf("got %+v recovered, want nothing", r)
	}
	sound(t, b)
}

func TestRingEvictsOldest(t *testing.T) {
	for name, limit := range map[string]Limit{
		"records": {Records: 60},
		"bytes":   {Bytes: 60 * cost(recordOverhead+len("sample 100"))},
	} {
		t.Run(name, func(t *testing.T) {
			o := small
			o.Ring = limit
			b := open(t, t.TempDir(), o)
			if _, err := b.Ring.Append(sample(0)); err != nil {
				t.Fatal(err)
			}
			for b.Ring.Next() < 100 { // payloads of one length from here
				if _, err := b.Ring.Append(sample(b.Ring.Next())); err != nil {
					t.Fatal(err)
				}
			}
			appendSamples(t, b, 200)
			flush(t, b)
			records, err := b.Ring.Read(0, 1000)
			if err != nil {
				t.Fatal(err)
			}
			checkSamples(t, records, 240, 60)
			if got := b.Counters().Ring; got.Produced != 300 || got.Dropped != 240 || got.Queued != 60 {
				t.Errorf("got %v, want 300 = 0 + 240 + 60", got)
			}
			sound(t, b)
		})
	}
}

func TestAppendBounds(t *testing.T) {
	b := open(t, t.TempDir(), small)
	if _, err := b.Ring.Append(make([]byte, MaxPayload+1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("Append of %d bytes: got %v, want ErrTooLarge", MaxPayload+1, err)
	}
	// The committing goroutine is stopped: everything stays pending.
	b.queue.wmu.Lock()
	for range maxPending {
		if _, err := b.Ring.Append([]byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.Ring.Append([]byte("x")); !errors.Is(err, ErrFull) {
		t.Errorf("Append beyond the pending: got %v, want ErrFull", err)
	}
	if got := b.Counters().Ring; got.Produced != maxPending+1 || got.Dropped != 1 {
		t.Errorf("got %v, want the refused sample counted as dropped", got)
	}
	b.queue.wmu.Unlock()
	flush(t, b)
	if got := b.Counters().Ring; got.Produced != maxPending+1 || !got.Balanced() {
		t.Errorf("after the commit: got %v", got)
	}
	sound(t, b)
}

func TestBatchAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, err := Open(t.TempDir(), Options{MaxSize: 1 << 20, BatchAge: 3 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		committed := func() uint64 {
			b.queue.mu.Lock()
			defer b.queue.mu.Unlock()
			return b.queue.committed.Ring.Queued
		}
		appendSamples(t, b, 5)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got := committed(); got != 0 {
			t.Errorf("after 2s: %d committed, want 0", got)
		}
		time.Sleep(1100 * time.Millisecond)
		synctest.Wait()
		if got := committed(); got != 5 {
			t.Errorf("after 3.1s: %d committed, want 5", got)
		}
		appendSamples(t, b, 64)
		synctest.Wait()
		if got := committed(); got != 69 {
			t.Errorf("after 64 more: %d committed, want 69 at once", got)
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestFlushWaitsForContext(t *testing.T) {
	b := open(t, t.TempDir(), small)
	appendSamples(t, b, 1)
	b.queue.wmu.Lock() // a disk that hangs
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := b.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the context's error", err)
	}
	b.queue.wmu.Unlock()
}

func TestAppendAllocations(t *testing.T) {
	b := open(t, t.TempDir(), small)
	payload := bytes.Repeat([]byte("x"), 100)
	got := testing.AllocsPerRun(1000, func() {
		if _, err := b.Ring.Append(payload); err != nil {
			t.Fatal(err)
		}
	})
	// The copy of the payload, and now and then a longer slice.
	if got > 2 {
		t.Errorf("Append: got %v allocations, want at most 2", got)
	}
}

// The owner is told once when storing begins to fail, and once when it works again.
func TestOnFailing(t *testing.T) {
	var told []error
	o := small
	o.OnFailing = func(cause error) { told = append(told, cause) }
	b := open(t, t.TempDir(), o)
	q := b.queue
	db := q.db
	q.db = nil // every commit fails
	failing := q.commitAgain(false)
	if failing = q.commitAgain(failing); !failing || len(told) != 1 || told[0] == nil {
		t.Errorf("while it fails: got %v, told %v, want one cause", failing, told)
	}
	q.db = db
	failing = q.commitAgain(failing)
	if failing = q.commitAgain(failing); failing || len(told) != 2 || told[1] != nil {
		t.Errorf("when it works again: got %v, told %v, want one nil more", failing, told)
	}
}
