package buffer

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"reflect"
	"testing"
)

func TestRecordEveryBitCounts(t *testing.T) {
	key, body := seqKey(7), []byte("body")
	value := encodeRecord(key, body)
	if got, err := decodeRecord(key, value); err != nil || !bytes.Equal(got, body) {
		t.Fatalf("got %q, %v, want %q", got, err, body)
	}
	for _, b := range [][]byte{key, value} {
		for i := range 8 * len(b) {
			b[i/8] ^= 1 << (i % 8)
			if _, err := decodeRecord(key, value); !errors.Is(err, ErrDamaged) {
				t.Errorf("bit %d of %x flipped: got %v, want ErrDamaged", i, b, err)
			}
			b[i/8] ^= 1 << (i % 8)
		}
	}
	for n := range len(value) {
		if _, err := decodeRecord(key, value[:n]); !errors.Is(err, ErrDamaged) {
			t.Errorf("cut to %d bytes: got %v, want ErrDamaged", n, err)
		}
	}
}

func TestMessageRoundTrip(t *testing.T) {
	for _, m := range []Message{
		{Topic: "a", QoS: 0},
		{Topic: "a/b/c", Payload: []byte("x"), QoS: 1, Retain: true},
		{Topic: "é", Payload: bytes.Repeat([]byte{0}, 1000), QoS: 2},
	} {
		got, err := decodeMessage(encodeMessage(m))
		if err != nil || !reflect.DeepEqual(got, m) {
			t.Errorf("got %+v, %v, want %+v", got, err, m)
		}
	}
}

func TestLedgerRoundTrip(t *testing.T) {
	var l ledger
	for i, w := range l.words() {
		*w = uint64(i)
	}
	for _, tally := range l.tallies() {
		tally.Produced = tally.Done + tally.Dropped + tally.Queued
	}
	l.clean = true
	v := l.encode()
	if len(v) != ledgerSize {
		t.Fatalf("got %d bytes, want %d", len(v), ledgerSize)
	}
	if got, err := decodeLedger(v); err != nil || got != l {
		t.Errorf("got %+v, %v, want %+v", got, err, l)
	}
	l.Ring.Done++
	if _, err := decodeLedger(l.encode()); !errors.Is(err, ErrDamaged) {
		t.Errorf("unbalanced ledger: got %v, want ErrDamaged", err)
	}
	if _, err := decodeLedger(nil); !errors.Is(err, ErrDamaged) {
		t.Errorf("no ledger: got %v, want ErrDamaged", err)
	}
}

func FuzzDecodeRecord(f *testing.F) {
	good := encodeRecord(seqKey(1), encodeMessage(Message{Topic: "a/b", Payload: []byte("p"), QoS: 1}))
	f.Add(seqKey(1), good)
	f.Add(seqKey(2), good)
	f.Add([]byte{}, []byte{})
	f.Fuzz(func(t *testing.T, key, value []byte) {
		body, err := decodeRecord(key, value)
		if err == nil && !bytes.Equal(encodeRecord(key, body), value) {
			t.Errorf("%x under %x decodes, but encodes to something else", value, key)
		}
		if _, err := readMessage(key, value); err != nil && !errors.Is(err, ErrDamaged) {
			t.Errorf("got %v, want ErrDamaged", err)
		}
	})
}

func FuzzDecodeMessage(f *testing.F) {
	f.Add(encodeMessage(Message{Topic: "a/b", Payload: []byte("p"), QoS: 2, Retain: true}))
	f.Add([]byte{0, 255, 255})
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := decodeMessage(body)
		if err == nil && !bytes.Equal(encodeMessage(m), body) {
			t.Errorf("%x decodes to %+v, which encodes to something else", body, m)
		}
	})
}

// FuzzProbe damages a sound file at one place: whatever the walk lets pass, bbolt
// must survive.
func FuzzProbe(f *testing.F) {
	files := sampleImage(f)
	random := rand.New(rand.NewPCG(3, 4))
	for range 8 {
		f.Add(random.Uint32(), []byte{byte(random.Uint32())})
	}
	f.Add(uint32(0), make([]byte, 2*pageSize))
	f.Fuzz(func(t *testing.T, at uint32, patch []byte) {
		damaged := bytes.Clone(files.queue)
		copy(damaged[int(at%uint32(len(damaged))):], patch)
		reopen(t, files.with(damaged))
	})
}
