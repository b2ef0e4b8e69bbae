package runtime_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"kedge/runtime"
	"kedge/runtime/runtimetest"
)

// TestThreads: every model gives the same bytes on any number of threads.
func TestThreads(t *testing.T) {
	for _, set := range []string{".", "extra", "uint8", "seanet"} {
		for _, c := range runtimetest.Cases(t, set) {
			if testing.Short() && c.MACs > emulatedMACs {
				continue
			}
			for threads := 2; threads <= 8; threads++ {
				t.Run(fmt.Sprintf("%s/%s/%d", set, c.Name, threads), func(t *testing.T) { conformThreads(t, &c, threads) })
			}
		}
	}
}

func conformThreads(t *testing.T, c *runtimetest.Case, threads int) {
	m, err := runtime.Load(c.File(t, "model.tflite"), runtime.Options{Threads: threads})
	if err != nil {
		t.Fatal(err)
	}
	s, err := m.NewSession(runtime.SessionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := c.File(t, "output.bin")
	n := min(samples(t, c), 4)
	if got := run(t, c, s, c.File(t, "input.bin"), n, nil); !bytes.Equal(got, want[:len(got)]) {
		t.Errorf("outputs: %d of %d bytes differ", differ(got, want), len(got))
	}
}

// TestThreadsAllocs: calling helpers together does not allocate, whether they are
// still there or not.
func TestThreadsAllocs(t *testing.T) {
	for _, pause := range []time.Duration{0, 2 * time.Millisecond} {
		c := runtimetest.Cases(t, ".")[0]
		m, err := runtime.Load(c.File(t, "model.tflite"), runtime.Options{Threads: 3})
		if err != nil {
			t.Fatal(err)
		}
		s, err := m.NewSession(runtime.SessionOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(20, func() { s.Invoke(); time.Sleep(pause) }); n != 0 {
			t.Errorf("%s, %v between inferences: got %v allocations, want 0", c.Name, pause, n)
		}
	}
}
