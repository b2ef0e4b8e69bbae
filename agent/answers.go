package agent

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"syscall"

	"kedge/agent/drift"
)

// An answer is one line of the output.
type answer struct {
	ID         string      `json:"id"`
	Ref        string      `json:"ref,omitempty"`
	Label      string      `json:"label"`
	Confidence float64     `json:"confidence"`
	Model      answerModel `json:"model"`
	Drift      watchState  `json:"drift"`
	Alarm      bool        `json:"alarm"`
}

// A watchState is the name of a drift.State, or inMaintenance.
type watchState string

const inMaintenance watchState = "maintenance"

func (s watchState) String() string { return string(s) }

// stateName names a state of the watch.
func stateName(s drift.State, muted bool) watchState {
	if muted {
		return inMaintenance
	}
	return watchState(s.String())
}

type answerModel struct {
	Name    string `json:"name"`
	Version uint64 `json:"version"`
}

// A refusal is the line for a row that was no sample: who waits for one line per
// row gets one.
type refusal struct {
	Error string `json:"error"`
}

// answers writes lines. Where another process may wait for them each is flushed
// at once, otherwise flush does it now and then.
type answers struct {
	mu     sync.Mutex
	w      *bufio.Writer
	file   io.Closer // nil if it is not ours
	name   string
	prompt bool
	broken bool // an error other than a full disk was returned: it is said once
	torn   bool // the disk was full, and may have taken a part of a line
}

// openAnswers opens the output; the zero answers discards.
func openAnswers(c Config, stdout io.Writer) (*answers, error) {
	prompt := c.Source.Kind == SourceStdin
	switch c.Output.Answers {
	case "":
		return &answers{}, nil
	case "-":
		return &answers{w: bufio.NewWriter(stdout), name: "standard output", prompt: prompt}, nil
	}
	f, err := os.OpenFile(c.Output.Answers, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fileError("output.answers", c.Output.Answers, err)
	}
	a := &answers{w: bufio.NewWriter(f), file: f, name: f.Name(), prompt: prompt}
	if tornLine(c.Output.Answers) {
		a.w.WriteByte('\n') // into the buffer, with the first answer to the file
	}
	return a, nil
}

// tornLine reports whether a file ends within a line, as a run leaves it that was
// killed or found the disk full.
func tornLine(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		return false
	}
	var last [1]byte
	_, err = f.ReadAt(last[:], info.Size()-1)
	return err == nil && last[0] != '\n'
}

// write appends a line. A full disk is reported as such, and what could not be
// written is gone; any other error means that nobody reads the answers.
func (a *answers) write(line any) error {
	if a.w == nil {
		return nil
	}
	text, err := json.Marshal(line)
	if err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.torn && tornLine(a.name) {
		text = append([]byte{'\n'}, text...)
	}
	a.torn = false
	_, err = a.w.Write(append(text, '\n'))
	if err == nil && a.prompt {
		err = a.w.Flush()
	}
	return a.failed(err)
}

// flush writes what is held back.
func (a *answers) flush() error {
	if a.w == nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.failed(a.w.Flush())
}

var errAnswersFull = errors.New("no room for answers")

// failed sorts errors, and makes the writer usable again: bufio keeps an error
// for ever.
func (a *answers) failed(err error) error {
	if err == nil {
		return nil
	}
	if f, ours := a.file.(*os.File); ours && (errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)) {
		a.w.Reset(f)
		a.torn = true
		return fmt.Errorf("%s: %w: %w", a.name, errAnswersFull, err)
	}
	a.broken = true
	if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
		err = pe.Err
	}
	return fmt.Errorf("%s: %w", a.name, err)
}

func (a *answers) close() error {
	var err error
	if !a.broken {
		err = a.flush()
	}
	if errors.Is(err, errAnswersFull) {
		err = nil // said before
	}
	if a.file != nil {
		err = errors.Join(err, a.file.Close())
	}
	return err
}
