package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"strings"

	"kedge/cmd/internal/cli"
	"kedge/trainer"
	"kedge/trainer/dataset"
	"kedge/trainer/store"
	"kedge/trainer/train"
)

func trainCommand() cli.Command {
	return cli.Command{
		Name: "train", Args: "CSV...", Summary: "train a first model on labeled tables and release it",
		Detail: "The tables are kept as the model's base set: later models are trained on them too. They need a\n" +
			"header line and the same columns, and may be compressed with gzip.",
		Setup: setupTrain,
	}
}

// training is what the flags of train say.
type training struct {
	folder
	csv          dataset.CSVOptions
	name, ignore string
	seed         uint64
	epochs       int
	command, out string
	asJSON       bool
}

func setupTrain(fs *flag.FlagSet) cli.Run {
	var r training
	r.flags(fs)
	fs.StringVar(&r.name, "name", "", "`NAME` of the model")
	fs.StringVar(&r.csv.Label, "label", "", "`COLUMN` with the class")
	fs.StringVar(&r.ignore, "ignore", "", "`COLUMN,COLUMN` that are no features")
	fs.StringVar(&r.csv.Transform, "transform", "none", "`TRANSFORM` of all features before standardization: none or signed-log1p")
	fs.Uint64Var(&r.seed, "seed", 1, "decides all that is random in training")
	fs.IntVar(&r.epochs, "epochs", 0, "`N` times through the data (default: the recipe's)")
	fs.StringVar(&r.command, "command", "", "training `PROGRAM` and its arguments, split at spaces, instead of the built-in trainer")
	fs.StringVar(&r.out, "package", "", "also write the release as a .kedge `FILE`")
	fs.BoolVar(&r.asJSON, "json", false, "print one JSON object")
	return func(ctx context.Context, env cli.Env, args []string) error {
		o, err := r.trainerOptions()
		if err != nil {
			return err
		}
		table, err := readTables(args, r.csv)
		if err != nil {
			return err
		}
		return r.run(ctx, env, o, table)
	}
}

func (r *training) trainerOptions() (trainer.Options, error) {
	o, err := r.options()
	if err != nil {
		return o, err
	}
	if r.name == "" || r.csv.Label == "" {
		return o, missing(map[bool]string{true: "name", false: "label"}[r.name == ""])
	}
	if r.ignore != "" {
		r.csv.Ignore = strings.Split(r.ignore, ",")
	}
	if err := checkNames(map[string]string{"name": r.name}); err != nil {
		return o, err
	}
	if err := inRange("epochs", r.epochs, 0, maxEpochs); err != nil {
		return o, err
	}
	if err := checkFolder("package", r.out); err != nil {
		return o, err
	}
	command, err := resolveCommand("command", r.command)
	if err != nil {
		return o, err
	}
	o.Seed, o.Command = r.seed, train.Command{Args: command}
	if r.epochs != 0 {
		recipe := train.Defaults()
		recipe.Epochs = r.epochs
		o.Fresh = &recipe
	}
	return o, nil
}

// maxEpochs is far beyond what any data set needs.
const maxEpochs = 1_000_000

func (r *training) run(ctx context.Context, env cli.Env, o trainer.Options, table *dataset.Table) error {
	w, err := r.open(ctx, env, o)
	if err != nil {
		return err
	}
	defer w.Close()
	report, err := w.ImportBase(ctx, r.name, table)
	if err != nil {
		return err
	}
	outcome, err := w.TrainFirst(ctx, r.name)
	if err != nil {
		return err
	}
	fmt.Fprintf(env.Stderr, "base set: %v\n", report)
	if err := writePackage(ctx, w, outcome.Release, r.out); err != nil {
		return err
	}
	return printRelease(env, outcome.Release, r.asJSON)
}

func readTables(paths []string, o dataset.CSVOptions) (*dataset.Table, error) {
	var all *dataset.Table
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, errors.Unwrap(err))
		}
		one, err := dataset.ReadCSV(f, o)
		f.Close()
		if err == nil && all != nil {
			err = all.Append(one)
		}
		if err != nil {
			return nil, cli.WithHint(fmt.Errorf("%s: %w", path, err), "kedge-trainer train --help explains the flags that describe a table")
		}
		if all == nil {
			all = one
		}
	}
	return all, nil
}

// released is what train and release print.
type released struct {
	Release  string   `json:"release"`
	Name     string   `json:"name"`
	Version  uint64   `json:"version"`
	Model    string   `json:"model"`
	Accuracy *float64 `json:"accuracy,omitempty"` // on rows that the measured model had not seen
}

func printRelease(env cli.Env, r store.Release, asJSON bool) error {
	out := released{Release: r.Digest, Name: r.Name, Version: r.Version, Model: r.Model}
	if !math.IsNaN(r.Accuracy) {
		out.Accuracy = &r.Accuracy
	}
	if asJSON {
		return cli.PrintJSON(env.Stdout, out)
	}
	fmt.Fprintf(env.Stdout, "%s version %d\nrelease: %s\nmodel: %s\n", out.Name, out.Version, out.Release, out.Model)
	if out.Accuracy != nil {
		fmt.Fprintf(env.Stdout, "accuracy: %.4f\n", *out.Accuracy)
	}
	return nil
}

// writePackage writes a release as a .kedge file, if a path is given.
func writePackage(ctx context.Context, w *trainer.Workbench, r store.Release, path string) error {
	if path == "" {
		return nil
	}
	data, err := w.Registry().Package(ctx, r.Digest)
	if err != nil {
		return err
	}
	return writeBytes(path, data)
}
