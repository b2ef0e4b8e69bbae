package trainer

import (
	"strings"
	"time"

	"kedge/trainer/store"
)

// Pauses between attempts to answer the same reports. They double from the first.
const (
	firstRetry = time.Minute
	lastRetry  = time.Hour
)

// attempts is what is remembered of reports that could not be answered yet, for
// a reason that is no verdict on the new model: a training program that fails, a
// full disk, labels that cannot be used. It is not kept in the store, so that a
// process that starts tries at once: people start it again after a repair.
type attempts struct {
	failed int
	next   time.Time
	state  string          // of the labels at the last attempt
	told   map[string]bool // causes, and other things, that people have heard of
}

// waits reports whether the next attempt for d is still to come. Labels that came
// or were corrected since the last one may be what was missing.
func (r *retrainer) waits(d due, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := r.tries[d.key()]
	return a != nil && a.failed > 0 && a.state == d.state && now.Before(a.next)
}

// failed notes an attempt that came to nothing and returns when the next is due.
func (r *retrainer) failed(d due, now time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := r.attempts(d.key())
	pause := min(firstRetry<<min(a.failed, 10), lastRetry)
	a.failed++
	a.next, a.state = now.Add(pause), d.state
	return pause
}

// news reports whether people have not heard it yet about these reports. Of what
// a program printed before it failed nobody compares more than the first line:
// the rest has times and numbers in it.
func (r *retrainer) news(d due, text string) bool {
	line, _, _ := strings.Cut(text, "\n")
	r.mu.Lock()
	defer r.mu.Unlock()
	a := r.attempts(d.key())
	known := a.told[line]
	a.told[line] = true
	return !known
}

// attempts returns what is remembered under the key. The caller holds r.mu.
func (r *retrainer) attempts(k reportKey) *attempts {
	if r.tries[k] == nil {
		r.tries[k] = &attempts{told: make(map[string]bool)}
	}
	return r.tries[k]
}

// answered drops what is remembered of reports that have got their verdict.
func (r *retrainer) answered(d due) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.tries, d.key())
}

// forget drops what concerns reports that wait no more.
func (r *retrainer) forget(waiting [][]store.DriftReport) {
	present := make(map[reportKey]bool)
	for _, group := range waiting {
		present[keyOf(group[0])] = true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for k := range r.tries {
		if !present[k] {
			delete(r.tries, k)
		}
	}
}
