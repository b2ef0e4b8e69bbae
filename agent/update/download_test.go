package update

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"kedge/telemetry/trust"
	"kedge/telemetry/wire"
)

// What a bad line or a bad center does to the chunks. The bundle has five.
func TestDownload(t *testing.T) {
	for _, c := range []struct {
		name string
		// answer is what comes for chunk n of the bundle at the given attempt, from 1.
		answer func(n, attempt int, data []byte) [][]byte
		within time.Duration
	}{
		{"clean", func(n, attempt int, data []byte) [][]byte { return [][]byte{data} }, time.Millisecond},
		{"all twice", func(n, attempt int, data []byte) [][]byte { return [][]byte{data, data} }, time.Millisecond},
		{"one lost", func(n, attempt int, data []byte) [][]byte {
			if n == 2 && attempt == 1 {
				return nil
			}
			return [][]byte{data}
		}, 2 * time.Second},
		{"one comes at the tenth attempt", func(n, attempt int, data []byte) [][]byte {
			if n == 2 && attempt < 10 {
				return nil
			}
			return [][]byte{data}
		}, time.Hour},
		{"damaged before good", func(n, attempt int, data []byte) [][]byte {
			bad := append([]byte{^data[0]}, data[1:]...)
			return [][]byte{bad, data[:len(data)-1], nil, append(data[:len(data):len(data)], 0), data}
		}, time.Millisecond},
		{"first attempt all damaged", func(n, attempt int, data []byte) [][]byte {
			if attempt == 1 {
				return [][]byte{data[1:]}
			}
			return [][]byte{data}
		}, 11 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				one := makeRelease(t, 1)
				b := newBench(t, one)
				attempts := map[int]int{}
				b.center.answer = func(blob string, n int, data []byte) [][]byte {
					if blob != one.release.Bundle.SHA256 {
						return [][]byte{data}
					}
					attempts[n]++
					return c.answer(n, attempts[n], data)
				}
				stop := b.run()
				b.u.HandleAssign(assign(t, 1, one))
				time.Sleep(c.within)
				synctest.Wait()
				b.want(1, "committed", "")
				stop()
			})
		})
	}
}

// Chunks that nobody asked for change nothing and take no memory.
func TestForeignChunks(t *testing.T) {
	one := makeRelease(t, 1)
	b := newBench(t, one)
	b.center.blobs = nil
	b.u.HandleAssign(assign(t, 1, one))
	b.settle()
	for n := range 1000 {
		b.u.HandleChunk(one.release.Bundle.SHA256, n, one.bundle) // the index was asked for
		b.u.HandleChunk(trust.Digest(nil), n, make([]byte, 16))
		b.u.HandleChunk("", -n, nil)
	}
	if got := len(b.u.inbox.take().chunks); got != 0 {
		t.Errorf("got %d foreign chunks kept, want 0", got)
	}
	for range 1000 {
		b.u.HandleChunk(one.release.Bundle.Index, 0, make([]byte, trust.ChunkBytes))
	}
	if got := len(b.u.inbox.take().chunks); got != maxChunks {
		t.Errorf("got %d chunks kept, want %d", got, maxChunks)
	}
}

// A center that sends something else for ever is refused.
func TestGarbageIsBounded(t *testing.T) {
	for _, part := range []string{"index", "bundle"} {
		t.Run(part, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				one := makeRelease(t, 1)
				b := newBench(t, one)
				b.center.answer = func(blob string, n int, data []byte) [][]byte {
					if (blob == one.release.Bundle.Index) == (part == "index") {
						return [][]byte{[]byte("garbage")}
					}
					return [][]byte{data}
				}
				stop := b.run()
				b.u.HandleAssign(assign(t, 1, one))
				time.Sleep(24 * time.Hour)
				b.want(0, "refused", "bad chunks: chunks are not the signed ones")
				asked := len(b.center.requests)
				time.Sleep(24 * time.Hour)
				if got := len(b.center.requests); got != asked || asked > 100 {
					t.Errorf("requests: got %d, then %d more, want at most 100 and no more", asked, got-asked)
				}
				stop()
			})
		})
	}
}

// Without an answer the device asks ever more rarely, says so once, and asks at
// once when the assignment comes again, because then there is a connection.
func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := makeRelease(t, 1)
		b := newBench(t, one)
		b.center.answer = func(string, int, []byte) [][]byte { return nil }
		stop := b.run()
		b.u.HandleAssign(assign(t, 1, one))
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		b.want(0, "downloading", "no answer from the centre")
		if got := fmt.Sprint(b.states()); got != "[offered downloading downloading]" {
			t.Errorf("states: got %v, want the silence told once", got)
		}
		if got := len(b.center.requests); got < 100 || got > 160 {
			t.Errorf("requests in a day: got %d, want one in ten minutes", got)
		}
		b.center.mu.Lock()
		b.center.answer = nil
		b.center.mu.Unlock()
		b.u.HandleAssign(assign(t, 1, one))
		synctest.Wait()
		b.want(1, "committed", "")
		stop()
	})
}

// offline is a Transport without a connection.
type offline struct{}

var errOffline = errors.New("not connected")

