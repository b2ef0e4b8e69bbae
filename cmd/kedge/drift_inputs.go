package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"kedge/agent/drift"
	"kedge/agent/drift/inputs"
	"kedge/agent/drift/replay"
	"kedge/cmd/internal/cli"
)

// checkInputs refuses flags of signals beside --inputs, and the other way round.
func (c *driftReplay) checkInputs() error {
	o := &c.options
	switch {
	case o.ReferenceRows < 0:
		return cli.WithHint(cli.Usagef("drift replay: flag --reference-rows: got %d, want a number of rows", o.ReferenceRows), "such as 4000")
	case !c.inputs && c.exclude != "":
		return cli.WithHint(cli.Usagef("drift replay: --exclude belongs to --inputs"), "--column says which column is the signal")
	case !c.inputs:
		return nil
	case o.ReferenceRows == 0:
		return cli.WithHint(cli.Usagef("drift replay: --inputs needs --reference-rows"), "how many rows from the first on are known to be good, such as 4000")
	case o.Sides != drift.FallingSide || o.Detector != "" || len(o.Params) > 0 || o.Complement || o.Column != "" || c.reference != "" || c.trace != "" || c.plot != "":
		return cli.WithHint(cli.Usagef("drift replay: --inputs goes with --reference-rows, --context, --exclude, --arl and --false-alarms alone"), "the other flags are for one signal")
	}
	return nil
}

// runInputs replays with --inputs.
func (c *driftReplay) runInputs(ctx context.Context, env cli.Env, file io.Reader, path string) error {
	o := replay.InputsOptions{ARL: c.options.ARL, ReferenceRows: int(min(c.options.ReferenceRows, 1<<30)), Context: c.options.Context}
	if c.exclude != "" {
		o.Exclude = strings.Split(c.exclude, ",")
	}
	result, err := replay.Inputs(file, o)
	switch {
	case ctx.Err() != nil && err != nil:
		return errors.New("drift replay: interrupted")
	case errors.Is(err, inputs.ErrParameter):
		return cli.WithHint(cli.Usagef("drift replay: %w", err), "a number of rows, such as 10000")
	case errors.Is(err, inputs.ErrReference):
		return cli.WithHint(cli.FileError(path, err), fmt.Sprintf("--reference-rows takes at least %d rows that FILE has, better %d or more", inputs.MinReference, inputs.FullReference))
	case err != nil:
		return c.explain(path, err)
	}
	if result.Unwatched > 0 {
		fmt.Fprintf(env.Stderr, "%s: %d rows were not watched: the reference has fewer than %d rows of their context\n", path, result.Unwatched, inputs.MinReference)
	}
	if len(result.Blind) > 0 {
		fmt.Fprintf(env.Stderr, "%s: the reference is too short to tell whether the distribution changes, since neighboring rows resemble each other, of %s\n", path, strings.Join(result.Blind, ", "))
	}
	if o.ReferenceRows < inputs.FullReference {
		fmt.Fprintf(env.Stderr, "%s: the reference is weak: %d rows, better %d; thresholds are wider for it\n", path, o.ReferenceRows, inputs.FullReference)
	}
	return json.NewEncoder(env.Stdout).Encode(result)
}
