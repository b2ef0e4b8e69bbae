package store

import (
	"fmt"
	"testing"
	"time"
)

func sampleAt(n int, offset time.Duration) Sample {
	return Sample{
		ID: fmt.Sprintf("d/b/%d", n), Site: "s", Device: "d", Time: noon.Add(offset), Model: "m",
		X: []byte{0, 0, 0, 0}, Answered: "a", Confidence: 0.5, Evidence: "e",
	}
}

func idLabel(n int, label string) Label {
	return Label{Site: "s", Source: "lab", Sample: fmt.Sprintf("d/b/%d", n), Label: label}
}

func timeLabel(offset time.Duration, label string) Label {
	return Label{Site: "s", Source: "lab", Device: "d", Time: noon.Add(offset), Label: label}
}

// Labels and samples may come in any order; the result is the same.
func TestJoin(t *testing.T) {
	foreign := idLabel(1, "x")
	foreign.Site = "elsewhere"
	otherDevice := timeLabel(0, "x")
	otherDevice.Device = "d2"
	for _, c := range []struct {
		name   string
		steps  []any // Sample or Label
		joined []bool
		want   map[int]string // labels by sample
	}{
		{"label after its sample", []any{sampleAt(1, 0), idLabel(1, "x")}, []bool{false, true}, map[int]string{1: "x"}},
		{"label before its sample", []any{idLabel(1, "x"), sampleAt(1, 0)}, []bool{false, true}, map[int]string{1: "x"}},
		{"twice", []any{sampleAt(1, 0), idLabel(1, "x"), idLabel(1, "x")}, []bool{false, true, false}, map[int]string{1: "x"}},
		{"corrected", []any{sampleAt(1, 0), idLabel(1, "x"), idLabel(1, "y")}, []bool{false, true, false}, map[int]string{1: "y"}},
		{"sample twice", []any{idLabel(1, "x"), sampleAt(1, 0), sampleAt(1, 0)}, []bool{false, true, false}, map[int]string{1: "x"}},
		{"foreign site", []any{sampleAt(1, 0), foreign}, []bool{false, false}, map[int]string{1: ""}},
		{"foreign site first", []any{foreign, sampleAt(1, 0)}, []bool{false, false}, map[int]string{1: ""}},
		{"by time", []any{sampleAt(1, 0), sampleAt(2, time.Second), timeLabel(900*time.Millisecond, "x")},
			[]bool{false, false, true}, map[int]string{1: "", 2: "x"}},
		{"by time, label first", []any{timeLabel(900*time.Millisecond, "x"), sampleAt(1, 0), sampleAt(2, time.Second)},
			[]bool{false, true, true}, map[int]string{1: "", 2: "x"}},
		{"by time, nearer sample first", []any{timeLabel(900*time.Millisecond, "x"), sampleAt(2, time.Second), sampleAt(1, 0)},
			[]bool{false, true, false}, map[int]string{1: "", 2: "x"}},
		{"too far", []any{sampleAt(1, 0), timeLabel(3*time.Second, "x")}, []bool{false, false}, map[int]string{1: ""}},
		{"too far, label first", []any{timeLabel(3*time.Second, "x"), sampleAt(1, 0)}, []bool{false, false}, map[int]string{1: ""}},
		{"other device", []any{sampleAt(1, 0), otherDevice}, []bool{false, false}, map[int]string{1: ""}},
		{"nearer label wins", []any{sampleAt(1, 0), timeLabel(time.Second, "far"), timeLabel(time.Millisecond, "near"), timeLabel(-time.Second, "far")},
			[]bool{false, true, false, false}, map[int]string{1: "near"}},
		{"id wins over time", []any{sampleAt(1, 0), idLabel(1, "id"), timeLabel(time.Millisecond, "time")},
			[]bool{false, true, false}, map[int]string{1: "id"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _ := open(t)
			for i, step := range c.steps {
				update(t, s, func(tx *Tx) error {
					var got bool
					var err error
					switch v := step.(type) {
					case Sample:
						got, err = tx.AddSample(v, 2*time.Second)
					case Label:
						var joined Joining
						joined, err = tx.AddLabel(v, 2*time.Second)
						got = joined == JoinedNew
					}
					if got != c.joined[i] {
						t.Errorf("step %d: got joined %v, want %v", i, got, c.joined[i])
					}
					return err
				})
			}
			for n, want := range c.want {
				update(t, s, func(tx *Tx) error {
					got, err := tx.Sample(fmt.Sprintf("d/b/%d", n))
					if got.Label != want {
						t.Errorf("sample %d: got label %q, want %q", n, got.Label, want)
					}
					return err
				})
			}
		})
	}
}

