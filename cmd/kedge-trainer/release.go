package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"kedge/cmd/internal/cli"
	"kedge/runtime"
	"kedge/telemetry/trust"
	"kedge/trainer/release"
	"kedge/trainer/store"
)

func releaseCommand() cli.Command {
	return cli.Command{
		Name: "release", Summary: "sign a model that was made elsewhere",
		Detail: "FEATURES is a JSON array of name, transform, mean and scale for each input. LABELS has one class a\n" +
			"line. CONFIDENCES has one number from 0 to 1 a line: the model's highest class probability on samples\n" +
			"that it was not trained on, in the order in which they were taken. With --context the value of that\n" +
			"context follows behind a comma: 0.98,17 for an hour. GOLDEN holds input samples, raw\n" +
			"little-endian tensors one after another; every device proves on them that it computes the model right.",
		Setup: setupRelease,
	}
}

func setupRelease(fs *flag.FlagSet) cli.Run {
	var f folder
	f.flags(fs)
	c := release.Candidate{Accuracy: math.NaN()}
	fs.StringVar(&c.Name, "name", "", "`NAME` of the model")
	fs.StringVar(&c.MinAgent, "min-agent", "", "oldest `VERSION` of kedge that can run it")
	key := fs.String("context", "", "`KEY` of what the confidence depends on while all is well: hour, source or feature:NAME")
	edges := fs.String("context-edges", "", "rising `EDGES` of the bins of feature:NAME, 10,20 say")
	paths := map[string]*string{
		"model":       fs.String("model", "", "int8 .tflite `FILE`"),
		"features":    fs.String("features", "", "`FEATURES` file"),
		"labels":      fs.String("labels", "", "`LABELS` file"),
		"confidences": fs.String("confidences", "", "`CONFIDENCES` file"),
		"golden":      fs.String("golden", "", "`GOLDEN` file"),
	}
	out := fs.String("package", "", "also write the release as a .kedge `FILE`")
	asJSON := fs.Bool("json", false, "print one JSON object")
	return func(ctx context.Context, env cli.Env, _ []string) error {
		o, err := f.options()
		if err != nil {
			return err
		}
		if c.Name == "" {
			return missing("name")
		}
		if err := checkFolder("package", *out); err != nil {
			return err
		}
		if c.Context, err = parseContext(*key, *edges); err != nil {
			return err
		}
		if err := readCandidate(&c, paths); err != nil {
			return err
		}
		w, err := f.open(ctx, env, o)
		if err != nil {
			return err
		}
		defer w.Close()
		made, err := w.Registry().Release(ctx, c)
		if err != nil {
			return explain(candidateError(err, paths), &f)
		}
		if err := writePackage(ctx, w, made, *out); err != nil {
			return err
		}
		return printRelease(env, made, *asJSON)
	}
}

// candidateError names the file whose content cannot be released.
func candidateError(err error, paths map[string]*string) error {
	e, ok := errors.AsType[*release.CandidateError](err)
	if !ok {
		return err
	}
	part := e.Part
	if part == release.PartReference {
		part = "confidences"
	}
	if part == release.PartName {
		return usage("give --name such a name", "flag --name: %w", e.Err)
	}
	path := *paths[part]
	named := fmt.Errorf("%s: %w", path, e.Err)
	switch {
	case part != release.PartModel:
		return cli.WithHint(named, "kedge-trainer release --help says what the file has to hold")
	case errors.Is(err, runtime.ErrNotTFLite):
		return cli.WithHint(named, "give a TensorFlow Lite model, a .tflite file")
	case errors.Is(err, runtime.ErrUnsupported), errors.Is(err, runtime.ErrVersion):
		return cli.WithHint(cli.WithCode(named, cli.ExitUnsupported), "kedge inspect "+strconv.Quote(path)+" lists what the model needs")
	}
	return cli.WithHint(named, "convert the model again: the file is damaged or contradicts itself")
}

