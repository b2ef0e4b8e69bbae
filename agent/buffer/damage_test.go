package buffer

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What sampleImage puts into its file.
const (
	imageRing, imageOutbox = 1520, 40
	imageQueued            = imageRing + imageOutbox
)

// image is the bytes of a directory's files.
type image struct{ state, queue []byte }

// with replaces queue.db.
func (i image) with(queue []byte) image { return image{i.state, queue} }

// sampleImage returns the files of a Buffer that was closed cleanly; queue.db has
// trees of two levels, overflow pages and inline buckets.
func sampleImage(t testing.TB) image {
	t.Helper()
	dir := t.TempDir()
	b, err := Open(dir, small)
	if err != nil {
		t.Fatal(err)
	}
	for i := range uint64(imageRing) {
		if _, err := b.Ring.Append(sample(i)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range imageOutbox {
		m := Message{Class: Class(i % 3), Topic: "t", Payload: bytes.Repeat([]byte{byte(i)}, 50+150*i), QoS: 1}
		if err := b.Outbox.Put(m); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	state, stateErr := os.ReadFile(filepath.Join(dir, StateFile))
	queue, queueErr := os.ReadFile(filepath.Join(dir, QueueFile))
	if err := errors.Join(stateErr, queueErr); err != nil {
		t.Fatal(err)
	}
	return image{state, queue}
}

// reopen opens a directory with the given files and checks everything that must hold
// whatever the bytes of queue.db are. It returns what Recovered says.
func reopen(t *testing.T, files image) []Recovered {
	t.Helper()
	dir := t.TempDir()
	err := errors.Join(
		os.WriteFile(filepath.Join(dir, StateFile), files.state, 0o600),
		os.WriteFile(filepath.Join(dir, QueueFile), files.queue, 0o600))
	if err != nil {
		t.Fatal(err)
	}
	var told []Recovered
	o := small
	o.OnDamage = func(r Recovered) { told = append(told, r) }
	b, err := Open(dir, o)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	defer func() {
		if err := b.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if r := b.Recovered(); !slices.Equal(told, r) {
			t.Errorf("OnDamage: got %+v, want %+v", told, r)
		}
	}()
	sound(t, b)
	checkLoss(t, b)
	appendSamples(t, b, 10)
	if err := put(t, b, ClassReport, "new"); err != nil {
		t.Errorf("Put: %v", err)
	}
	sound(t, b)
	return b.Recovered()
}

// checkLoss compares what can be read with what is reported.
func checkLoss(t *testing.T, b *Buffer) {
	t.Helper()
	records, err := b.Ring.Read(0, ^uint64(0))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		if !bytes.Equal(r.Payload, sample(r.Seq)) {
			t.Errorf("sample %d: got %q", r.Seq, r.Payload)
		}
	}
	messages := next(t, b, 1000, nil)
	for _, m := range messages {
		if i := int(m.Payload[0]); len(m.Payload) != 50+150*i || m.Class != Class(i%3) {
			t.Errorf("message %d: got %d bytes of class %v", i, len(m.Payload), m.Class)
		}
	}
	if got := b.Ring.Next(); got < imageRing {
		t.Errorf("next number %d goes back behind %d", got, imageRing)
	}
	left := len(records) + len(messages)
	recovered := b.Recovered()
	if len(recovered) == 0 {
		if left != imageQueued {
			t.Errorf("%d records are left of %d and nothing is reported", left, imageQueued)
		}
		return
	}
	if len(recovered) > 1 || recovered[0].Cause == nil {
		t.Errorf("got %+v, want one report with a cause", recovered)
	}
	r := recovered[0]
	if r.Exact && uint64(left)+r.Lost+r.Corrupt != imageQueued {
		t.Errorf("%d left + %d lost + %d corrupt, want %d in all: %+v", left, r.Lost, r.Corrupt, imageQueued, r)
	}
	if c := b.Counters(); r.Exact && c.Ring.Produced != imageRing {
		t.Errorf("ring: got %v, want %d produced", c.Ring, imageRing)
	}
}

func TestDamagedFiles(t *testing.T) {
	sampleFiles := sampleImage(t)
	image := sampleFiles.queue
	if r := reopen(t, sampleFiles); len(r) != 0 {
		t.Fatalf("sound file: got %+v", r)
	}
	random := rand.New(rand.NewPCG(1, 2))
	at := func() int { return random.IntN(len(image)) }
	cases := map[string]func(b []byte) []byte{
		"empty":      func([]byte) []byte { return nil },
		"foreign":    func([]byte) []byte { return []byte("hello") },
		"both metas": func(b []byte) []byte { clear(b[:2*pageSize]); return b },
		"one meta":   func(b []byte) []byte { clear(b[:pageSize]); return b },
		"other meta": func(b []byte) []byte { clear(b[pageSize : 2*pageSize]); return b },
		"all zero":   func(b []byte) []byte { clear(b); return b },
	}
	for _, n := range []int{1, pageSize - 1, pageSize, 2 * pageSize, 3 * pageSize, 4 * pageSize, len(image) - 1, len(image) - pageSize} {
		cases[fmt.Sprintf("cut at %d", n)] = func(b []byte) []byte { return b[:n] }
	}
	for range 12 {
		n := at()
		cases[fmt.Sprintf("cut at %d", n)] = func(b []byte) []byte { return b[:n] }
		z := at()
		cases[fmt.Sprintf("zero from %d", z)] = func(b []byte) []byte { clear(b[z:]); return b }
		p := at() / pageSize * pageSize
		cases[fmt.Sprintf("page at %d overwritten", p)] = func(b []byte) []byte {
			for i := range pageSize {
				b[p+i] = byte(random.Uint32())
			}
			return b
		}
		from, to := at()/pageSize*pageSize, at()/pageSize*pageSize
		cases[fmt.Sprintf("page at %d copied to %d", from, to)] = func(b []byte) []byte {
			copy(b[to:to+pageSize], b[from:from+pageSize])
			return b
		}
	}
	for range 60 {
		n, bit := at(), byte(1)<<random.IntN(8)
		cases[fmt.Sprintf("bit %#x at %d", bit, n)] = func(b []byte) []byte { b[n] ^= bit; return b }
	}
	aside, corrupt, untouched := 0, 0, 0
	for name, damage := range cases {
		t.Run(name, func(t *testing.T) {
			r := reopen(t, sampleFiles.with(damage(bytes.Clone(image))))
			switch {
			case len(r) == 0:
				untouched++
			case r[0].Aside != "":
				aside++
			default:
				corrupt++
			}
		})
	}
	t.Logf("%d files: %d set aside, %d put right in place, %d damaged where nothing lies", len(cases), aside, corrupt, untouched)
}

// Set aside is what was damaged, under the boot's name, and only the last one is
// kept.
func TestSetAsideKeepsOne(t *testing.T) {
	dir := t.TempDir()
	var log bytes.Buffer
	for _, boot := range []string{"one", "../two/"} {
		o := small
		o.Boot = boot
		b := open(t, dir, o)
		appendSamples(t, b, 1)
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(filepath.Join(dir, QueueFile), 2*pageSize); err != nil {
			t.Fatal(err)
		}
		b = open(t, dir, o)
		r := b.Recovered()
		if len(r) != 1 || r[0].File != QueueFile || !strings.HasPrefix(r[0].Aside, filepath.Join(dir, QueueFile)) {
			t.Fatalf("got %+v, want one file set aside", r)
		}
		fmt.Fprintln(&log, r[0].Aside)
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
	left, err := filepath.Glob(filepath.Join(dir, "*corrupt*"))
	if err != nil || len(left) != 1 || filepath.Base(left[0]) != "queue.db.corrupt-___two_" {
		t.Errorf("got %q, %v, want only the last; set aside were\n%s", left, err, &log)
	}
}

func TestDamagedState(t *testing.T) {
	dir := t.TempDir()
	b := open(t, dir, small)
	if err := b.State.Put("floor", []byte("a value to be found again")); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, StateFile)
	image, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// In every copy of the value, one bit.
	broken := bytes.ReplaceAll(image, []byte("to be found"), []byte("to bE found"))
	if err := os.WriteFile(path, broken, 0o600); err != nil {
		t.Fatal(err)
	}
	b = open(t, dir, small)
	if _, err := b.State.Get("floor"); !errors.Is(err, ErrNotFound) {
		t.Errorf("Get: got %v, want ErrNotFound", err)
	}
	if r := b.Recovered(); len(r) != 1 || r[0].File != StateFile || r[0].Corrupt != 1 {
		t.Errorf("got %+v, want one corrupt value", r)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 100); err != nil {
		t.Fatal(err)
	}
	b = open(t, dir, small)
	if r := b.Recovered(); len(r) != 1 || r[0].File != StateFile || r[0].Aside == "" {
		t.Errorf("got %+v, want the file set aside", r)
	}
}

// A file that loses its pages while it is mapped raises SIGBUS; the agent lives on
// and every record is still accounted for.
func TestFaultWhileOpen(t *testing.T) {
	for _, touch := range []string{"read", "write"} {
		t.Run(touch, func(t *testing.T) {
			dir := t.TempDir()
			b := open(t, dir, small)
			appendSamples(t, b, 1000)
			if err := put(t, b, ClassReport, "lost"); err != nil {
				t.Fatal(err)
			}
			appendSamples(t, b, 5) // pending: not lost with the file
			if err := os.Truncate(filepath.Join(dir, QueueFile), 2*pageSize); err != nil {
				t.Fatal(err)
			}
			if touch == "read" {
				records, err := b.Ring.Read(0, 2000)
				if err != nil {
					t.Errorf("Read: got %v, want a second try on a new file", err)
				}
				checkSamples(t, records, 1000, 5)
			} else if err := put(t, b, ClassReport, "kept"); err != nil {
				t.Errorf("Put: got %v, want a second try on a new file", err)
			}
			flush(t, b)
			records, err := b.Ring.Read(0, 2000)
			if err != nil {
				t.Fatal(err)
			}
			checkSamples(t, records, 1000, 5)
			c := b.Counters()
			if c.Lost != 1001 || c.Ring.Produced != 1005 || c.Ring.Dropped != 1000 || c.OutboxTotal().Dropped != 1 {
				t.Errorf("got %+v, want 1001 lost", c)
			}
			if r := b.Recovered(); len(r) != 1 || !r[0].Exact || r[0].Lost != 1001 {
				t.Errorf("got %+v, want one file with 1001 lost", r)
			}
			sound(t, b)
		})
	}
}

// A record that rots on the disk while the file is open is passed over, removed and
// counted, and the others stay.
func TestRecordRotsWhileOpen(t *testing.T) {
	for _, first := range []string{"message", "sample"} {
		t.Run(first, func(t *testing.T) {
			dir := t.TempDir()
			b := open(t, dir, small)
			appendSamples(t, b, 300)
			if err := put(t, b, ClassReport, "to be sent"); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, QueueFile)
			files, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			for _, text := range []string{"sample 150", "to be sent"} {
				for at := 0; ; at++ { // every copy of it
					i := bytes.Index(files[at:], []byte(text))
					if i < 0 {
						break
					}
					at += i
					if _, err := f.WriteAt([]byte("S"), int64(at)); err != nil {
						t.Fatal(err)
					}
				}
			}
			if first == "message" {
				if got := next(t, b, 10, nil); len(got) != 0 {
					t.Errorf("got %+v, want no message", got)
				}
			}
			records, err := b.Ring.Read(0, 1000)
			if err != nil {
				t.Fatal(err)
			}
			checkSamples(t, records[:150], 0, 150)
			checkSamples(t, records[150:], 151, 149)
			c := b.Counters()
			if c.Corrupt != 2 || c.Ring.Dropped != 1 || c.Outbox[ClassReport].Dropped != 1 {
				t.Errorf("got %+v, want one sample and one message corrupt", c)
			}
			if r := b.Recovered(); len(r) != 1 || r[0].Corrupt != 2 || r[0].Aside != "" {
				t.Errorf("got %+v, want two corrupt records", r)
			}
			sound(t, b)
		})
	}
}
