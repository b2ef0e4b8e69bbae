package train

import (
	"bytes"
	"io"
	"strings"
	"sync"
)

// tail keeps the end of what is written to it and passes everything on. Its
// two writers (standard error, and passing for standard output) may be used
// concurrently.
type tail struct {
	mu   sync.Mutex
	next io.Writer // nil discards
	end  []byte
}

const (
	tailBytes = 4096
	tailLines = 12
)

// Write never fails: a log that cannot be written must not stop a training.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forward(p)
	t.end = append(t.end, p[max(0, len(p)-tailBytes):]...)
	if n := len(t.end) - tailBytes; n > 0 {
		t.end = append(t.end[:0], t.end[n:]...)
	}
	return len(p), nil
}

func (t *tail) forward(p []byte) {
	if t.next != nil {
		_, _ = t.next.Write(p)
	}
}

// passing is a writer that passes on without keeping.
func (t *tail) passing() io.Writer { return passer{t} }

type passer struct{ t *tail }

func (p passer) Write(b []byte) (int, error) {
	p.t.mu.Lock()
	defer p.t.mu.Unlock()
	p.t.forward(b)
	return len(b), nil
}

// lines returns the last lines, cleaned of bytes that no terminal or log wants.
func (t *tail) lines() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && r < ' ' || r == 0x7f || r == '\uFFFD' {
			return -1
		}
		return r
	}, string(bytes.TrimSpace(t.end)))
	lines := strings.Split(text, "\n")
	return strings.Join(lines[max(0, len(lines)-tailLines):], "\n")
}