// readCandidate reads the files that the flags name.
func readCandidate(c *release.Candidate, paths map[string]*string) error {
	files := make(map[string][]byte)
	for _, name := range []string{"model", "features", "labels", "confidences", "golden"} {
		if *paths[name] == "" {
			return missing(name)
		}
		data, err := cli.ReadFile(*paths[name])
		if err != nil {
			return err
		}
		files[name] = data
	}
	c.Model, c.Features, c.Golden = files["model"], files["features"], files["golden"]
	for _, line := range lines(files["labels"]) {
		c.Labels = append(c.Labels, line.text)
	}
	var confidences []float64
	var contexts []string
	for _, line := range lines(files["confidences"]) {
		text := line.text
		if c.Context != nil {
			var value string
			var ok bool
			if text, value, ok = strings.Cut(line.text, ","); !ok {
				return fmt.Errorf("%s: line %d: %.40q has no context behind a comma", *paths["confidences"], line.number, line.text)
			}
			contexts = append(contexts, strings.TrimSpace(value))
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil || !(v >= 0 && v <= 1) {
			return fmt.Errorf("%s: line %d: %.40q is no number from 0 to 1", *paths["confidences"], line.number, line.text)
		}
		confidences = append(confidences, v)
	}
	var err error
	if c.Context == nil {
		c.Reference, err = release.NewReference(confidences)
	} else {
		c.Reference, err = release.NewContextReference(confidences, contexts)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", *paths["confidences"], err)
	}
	return nil
}

// parseContext reads the flags of a context; nil for none.
func parseContext(key, edges string) (*trust.Context, error) {
	feature := strings.HasPrefix(key, "feature:") && key != "feature:"
	switch {
	case key == "" && edges == "":
		return nil, nil
	case key != "hour" && key != "source" && !feature:
		return nil, usage("docs/protocol.md describes contexts", "--context %q, want hour, source or feature:NAME", key)
	case feature != (edges != ""):
		return nil, usage("give both or neither", "--context-edges belong to --context feature:NAME")
	}
	c := &trust.Context{Key: key}
	for text := range strings.SplitSeq(edges, ",") {
		if edges == "" {
			break
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil || len(c.Edges) > 0 && !(v > c.Edges[len(c.Edges)-1]) {
			return nil, usage("write them as 10,20,30", "--context-edges: %.40q is no number above the one before", text)
		}
		c.Edges = append(c.Edges, v)
	}
	return c, nil
}

type line struct {
	number int
	text   string
}

// lines returns the lines that are not blank.
func lines(data []byte) []line {
	var all []line
	s := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; s.Scan(); n++ {
		if text := strings.TrimSpace(s.Text()); text != "" {
			all = append(all, line{n, text})
		}
	}
	return all
}

func bundleCommand() cli.Command {
	return cli.Command{
		Name: "bundle", Args: "FILE", Summary: "write a release as a .kedge file, for kedge install",
		Setup: func(fs *flag.FlagSet) cli.Run {
			var f folder
			var q findRelease
			f.flags(fs)
			q.flags(fs)
			return func(ctx context.Context, env cli.Env, args []string) error {
				o, err := f.options()
				if err != nil {
					return err
				}
				w, err := f.open(ctx, env, o)
				if err != nil {
					return err
				}
				defer w.Close()
				found, err := q.find(ctx, w)
				if err != nil {
					return err
				}
				if err := writePackage(ctx, w, found, args[0]); err != nil {
					return err
				}
				_, err = fmt.Fprintf(env.Stdout, "%s version %d: %s\n", found.Name, found.Version, args[0])
				return err
			}
		},
	}
}

func assignCommand() cli.Command {
	return cli.Command{
		Name: "assign", Summary: "say which release a device or a group is to run",
		Detail: "A kedge-trainer serve that runs on the same --dir publishes the assignment within a second or so.",
		Setup:  setupAssign,
	}
}

func setupAssign(fs *flag.FlagSet) cli.Run {
	var f folder
	var q findRelease
	f.flags(fs)
	q.flags(fs)
	site := fs.String("site", "", "`SITE` of the device or group")
	device := fs.String("device", "", "`NAME` of the device")
	group := fs.String("group", "", "`NAME` of the group, instead of --device")
	days := fs.Int("days", int(release.DefaultValidity/(24*time.Hour)), "how many `DAYS` a device may take to begin")
	return func(ctx context.Context, env cli.Env, _ []string) error {
		o, err := f.options()
		if err != nil {
			return err
		}
		target := store.Target{Site: *site, Kind: store.TargetDevice, Name: *device}
		if *group != "" {
			target.Kind, target.Name = store.TargetGroup, *group
		}
		switch {
		case *site == "":
			return missing("site")
		case (*device == "") == (*group == ""):
			return cli.Usagef("want one of --device and --group")
		}
		if err := checkNames(map[string]string{"site": target.Site, string(target.Kind): target.Name}); err != nil {
			return err
		}
		if err := inRange("days", *days, 1, 3650); err != nil {
			return err
		}
		w, err := f.open(ctx, env, o)
		if err != nil {
			return err
		}
		defer w.Close()
		found, err := q.find(ctx, w)
		if err != nil {
			return err
		}
		a, err := w.Registry().Assign(ctx, target, found.Digest, time.Duration(*days)*24*time.Hour)
		if err != nil {
			return explain(err, &f)
		}
		_, err = fmt.Fprintf(env.Stdout, "%s version %d to %s %s of site %s, sequence %d\n",
			found.Name, found.Version, target.Kind, target.Name, target.Site, a.Sequence)
		return err
	}
}
