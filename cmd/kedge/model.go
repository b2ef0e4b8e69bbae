package main

import (
	"errors"
	"flag"
	"fmt"
	"strconv"

	"kedge/cmd/internal/cli"
	"kedge/runtime"
)

// modelFlags are the flags of every command that loads a model by itself.
type modelFlags struct {
	maxArena *int
	maxWork  *int64
}

func addModelFlags(fs *flag.FlagSet) modelFlags {
	return modelFlags{
		fs.Int("max-arena", runtime.DefaultMaxArena, "limit for the memory of tensors, in `BYTES`"),
		fs.Int64("max-work", runtime.DefaultMaxWork, "limit for the `STEPS` of one inference"),
	}
}

func (f modelFlags) options() (runtime.Options, error) {
	if *f.maxArena <= 0 {
		return runtime.Options{}, cli.WithHint(cli.Usagef("flag --max-arena: %d: must be above 0", *f.maxArena),
			fmt.Sprintf("leave it out for %d bytes", runtime.DefaultMaxArena))
	}
	if *f.maxWork <= 0 {
		return runtime.Options{}, cli.WithHint(cli.Usagef("flag --max-work: %d: must be above 0", *f.maxWork),
			fmt.Sprintf("leave it out for %d steps", int64(runtime.DefaultMaxWork)))
	}
	return runtime.Options{MaxArena: *f.maxArena, MaxWork: *f.maxWork}, nil
}

// load reads and loads the model at path.
func (f modelFlags) load(path string) (*runtime.Model, error) { return f.loadFor(path, 1) }

// loadFor is load for that many threads.
func (f modelFlags) loadFor(path string, threads int) (*runtime.Model, error) {
	o, err := f.options()
	if err != nil {
		return nil, err
	}
	o.Threads = threads
	file, err := cli.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m, err := runtime.Load(file, o)
	return m, modelError(path, err)
}

// modelError puts the file's name before what runtime found in it, with a hint
// and an exit code by kind.
func modelError(path string, err error) error {
	if err == nil {
		return nil
	}
	named := fmt.Errorf("%s: %w", path, err)
	switch {
	case errors.Is(err, runtime.ErrNotTFLite):
		return cli.WithHint(named, "give a TensorFlow Lite model, a .tflite file")
	case errors.Is(err, runtime.ErrTruncated), errors.Is(err, runtime.ErrMalformed), errors.Is(err, runtime.ErrBudget):
		return cli.WithHint(named, "the file is damaged: copy it again and compare checksums")
	case errors.Is(err, runtime.ErrUnsupported), errors.Is(err, runtime.ErrVersion):
		return cli.WithHint(cli.WithCode(named, cli.ExitUnsupported), "kedge inspect "+strconv.Quote(path)+" lists what the model needs")
	case errors.Is(err, runtime.ErrArena):
		return cli.WithHint(named, "--max-arena raises the limit")
	case errors.Is(err, runtime.ErrWork):
		return cli.WithHint(named, "--max-work raises the limit")
	}
	return named
}
