package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// progress shows how far a long step is, on a terminal only.
type progress struct {
	w     io.Writer // nil where nobody looks
	last  time.Time
	shown bool
}

func newProgress(w io.Writer) *progress {
	f, ok := w.(*os.File)
	if !ok {
		return &progress{}
	}
	if info, err := f.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return &progress{}
	}
	return &progress{w: w}
}

// step returns the function that a step called what is to report to.
func (p *progress) step(what string) func(done, total int) {
	if p.w == nil {
		return nil
	}
	return func(done, total int) {
		if now := time.Now(); done == total || now.Sub(p.last) > 100*time.Millisecond {
			p.last, p.shown = now, true
			const width = 30
			bar := strings.Repeat("#", width*done/total)
			fmt.Fprintf(p.w, "\r%-26s [%-*s] %3d %%", what, width, bar, done*100/total)
		}
	}
}

// end clears the line.
func (p *progress) end() {
	if p.shown {
		fmt.Fprintf(p.w, "\r%70s\r", "")
		p.shown = false
	}
}
