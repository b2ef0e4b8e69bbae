package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"kedge/cmd/internal/cli"
	"kedge/runtime"
)

func inferCommand() cli.Command {
	return cli.Command{
		Name: "infer", Args: "MODEL", Summary: "run a model over recorded samples or sound",
		Detail: `
Input and output are raw little-endian tensors: for every sample all inputs (outputs) of the
model one behind the other, samples concatenated.
--layers runs every tensor in memory of its own and writes the hash of each, to find the first
operator in which two machines differ.
--wav runs a model that hears: FRONTEND turns frames of the sound (16 kHz, one channel, 16 bits)
into rows of features, MODEL takes in the latest rows, and the answers are printed.`,
		Setup: setupInfer,
	}
}

// infer is one run of the command.
type infer struct {
	model         modelFlags
	input, output string
	layers        string
	reset         bool
	sound         sound
}

func setupInfer(fs *flag.FlagSet) cli.Run {
	c := &infer{model: addModelFlags(fs)}
	fs.StringVar(&c.input, "input", "", "`FILE` with the samples")
	fs.StringVar(&c.output, "output", "", "`FILE` to write the results to")
	fs.StringVar(&c.layers, "layers", "", "`FILE` to write the hash of every tensor to, as JSON")
	fs.BoolVar(&c.reset, "reset-state", false, "reset the model's variables before every sample")
	c.sound.flags(fs)
	return func(ctx context.Context, env cli.Env, args []string) error {
		if err := c.check(); err != nil {
			return err
		}
		if c.sound.wav != "" {
			return c.runSound(ctx, env, args[0])
		}
		return c.run(ctx, args[0])
	}
}

func (c *infer) run(ctx context.Context, path string) error {
	if c.input == "" || c.output == "" {
		return cli.WithHint(cli.Usagef("infer: --input and --output are needed"), "kedge infer MODEL --input in.bin --output out.bin")
	}
	if err := c.checkPaths(path); err != nil {
		return err
	}
	m, err := c.model.load(path)
	if err != nil {
		return err
	}
	session, err := m.NewSession(runtime.SessionOptions{Separate: c.layers != ""})
	if err != nil {
		return modelError(path, err)
	}
	in, err := os.Open(c.input)
	if err != nil {
		return cli.FileError(c.input, err)
	}
	defer in.Close()
	// A pipe may give nothing for ever; closing it ends the wait.
	defer context.AfterFunc(ctx, func() { in.Close() })()
	var log *layerLog
	if c.layers != "" {
		log = newLayerLog(session)
	}
	err = cli.WriteFile(c.output, func(out io.Writer) error {
		if err := c.samples(ctx, session, in, out, log); err != nil || log == nil {
			return err
		}
		// Within, so that without the hashes the output is not published either.
		return cli.WriteFile(c.layers, func(w io.Writer) error { return cli.PrintJSON(w, log) })
	})
	if ctx.Err() != nil && err != nil {
		return errors.New("infer: interrupted")
	}
	return err
}

// checkPaths refuses a command line that would overwrite what it reads, or one
// result with the other.
func (c *infer) checkPaths(model string) error {
	for _, p := range []struct{ flag, path, otherFlag, other string }{
		{"output", c.output, "MODEL", model}, {"output", c.output, "--input", c.input}, {"layers", c.layers, "--output", c.output},
		{"layers", c.layers, "MODEL", model}, {"layers", c.layers, "--input", c.input},
	} {
		if p.path != "" && sameFile(p.path, p.other) {
			return cli.WithHint(cli.Usagef("infer: flag --%s: %s is the same file as %s", p.flag, p.path, p.otherFlag), "give it a file of its own")
		}
	}
	return nil
}

// sameFile reports whether two paths name one file, through links and spellings
// too. Terminals and /dev/null may be named twice.
func sameFile(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	if errA == nil && errB == nil {
		return infoA.Mode().IsRegular() && os.SameFile(infoA, infoB)
	}
	absA, errA := filepath.Abs(a)
	absB, errB := filepath.Abs(b)
	return errA == nil && errB == nil && absA == absB
}

// samples runs every sample of in.
func (c *infer) samples(ctx context.Context, s runtime.Invoker, in io.Reader, out io.Writer, log *layerLog) error {
	r, w := bufio.NewReaderSize(in, 1<<16), bufio.NewWriterSize(out, 1<<16)
	for n := 0; ; n++ {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("infer: %w", err)
		}
		switch err := c.fill(s, r); {
		case errors.Is(err, io.EOF) && n > 0:
			return w.Flush()
		case err != nil:
			return c.inputError(s, n, err)
		}
		if c.reset {
			s.Reset()
		}
		if err := s.Invoke(); err != nil {
			return fmt.Errorf("sample %d: %w", n, err)
		}
		for i := range s.Outputs() {
			if _, err := w.Write(s.Output(i)); err != nil {
				return err
			}
		}
		log.add(n)
	}
}

// fill reads one sample into the inputs; io.EOF when none is left.
func (c *infer) fill(s runtime.Invoker, r io.Reader) error {
	for i := range s.Inputs() {
		_, err := io.ReadFull(r, s.Input(i))
		if i > 0 && errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
	}
	if len(s.Inputs()) == 0 {
		return errors.New("the model has no inputs")
	}
	return nil
}

// inputError explains why sample n could not be read.
func (c *infer) inputError(s runtime.Invoker, n int, err error) error {
	sample := 0
	for _, t := range s.Inputs() {
		sample += t.Bytes
	}
	hint := fmt.Sprintf("a sample of this model takes %d bytes; kedge inspect shows its inputs", sample)
	switch {
	case errors.Is(err, io.EOF):
		return cli.WithHint(fmt.Errorf("%s: no samples: the file is empty", c.input), hint)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return cli.WithHint(fmt.Errorf("%s: not a whole number of samples: the file ends within sample %d", c.input, n), hint)
	}
	return cli.FileError(c.input, err)
}
