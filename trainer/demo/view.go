package demo

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// A view prints what happens while it happens: a line that is rewritten in
// place on a terminal, whole lines elsewhere, events above either.
type view struct {
	w        io.Writer
	terminal bool
	started  time.Time
	total    int
	done     int
	version  uint64
	stage    string
	recent   []bool // right answers, the latest recentAnswers
	conf     float64
	drawn    time.Time
	course   []float64 // accuracy of every finished step, for the spark line
	step     tally
}

const (
	recentAnswers = 100
	courseWidth   = 40
)

func newView(w io.Writer, terminal bool, total int) *view {
	return &view{w: w, terminal: terminal, started: time.Now(), total: total}
}

// answered records one answer and redraws now and then.
func (v *view) answered(stage string, a answer, truth string) {
	v.done++
	v.stage, v.version = stage, a.Model.Version
	v.recent = append(v.recent, a.Label == truth)
	if len(v.recent) > recentAnswers {
		v.recent = v.recent[1:]
	}
	v.conf += (a.Confidence - v.conf) * .02
	if v.done == 1 {
		v.conf = a.Confidence
	}
	v.step.add(a, truth)
	if v.step.n >= max(v.total/courseWidth, 1) {
		v.course = append(v.course, v.step.accuracy())
		v.step = tally{}
		v.draw(!v.terminal)
	} else if v.terminal && time.Since(v.drawn) > 100*time.Millisecond {
		v.draw(false)
	}
}

// event prints a line that stays.
func (v *view) event(format string, args ...any) {
	v.clear()
	fmt.Fprintf(v.w, "%6.1fs  %s\n", time.Since(v.started).Seconds(), fmt.Sprintf(format, args...))
}

func (v *view) draw(line bool) {
	right := 0
	for _, r := range v.recent {
		if r {
			right++
		}
	}
	v.clear()
	fmt.Fprintf(v.w, "%5d/%d  model %d  accuracy %.2f  confidence %.2f  %-*s  %s",
		v.done, v.total, v.version, ratio(float64(right), len(v.recent)), v.conf, courseWidth, spark(v.course), v.stage)
	if line {
		fmt.Fprintln(v.w)
	}
	v.drawn = time.Now()
}

// clear empties the terminal's line.
func (v *view) clear() {
	if v.terminal {
		io.WriteString(v.w, "\r\x1b[K")
	}
}

// spark draws accuracies from 0.3 to 1 as bars.
func spark(course []float64) string {
	bars := []rune("▁▂▃▄▅▆▇█")
	var b strings.Builder
	for _, a := range course {
		i := int((a - .3) / .7 * float64(len(bars)))
		b.WriteRune(bars[min(max(i, 0), len(bars)-1)])
	}
	return b.String()
}
