package buffer

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestState(t *testing.T) {
	dir := t.TempDir()
	b := open(t, dir, small)
	if _, err := b.State.Get("k"); !errors.Is(err, ErrNotFound) {
		t.Errorf("Get: got %v, want ErrNotFound", err)
	}
	if err := b.State.PutAll(map[string][]byte{"k": []byte("v"), "empty": {}, "other": []byte("o")}); err != nil {
		t.Fatal(err)
	}
	if err := b.State.PutAll(map[string][]byte{"k": []byte("w"), "other": nil}); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if err := b.State.Put("k", nil); !errors.Is(err, ErrClosed) {
		t.Errorf("Put after Close: got %v, want ErrClosed", err)
	}
	b = open(t, dir, small)
	for key, want := range map[string]string{"k": "w", "empty": ""} {
		if got, err := b.State.Get(key); err != nil || string(got) != want {
			t.Errorf("Get %q: got %q, %v, want %q", key, got, err, want)
		}
	}
	if err := b.State.Delete("k"); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"k", "other"} {
		if _, err := b.State.Get(key); !errors.Is(err, ErrNotFound) {
			t.Errorf("Get deleted %q: got %v, want ErrNotFound", key, err)
		}
	}
	if err := b.State.Put("big", make([]byte, MaxPayload+1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("Put of %d bytes: got %v, want ErrTooLarge", MaxPayload+1, err)
	}
	for _, key := range []string{"", strings.Repeat("k", 256)} {
		if err := b.State.Put(key, nil); err == nil {
			t.Errorf("Put under a key of %d bytes: got no error", len(key))
		}
	}
}

func TestLocked(t *testing.T) {
	dir := t.TempDir()
	b := open(t, dir, small)
	if _, err := Open(dir, small); !errors.Is(err, ErrLocked) {
		t.Errorf("second Open: got %v, want ErrLocked", err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, dir, small)
}

func TestOptionsRefused(t *testing.T) {
	for name, o := range map[string]Options{
		"tiny":     {MaxSize: 1000},
		"huge":     {MaxSize: 1 << 40},
		"negative": {Ring: Limit{Bytes: -1}},
		"sum":      {MaxSize: 1 << 20, Ring: Limit{Bytes: 1 << 19}, Outbox: Limit{Bytes: 1 << 19}},
		"overflow": {Ring: Limit{Bytes: 1 << 62}, Outbox: Limit{Bytes: 1 << 62}},
		"batch":    {BatchRecords: maxPending + 1},
	} {
		if b, err := Open(t.TempDir(), o); err == nil {
			b.Close()
			t.Errorf("%s: got no error", name)
		}
	}
}

func TestPermissions(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	open(t, dir, small)
	for path, want := range map[string]os.FileMode{
		dir:                           0o700 | os.ModeDir,
		filepath.Join(dir, StateFile): 0o600,
		filepath.Join(dir, QueueFile): 0o600,
	} {
		if info, err := os.Stat(path); err != nil || info.Mode() != want {
			t.Errorf("%s: got %v, %v, want %v", path, info.Mode(), err, want)
		}
	}
}
