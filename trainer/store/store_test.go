package store

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func open(t *testing.T) (*Store, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "a b?c#d%20") // every character that a DSN could trip over
	s, err := Open(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, dir
}

// update runs f in a transaction that has to succeed.
func update(t *testing.T, s *Store, f func(*Tx) error) {
	t.Helper()
	if err := s.Update(context.Background(), f); err != nil {
		t.Fatal(err)
	}
}

func TestOpen(t *testing.T) {
	s, dir := open(t)
	for pragma, want := range map[string]string{"journal_mode": "wal", "busy_timeout": "5000", "synchronous": "2", "foreign_keys": "1"} {
		var got string
		if err := s.db.QueryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s: got %s, %v, want %s", pragma, got, err, want)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "trainer.db")); err != nil {
		t.Error(err)
	}
	update(t, s, func(tx *Tx) error {
		_, err := tx.exec("later", "INSERT INTO schema_versions (version) VALUES (999)")
		return err
	})
	s.Close()
	if _, err := Open(context.Background(), dir); !errors.Is(err, ErrSchema) {
		t.Errorf("got %v, want ErrSchema", err)
	}
}

// Two stores on one folder stand for two processes: a command and the server.
func TestTwoProcesses(t *testing.T) {
	ctx := context.Background()
	a, dir := open(t)
	b, err := Open(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	target := Target{Site: "s", Kind: TargetDevice, Name: "d"}
	update(t, a, func(tx *Tx) error {
		return tx.AddRelease(Release{Digest: "r", Envelope: []byte("e"), Name: "m", Version: 1, Accuracy: math.NaN()})
	})
	const each = 20
	done := make(chan error, 2)
	for _, s := range []*Store{a, b} {
		go func() {
			for range each {
				err := s.Update(ctx, func(tx *Tx) error {
					n, err := tx.NextSequence(target)
					if err != nil {
						return err
					}
					return tx.AddAssignment(Assignment{Target: target, Release: "r", Sequence: n, Envelope: []byte("e")})
				})
				if err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range 2 {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	update(t, a, func(tx *Tx) error {
		got, err := tx.Assignment(target)
		if err == nil && got.Sequence != 2*each {
			t.Errorf("got sequence %d, want %d", got.Sequence, 2*each)
		}
		return err
	})
}

// Processes that start together on a new folder all come up.
func TestOpenTogether(t *testing.T) {
	for range 5 {
		dir := t.TempDir()
		done := make(chan error, 4)
		for range cap(done) {
			go func() {
				s, err := Open(context.Background(), dir)
				if err == nil {
					err = s.Update(context.Background(), func(tx *Tx) error { return tx.SeeDevice("s", "d", noon) })
					s.Close()
				}
				done <- err
			}()
		}
		for range cap(done) {
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestUpdateIsAtomic(t *testing.T) {
	s, _ := open(t)
	broken := errors.New("broken")
	err := s.Update(context.Background(), func(tx *Tx) error {
		if _, err := tx.FirstSight("s", "d", "1", noon); err != nil {
			return err
		}
		return broken
	})
	if !errors.Is(err, broken) {
		t.Fatalf("got %v, want the function's error", err)
	}
	for _, want := range []bool{true, false} {
		update(t, s, func(tx *Tx) error {
			got, err := tx.FirstSight("s", "d", "1", noon)
			if got != want {
				t.Errorf("got %v, want %v", got, want)
			}
			return err
		})
	}
	update(t, s, func(tx *Tx) error {
		if err := tx.ForgetEvents(noon.Add(time.Second)); err != nil {
			return err
		}
		again, err := tx.FirstSight("s", "d", "1", noon)
		if !again {
			t.Error("a forgotten event was not new")
		}
		return err
	})
}

func TestBlobs(t *testing.T) {
	s, dir := open(t)
	name, err := s.PutBlob([]byte("hello"))
	if err != nil {
		t.Fatal(err)
	}
	if again, err := s.PutBlob([]byte("hello")); err != nil || again != name {
		t.Errorf("got %s, %v, want %s again", again, err, name)
	}
	if got, err := s.Blob(name); err != nil || string(got) != "hello" {
		t.Errorf("got %q, %v", got, err)
	}
	for _, c := range []struct {
		offset int64
		size   int
		want   string
	}{{0, 2, "he"}, {3, 9, "lo"}, {5, 1, ""}, {99, 1, ""}} {
		if got, err := s.BlobPart(name, c.offset, c.size); err != nil || string(got) != c.want {
			t.Errorf("part at %d: got %q, %v, want %q", c.offset, got, err, c.want)
		}
	}
	for _, bad := range []string{"", "../trainer.db", name[:63], name[1:] + "0"} {
		if _, err := s.Blob(bad); !errors.Is(err, ErrNotFound) {
			t.Errorf("%q: got %v, want ErrNotFound", bad, err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "blobs", name), []byte("jello"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Blob(name); !errors.Is(err, ErrDigest) {
		t.Errorf("got %v, want ErrDigest", err)
	}
}

func TestBaseSet(t *testing.T) {
	s, _ := open(t)
	want := BaseSet{
		Name: "m", Columns: []Column{{"a", "none"}, {"b", "signed-log1p"}}, Classes: []string{"x", "y"},
		X: []byte{1, 2, 3, 4, 5, 6, 7, 8}, Y: []uint16{1}, Created: noon,
	}
	update(t, s, func(tx *Tx) error { return tx.PutBaseSet(want) })
	want.Y = []uint16{0, 65535}
	update(t, s, func(tx *Tx) error { return tx.PutBaseSet(want) })
	update(t, s, func(tx *Tx) error {
		got, err := tx.BaseSet("m")
		if !slices.Equal(got.Columns, want.Columns) || !slices.Equal(got.Classes, want.Classes) ||
			!slices.Equal(got.X, want.X) || !slices.Equal(got.Y, want.Y) || !got.Created.Equal(noon) {
			t.Errorf("got %+v, want %+v", got, want)
		}
		if _, err := tx.BaseSet("other"); !errors.Is(err, ErrNotFound) {
			t.Errorf("got %v, want ErrNotFound", err)
		}
		return err
	})
}

func TestDeviceState(t *testing.T) {
	s, _ := open(t)
	for _, c := range []struct {
		what    string
		boot    string
		session uint64
		online  bool
		news    bool
	}{
		{"first sign", "b1", 1, true, true},
		{"will of that session", "b1", 1, false, true},
		{"next session", "b1", 2, true, true},
		{"late will of the first session", "b1", 1, false, false},
		{"reborn", "b2", 1, true, true},
		{"late will of the earlier boot", "b1", 2, false, false},
		{"its own will", "b2", 1, false, true},
	} {
		update(t, s, func(tx *Tx) error {
			if err := tx.SeeDevice("s", "d", noon); err != nil {
				return err
			}
			before, err := tx.Device("s", "d")
			if err != nil {
				return err
			}
			news, err := tx.SetDeviceState("s", "d", c.boot, c.session, c.online)
			if err != nil {
				return err
			}
			want := before.Online
			if c.news {
				want = c.online
			}
			after, err := tx.Device("s", "d")
			if news != c.news || after.Online != want {
				t.Errorf("%s: got news %v online %v, want %v %v", c.what, news, after.Online, c.news, want)
			}
			return err
		})
	}
}

func TestReleases(t *testing.T) {
	s, _ := open(t)
	update(t, s, func(tx *Tx) error {
		for v := uint64(1); v <= 2; v++ {
			next, err := tx.NextVersion("m")
			if err != nil {
				return err
			}
			if next != v {
				t.Errorf("got version %d, want %d", next, v)
			}
			r := Release{Digest: "r" + string(rune(48+v)), Envelope: []byte("e"), Name: "m", Version: v, Model: "same", Accuracy: math.NaN(), Created: noon}
			if v == 2 {
				r.Accuracy, r.Weights = 0.5, []byte("w")
			}
			if err := tx.AddRelease(r); err != nil {
				return err
			}
		}
		if err := tx.AddRelease(Release{Digest: "r3", Envelope: []byte("e"), Name: "m", Version: 2}); !errors.Is(err, ErrExists) {
			t.Errorf("same version: got %v, want ErrExists", err)
		}
		first, err := tx.Release("r1")
		if err != nil || !math.IsNaN(first.Accuracy) || first.Weights != nil {
			t.Errorf("got %+v, %v, want unknown accuracy and weights", first, err)
		}
		byModel, err := tx.ReleaseOfModel("same")
		if err != nil || byModel.Digest != "r2" || byModel.Accuracy != 0.5 || string(byModel.Weights) != "w" {
			t.Errorf("got %+v, %v, want r2", byModel, err)
		}
		latest, err := tx.LatestRelease("m")
		if err != nil || latest.Version != 2 {
			t.Errorf("got %+v, %v, want version 2", latest, err)
		}
		if _, err := tx.LatestRelease("other"); !errors.Is(err, ErrNotFound) {
			t.Errorf("got %v, want ErrNotFound", err)
		}
		return nil
	})
}

func TestAssignmentsAfter(t *testing.T) {
	s, _ := open(t)
	one, two := Target{"s", TargetDevice, "x"}, Target{"s", TargetGroup, "x"}
	update(t, s, func(tx *Tx) error {
		if err := tx.AddRelease(Release{Digest: "r", Envelope: []byte("e"), Name: "m", Version: 1}); err != nil {
			return err
		}
		for i, target := range []Target{one, two, one} {
			a := Assignment{Target: target, Release: "r", Sequence: uint64(i + 1), Envelope: []byte("e"), Issued: noon}
			if err := tx.AddAssignment(a); err != nil {
				return err
			}
		}
		if err := tx.AddAssignment(Assignment{Target: one, Release: "r", Sequence: 1, Envelope: []byte("e")}); !errors.Is(err, ErrExists) {
			t.Errorf("got %v, want ErrExists", err)
		}
		all, err := tx.AssignmentsAfter(0)
		if err != nil || len(all) != 2 || all[0].Target != two || all[1].Target != one || all[1].Sequence != 3 {
			t.Errorf("got %+v, %v, want the group's and the device's latest", all, err)
		}
		rest, err := tx.AssignmentsAfter(all[0].ID)
		if err != nil || len(rest) != 1 || rest[0].ID != all[1].ID {
			t.Errorf("got %+v, %v, want only the last", rest, err)
		}
		return nil
	})
	err := s.Update(context.Background(), func(tx *Tx) error {
		return tx.AddAssignment(Assignment{Target: one, Release: "absent", Sequence: 9, Envelope: []byte("e")})
	})
	if err == nil {
		t.Error("an assignment of an unknown release was kept")
	}
}

func TestReports(t *testing.T) {
	s, _ := open(t)
	update(t, s, func(tx *Tx) error {
		for _, event := range []string{"1", "2", "1"} {
			r := DriftReport{Site: "s", Device: "d", Event: event, Time: noon, Name: "m", Evidence: "e", After: 100, Report: []byte("{}")}
			if err := tx.AddDriftReport(r); err != nil {
				return err
			}
		}
		open, err := tx.Unanswered()
		if err != nil || len(open) != 2 || open[0].After != 100 || open[0].Status != StatusOpen {
			t.Fatalf("got %+v, %v, want two open", open, err)
		}
		if err := tx.AnswerReport(open[0].ID, StatusReleased, 100, "r", "better"); err != nil {
			return err
		}
		if err := tx.AnswerReport(open[1].ID, StatusRefused, 50, "", "worse"); err != nil {
			return err
		}
		if err := tx.AnswerReport(99, StatusRefused, 0, "", ""); !errors.Is(err, ErrNotFound) {
			t.Errorf("got %v, want ErrNotFound", err)
		}
		left, err := tx.Unanswered()
		if err != nil || len(left) != 1 || left[0].Tried != 50 || left[0].Detail != "worse" {
			t.Errorf("got %+v, %v, want the refused one", left, err)
		}
		return nil
	})
}

func TestReferences(t *testing.T) {
	s, _ := open(t)
	update(t, s, func(tx *Tx) error {
		for _, device := range []string{"a", "b", "a"} {
			n, err := tx.NextReference("s", device)
			if err != nil {
				return err
			}
			if err := tx.AddReference(Reference{Site: "s", Device: device, Model: "m", Sequence: n, Envelope: []byte("e"), Created: noon}); err != nil {
				return err
			}
		}
		all, err := tx.ReferencesAfter(0)
		if err != nil || len(all) != 2 || all[0].Device != "b" || all[1].Sequence != 2 {
			t.Errorf("got %+v, %v, want b's first and a's second", all, err)
		}
		return nil
	})
}

func TestNano(t *testing.T) {
	for _, c := range []struct {
		at   time.Time
		want int64
	}{
		{time.Time{}, 0},
		{time.Unix(1, 2), 1e9 + 2},
		{time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), maxNano},
		{time.Date(2, 1, 1, 0, 0, 0, 0, time.UTC), -maxNano},
	} {
		if got := nano(c.at); got != c.want {
			t.Errorf("%v: got %d, want %d", c.at, got, c.want)
		}
	}
	if got := fromNano(nano(noon)); !got.Equal(noon) {
		t.Errorf("got %v, want %v back", got, noon)
	}
}

// The driver must be the pure Go one: the trainer is built without cgo.
func TestDriver(t *testing.T) {
	if !slices.Contains(sql.Drivers(), "sqlite") {
		t.Errorf("got %v, want sqlite", sql.Drivers())
	}
}

// A damaged database is called that, and left as it is.
func TestDamagedDatabase(t *testing.T) {
	whole, dir := open(t)
	update(t, whole, func(tx *Tx) error { return tx.SeeDevice("s", "d", noon) })
	if err := whole.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "trainer.db")
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	scribbled := slices.Clone(file)
	for i := 100; i < len(scribbled); i++ {
		scribbled[i] = 0x5a
	}
	for name, content := range map[string][]byte{"no database": []byte(strings.Repeat("hello ", 1000)), "scribbled over": scribbled} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Open(context.Background(), dir)
		if err == nil {
			s.Close()
		}
		if !errors.Is(err, ErrDamaged) || err.Error() != path+" is damaged" {
			t.Errorf("%s: got %v, want it called damaged", name, err)
		}
	}
}
