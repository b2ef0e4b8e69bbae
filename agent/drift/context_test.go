package drift

import (
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
)

// rhythm is a signal at one reading a minute whose mean swings by two points over the
// day.
func rhythm(rng *rand.Rand, minute int) (x float64, hour string) {
	mean := 0.93 + 0.02*math.Sin(2*math.Pi*float64(minute)/1440)
	return math.Pow(rng.Float64(), (1-mean)/mean), strconv.Itoa(minute / 60 % 24)
}

func rhythmReference(t testing.TB, rng *rand.Rand, days int) Reference {
	var xs []float64
	var hours []string
	for minute := range days * 1440 {
		x, hour := rhythm(rng, minute)
		xs, hours = append(xs, x), append(hours, hour)
	}
	ref, err := NewContextReference(xs, hours)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// TestContextRhythm counts false alarms of ten days of a daily rhythm, and how often a
// drop of three points is found within a day.
func TestContextRhythm(t *testing.T) {
	streams := accepted(20, 400)
	rng := rand.New(rand.NewPCG(61, 1))
	for _, days := range []int{1, 2, 7} {
		alarms, found := 0, 0
		for range streams {
			ref := rhythmReference(t, rng, days)
			m := mustNew(t, Options{Reference: ref})
			for minute := range 10 * 1440 {
				x, hour := rhythm(rng, minute)
				m.UpdateIn(x, hour)
			}
			if m.Explain().Alarms > 0 {
				alarms++
				m = mustNew(t, Options{Reference: ref})
			}
			for minute := range 1440 {
				x, hour := rhythm(rng, minute)
				if m.UpdateIn(x-0.03, hour).State == Drift {
					found++
					break
				}
			}
		}
		t.Logf("%d days: false alarms in %d, found in %d of %d", days, alarms, found, streams)
		if float64(alarms) > 0.05*float64(streams) || float64(found) < 0.9*float64(streams) {
			t.Errorf("%d days of reference: false alarms in %d of %d streams, drops found in %d, want at most 5 %% and at least 90 %%", days, alarms, streams, found)
		}
	}
}

func TestContextUnknown(t *testing.T) {
	rng := rand.New(rand.NewPCG(62, 1))
	m := mustNew(t, Options{Reference: rhythmReference(t, rng, 2)})
	for minute := range 1440 {
		x, hour := rhythm(rng, minute)
		m.UpdateIn(x, "hour "+hour)
	}
	if e := m.Explain(); e.Unknown != 1440 || e.Contexts != 24 || e.Alarms != 0 {
		t.Errorf("got %d unknown, %d contexts, %d alarms, want 1440, 24 and none", e.Unknown, e.Contexts, e.Alarms)
	}
	next := mustNew(t, m.opts)
	if err := next.Restore(m.Snapshot()); err != nil || next.Explain().Unknown != 1440 {
		t.Errorf("restored: got %+v (%v)", next.Explain(), err)
	}
	if got := testing.AllocsPerRun(100, func() { m.UpdateIn(0.9, "7") }); got != 0 {
		t.Errorf("got %v allocations per update, want 0", got)
	}
	if got := len(m.Snapshot()); got > 4096 {
		t.Errorf("got a state of %d bytes, want at most 4096", got)
	}
}

func TestContextReferenceRefuses(t *testing.T) {
	many, xs := make([]string, MaxContexts+1), make([]float64, MaxContexts+1)
	for i := range many {
		many[i] = strconv.Itoa(i)
	}
	if _, err := NewContextReference(xs, many); !errors.Is(err, ErrReference) {
		t.Errorf("too many: got %v, want ErrReference", err)
	}
	if _, err := NewContextReference(xs, nil); !errors.Is(err, ErrReference) {
		t.Errorf("too few: got %v, want ErrReference", err)
	}
	good := rhythmReference(t, rand.New(rand.NewPCG(63, 1)), 1)
	data, err := json.Marshal(good)
	var back Reference
	if err != nil || json.Unmarshal(data, &back) != nil || back.Validate() != nil || len(back.Contexts) != 24 {
		t.Errorf("JSON: got %d contexts (%v), want 24", len(back.Contexts), err)
	}
	for name, damage := range map[string]func(c *Reference){
		"more than the whole": func(c *Reference) { c.Counts[0], c.N = c.Counts[0]+1, c.N+1 },
		"no counts":           func(c *Reference) { *c = Reference{} },
		"wrong sum":           func(c *Reference) { c.N++ },
		"nested":              func(c *Reference) { c.Contexts = map[string]Reference{"a": *c} },
	} {
		bad := rhythmReference(t, rand.New(rand.NewPCG(63, 1)), 1)
		c := bad.Contexts["3"]
		damage(&c)
		bad.Contexts["3"] = c
		if err := bad.Validate(); !errors.Is(err, ErrReference) {
			t.Errorf("%s: got %v, want ErrReference", name, err)
		}
	}
}

// TestContextTooFew: a few samples with their contexts do not keep a monitor from
// learning what is normal from its own.
func TestContextTooFew(t *testing.T) {
	ref, err := NewContextReference([]float64{0.9, 0.8, 0.9}, []string{"a", "b", "a"})
	if err != nil {
		t.Fatal(err)
	}
	m := mustNew(t, Options{Reference: ref})
	for i := range 2 * FullReference {
		m.UpdateIn(0.9, strconv.Itoa(i%2))
	}
	if e := m.Explain(); e.State != Stable || e.Learned != FullReference {
		t.Errorf("got %+v, want a stable monitor that has learned", e)
	}
}
