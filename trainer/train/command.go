package train

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"
)

// What can go wrong with a training command.
var (
	// ErrCommand: it could not be started or exited with an error.
	ErrCommand = errors.New("train: training command failed")
	// ErrTimeout: it ran longer than it may.
	ErrTimeout = errors.New("train: training command took too long")
	// ErrOutput: it left no usable model.tflite or metrics.json.
	ErrOutput = errors.New("train: training command left bad output")
)

// Command is the user's own training program, in whatever language.
type Command struct {
	// Args are the program and its arguments; no shell is involved.
	Args []string
	// Timeout bounds the run; 0 means one hour.
	Timeout time.Duration
	// Env adds variables ("NAME=value") to the little that the command
	// inherits: PATH, HOME, and a UTF-8 locale. Credentials of the trainer are
	// not passed on.
	Env []string
	// Grace is how long the command has between being asked to stop and being
	// killed; 0 means 5 s.
	Grace time.Duration
	// Output, when given, receives what the command prints, as it comes.
	Output io.Writer
}

// Run carries out job in dir, an existing empty directory of its own, and
// waits for the command. When ctx ends or the time is up, the command and all
// it started are stopped.
//
// Errors match ErrSamples, ErrCommand, ErrTimeout or ErrOutput (with the
// command's last lines on standard error), or are the context's or the file
// system's.
func (c Command) Run(ctx context.Context, dir string, job Job) (Output, error) {
	if len(c.Args) == 0 {
		return Output{}, fmt.Errorf("%w: no command given", ErrCommand)
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return Output{}, err
	}
	if err := prepare(dir, job); err != nil {
		return Output{}, err
	}
	said, err := c.execute(ctx, dir)
	if err != nil {
		return Output{}, err
	}
	out, err := collect(dir, job.Params)
	if err != nil {
		return Output{}, withLines(err, said)
	}
	return out, nil
}

// execute runs the command and returns the last lines it wrote to standard
// error.
func (c Command) execute(ctx context.Context, dir string) (lines string, err error) {
	timeout, grace := c.Timeout, c.Grace
	if timeout == 0 {
		timeout = time.Hour
	}
	if grace == 0 {
		grace = 5 * time.Second
	}
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	said := &tail{next: c.Output}
	cmd := exec.CommandContext(limited, c.Args[0], c.Args[1:]...)
	cmd.Dir = dir
	cmd.Env = append(environment(), JobDirVariable+"="+dir)
	cmd.Env = append(cmd.Env, c.Env...)
	cmd.Stderr = said
	cmd.Stdout = said.passing()
	ownGroup(cmd, grace)
	// The thread that starts the command has to live as long as it: with a thread
	// the kernel takes its parent for gone (see endWithParent).
	runtime.LockOSThread()
	err = cmd.Run()
	runtime.UnlockOSThread()
	killGroup(cmd) // whatever it left running in the background
	if errors.Is(err, exec.ErrWaitDelay) {
		err = nil // it ended well; only such a leftover still held its output open
	}
	lines = said.lines()
	switch {
	case err == nil:
		return lines, nil
	case ctx.Err() != nil:
		return lines, fmt.Errorf("training command %s stopped: %w", c.Args[0], ctx.Err())
	case limited.Err() != nil:
		return lines, withLines(fmt.Errorf("%w: %s was stopped after %v", ErrTimeout, c.Args[0], timeout), lines)
	}
	return lines, withLines(fmt.Errorf("%w: %s: %w", ErrCommand, c.Args[0], err), lines)
}

// environment is the little that a command inherits.
func environment() []string {
	env := []string{"LANG=C.UTF-8"}
	for _, name := range []string{"PATH", "HOME", "TMPDIR"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}

func withLines(err error, lines string) error {
	if lines == "" {
		return err
	}
	return fmt.Errorf("%w; its last lines:\n%s", err, lines)
}