func TestEvidence(t *testing.T) {
	s, _ := open(t)
	check := func(want EvidenceCount) {
		t.Helper()
		update(t, s, func(tx *Tx) error {
			got, err := tx.CountEvidence("s", "d", "e")
			if got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
			return err
		})
	}
	add := func(part int, last bool, want bool) {
		t.Helper()
		update(t, s, func(tx *Tx) error {
			first, err := tx.AddPart("s", "d", "e", part, last, noon.Add(time.Duration(part)*time.Second))
			if err != nil || first != want {
				t.Errorf("part %d: got first %v, %v, want %v", part, first, err, want)
			}
			_, err = tx.AddSample(sampleAt(part, 0), time.Second)
			return err
		})
	}
	check(EvidenceCount{})
	add(2, true, true)
	add(0, false, true)
	add(0, false, false)
	check(EvidenceCount{Samples: 2, Latest: noon.Add(2 * time.Second)})
	add(1, false, true)
	check(EvidenceCount{Samples: 3, Complete: true, Latest: noon.Add(2 * time.Second)})
	update(t, s, func(tx *Tx) error {
		if err := tx.AddRelease(Release{Digest: "r", Envelope: []byte("e"), Name: "net", Version: 1, Model: "m"}); err != nil {
			return err
		}
		if _, err := tx.AddLabel(idLabel(1, "x"), time.Second); err != nil {
			return err
		}
		return tx.Quarantine("outlier", "d/b/1")
	})
	check(EvidenceCount{Samples: 3, Labeled: 1, Complete: true, Latest: noon.Add(2 * time.Second)})
	update(t, s, func(tx *Tx) error {
		got, err := tx.LabeledSamples("net")
		if err != nil || len(got) != 1 || got[0].ID != "d/b/1" || got[0].Quarantine != "outlier" || !got[0].Time.Equal(noon) {
			t.Errorf("got %+v, %v, want sample 1", got, err)
		}
		other, err := tx.LabeledSamples("other")
		if len(other) != 0 {
			t.Errorf("got %d samples of another name, want 0", len(other))
		}
		return err
	})
}

func TestWaitingLabels(t *testing.T) {
	s, _ := open(t)
	since := noon
	check := func(device string, want int, latest time.Time) {
		t.Helper()
		update(t, s, func(tx *Tx) error {
			n, at, err := tx.WaitingLabels("s", device, since)
			if n != want || !at.Equal(latest) {
				t.Errorf("%s: got %d, %v, want %d, %v", device, n, at, want, latest)
			}
			return err
		})
	}
	check("d", 0, time.Time{})
	for i, l := range []Label{idLabel(1, "x"), idLabel(2, "x"), timeLabel(time.Hour, "x"), {Site: "s", Sample: "d_e/b/1", Label: "x"}, {Site: "s", Sample: "dxe/b/1", Label: "x"}} {
		l.Received = noon.Add(time.Duration(i) * time.Minute)
		update(t, s, func(tx *Tx) error {
			_, err := tx.AddLabel(l, time.Second)
			return err
		})
	}
	check("d", 3, noon.Add(2*time.Minute))
	check("d_e", 1, noon.Add(3*time.Minute)) // an underscore is no wildcard
	update(t, s, func(tx *Tx) error {
		_, err := tx.AddSample(sampleAt(1, 0), time.Second)
		return err
	})
	check("d", 2, noon.Add(2*time.Minute))
	since = noon.Add(2 * time.Minute)
	check("d", 1, since)
}

// What an operator is told, and what makes a training worth another attempt.
func TestCorrectedLabel(t *testing.T) {
	s, _ := open(t)
	key := EvidenceKey{Site: "s", Device: "d", Evidence: "e"}
	var states []string
	for i, step := range []struct {
		label string
		want  Joining
	}{{"x", JoinedNew}, {"x", JoinedNothing}, {"y", JoinedChanged}} {
		update(t, s, func(tx *Tx) error {
			if _, err := tx.AddSample(sampleAt(1, 0), time.Second); err != nil {
				return err
			}
			got, err := tx.AddLabel(idLabel(1, step.label), time.Second)
			if err != nil || got != step.want {
				t.Errorf("step %d: got %v, %v, want %v", i, got, err, step.want)
			}
			state, err := tx.LabelState(key)
			states = append(states, state)
			return err
		})
	}
	if states[0] != states[1] || states[1] == states[2] {
		t.Errorf("got states %q, want the last alone to differ", states)
	}
}