func (offline) WantRelease(context.Context, string) error { return errOffline }
func (offline) Request(context.Context, wire.Get) error   { return errOffline }

func TestTransportFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := makeRelease(t, 1)
		b := newBench(t, one)
		b.options.Transport = offline{}
		b.open()
		stop := b.run()
		b.u.HandleAssign(assign(t, 1, one))
		time.Sleep(time.Hour)
		b.want(0, "downloading", "cannot ask the centre: not connected")
		stop()
	})
}

// A restart goes on where the download was interrupted, even if the assignment
// does not come again.
func TestResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := makeRelease(t, 1)
		b := newBench(t, one)
		blob := one.release.Bundle.SHA256
		b.center.answer = func(b string, n int, data []byte) [][]byte {
			if b == blob && n >= 3 {
				return nil
			}
			return [][]byte{data}
		}
		stop := b.run()
		b.u.HandleAssign(assign(t, 1, one))
		time.Sleep(time.Second / 2)
		stop()
		b.want(0, "downloading", "")

		// The disk lost one of the three chunks that it said it had.
		data := b.fs.files["/state/slots/a/bundle.zip"].data
		data[trust.ChunkBytes+5] ^= 1
		b.center.answer, b.center.requests, b.center.wanted = nil, nil, nil
		b.open()
		b.states()
		stop = b.run()
		synctest.Wait()
		last := b.last()
		b.want(1, "committed", "")
		if got := b.states(); fmt.Sprint(got) != "[offered downloading staged verified committed]" || last.Bytes != int64(len(one.bundle)) {
			t.Errorf("states: got %v, %d bytes", got, last.Bytes)
		}
		if got := b.center.chunksOf(blob); got != 3 || len(b.center.wanted) != 0 || b.center.chunksOf(one.release.Bundle.Index) != 0 {
			t.Errorf("asked again for %d chunks, releases %v, want the 3 missing ones and nothing else", got, b.center.wanted)
		}
		stop()
	})
}

// What was begun in time is finished after it.
func TestResumeAfterExpiry(t *testing.T) {
	one := makeRelease(t, 1)
	b := newBench(t, one)
	b.center.answer = func(_ string, n int, data []byte) [][]byte {
		if n == 4 {
			return nil
		}
		return [][]byte{data}
	}
	b.u.HandleAssign(assign(t, 1, one))
	b.settle()
	b.want(0, "downloading", "")
	b.options.Now = func() time.Time { return notAfter.Add(time.Hour) }
	b.center.answer = nil
	b.open()
	b.settle()
	b.want(1, "committed", "")
}

// The disk loses a chunk between writing and verifying.
func TestDiskForgets(t *testing.T) {
	for _, c := range []struct {
		name  string
		times int
		want  uint64
		state string
	}{{"once", 1, 1, "committed"}, {"always", 100, 0, "refused"}} {
		t.Run(c.name, func(t *testing.T) {
			one := makeRelease(t, 1)
			b := newBench(t, one)
			left := c.times
			report := b.options.Report
			b.options.Report = func(w wire.Update) {
				if report(w); w.State == "staged" && left > 0 {
					left--
					b.fs.files["/state/slots/a/bundle.zip"].data[40000] ^= 1
				}
			}
			b.open()
			b.u.HandleAssign(assign(t, 1, one))
			b.settle()
			b.want(c.want, c.state, "")
		})
	}
}

// A full disk at any point of the update is said, waited out, and costs nothing that was there.
func TestDiskFull(t *testing.T) {
	one, two := makeRelease(t, 1), makeRelease(t, 2)
	full := 0
	for room := int64(0); ; room += 7000 {
		done := false
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, one, two)
			if _, err := b.u.Install(t.Context(), one.file(t)); err != nil {
				t.Fatal(err)
			}
			b.fs.room.Store(room)
			stop := b.run()
			b.u.HandleAssign(assign(t, 1, two))
			time.Sleep(30 * time.Second)
			done = b.version() == 2
			if !done {
				full++
				b.want(1, "downloading", "disk full: free space for /state")
				if got := b.last().Code; got != "K0407" {
					t.Errorf("code: got %s, want K0407", got)
				}
				time.Sleep(2 * time.Minute)
			}
			synctest.Wait()
			if !done {
				b.fs.room.Store(-1)
				time.Sleep(2 * time.Hour)
			}
			b.want(2, "committed", "")
			stop()
		})
		if done || t.Failed() {
			break
		}
	}
	if full < 20 {
		t.Errorf("the disk was full at %d points, want many", full)
	}
}

func TestInstallDiskFull(t *testing.T) {
	one, two := makeRelease(t, 1), makeRelease(t, 2)
	b := newBench(t, one, two)
	if _, err := b.u.Install(t.Context(), one.file(t)); err != nil {
		t.Fatal(err)
	}
	b.fs.room.Store(1000)
	if _, err := b.u.Install(t.Context(), two.file(t)); !errors.Is(err, ErrStorage) || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("got %v, want ErrStorage for a full disk", err)
	}
	b.want(1, "downloading", "disk full: free space for /state")
	b.fs.room.Store(-1)
	if _, err := b.u.Install(t.Context(), two.file(t)); err != nil {
		t.Error(err)
	}
	b.want(2, "committed", "")
}
