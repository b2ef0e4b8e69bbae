package main

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"strings"

	"kedge/agent/pipeline"
	"kedge/agent/source"
	"kedge/cmd/internal/cli"
	"kedge/runtime"
)

// soundRate is the sampling rate that front ends are made for.
const soundRate = 16000

// sound is infer over a sound file: a second model in front makes features of it.
type sound struct {
	wav, frontEnd, labels string
	step, every           int
	json                  bool
}

func (c *sound) flags(fs *flag.FlagSet) {
	fs.StringVar(&c.wav, "wav", "", "`FILE` with sound to run the model over, instead of --input")
	fs.StringVar(&c.frontEnd, "features", "", "`FRONTEND`, the model that makes features of sound, a .tflite file")
	fs.StringVar(&c.labels, "labels", "", "`FILE` with a name for each of the model's outputs, one in a line")
	fs.IntVar(&c.step, "step", 320, "`SAMPLES` from one frame of sound to the next")
	fs.IntVar(&c.every, "every", 0, "`ROWS` of features from one answer to the next; 0 for all that the model takes in")
	fs.BoolVar(&c.json, "json", false, "print one JSON object for the sound")
}

// check refuses flags that do not belong together.
func (c *infer) check() error {
	switch s := &c.sound; {
	case s.wav == "" && s.frontEnd == "" && s.labels == "":
		return nil
	case s.wav == "" || s.frontEnd == "":
		return cli.WithHint(cli.Usagef("infer: --wav and --features belong together"), "kedge infer MODEL --features FRONTEND.tflite --wav sound.wav")
	case c.input != "" || c.output != "" || c.layers != "" || c.reset:
		return cli.WithHint(cli.Usagef("infer: --wav prints its answers; --input, --output, --layers and --reset-state do not go with it"), "leave them out")
	case s.step < 1 || s.step > 1<<24 || s.every < 0 || s.every > 1<<24:
		return cli.WithHint(cli.Usagef("infer: --step %d --every %d: out of range", s.step, s.every), "--step is at least 1, --every at least 0")
	}
	return nil
}

// heard is one answer.
type heard struct {
	Second float64   `json:"second"` // end of the sound that it was given to
	Class  int       `json:"class"`  // the highest score, the first of equal ones
	Label  string    `json:"label"`
	Scores []float64 `json:"scores"` // in the model's order
}

func (c *infer) runSound(ctx context.Context, env cli.Env, path string) error {
	model, err := c.session(path)
	if err != nil {
		return err
	}
	frontEnd, err := c.session(c.sound.frontEnd)
	if err != nil {
		return err
	}
	f, err := pipeline.NewFrontEnd(pipeline.FrontEndOptions{FrontEnd: frontEnd, Model: model, Step: c.sound.step, Every: c.sound.every})
	if err != nil {
		return cli.WithHint(fmt.Errorf("%s and %s: %w", c.sound.frontEnd, path, err), "kedge inspect shows the inputs and outputs of both")
	}
	labels, err := c.sound.readLabels(model)
	if err != nil {
		return err
	}
	file, err := os.Open(c.sound.wav)
	if err != nil {
		return cli.FileError(c.sound.wav, err)
	}
	defer file.Close()
	// A pipe may give nothing for ever; closing it ends the wait.
	defer context.AfterFunc(ctx, func() { file.Close() })()
	answers, err := c.sound.listen(ctx, env, f, model, labels, file)
	switch {
	case ctx.Err() != nil && err != nil:
		return errors.New("infer: interrupted")
	case err != nil || !c.sound.json:
		return err
	}
	return cli.PrintJSON(env.Stdout, map[string]any{"answers": answers})
}

func (c *infer) session(path string) (*runtime.Session, error) {
	m, err := c.model.load(path)
	if err != nil {
		return nil, err
	}
	s, err := m.NewSession(runtime.SessionOptions{})
	return s, modelError(path, err)
}

// readLabels reads the names, or numbers the classes.
func (s *sound) readLabels(model runtime.Invoker) ([]string, error) {
	n := len(scores(model))
	if n == 0 {
		return nil, cli.WithHint(errors.New("the model's first output is neither int8, uint8 with a scale, nor float32"), "it is to hold one score for each class")
	}
	var labels []string
	if s.labels == "" {
		for i := range n {
			labels = append(labels, fmt.Sprint("class ", i))
		}
		return labels, nil
	}
	text, err := cli.ReadFileMax(s.labels, cli.MaxDocument)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		labels = append(labels, strings.TrimSpace(line))
	}
	if len(labels) != n {
		return nil, cli.WithHint(fmt.Errorf("%s: %d lines for %d outputs of the model", s.labels, len(labels), n), "one name in a line, in the model's order")
	}
	return labels, nil
}

// listen goes through the sound, and prints answers unless they are wanted as JSON.
func (s *sound) listen(ctx context.Context, env cli.Env, f *pipeline.FrontEnd, model runtime.Invoker, labels []string, r io.Reader) ([]heard, error) {
	wav, err := source.OpenWAV(r)
	if err != nil {
		return nil, s.soundError(err)
	}
	if wav.Rate != soundRate {
		return nil, s.soundError(fmt.Errorf("%w: found %d Hz, want %d", source.ErrSound, wav.Rate, soundRate))
	}
	answers := []heard{}
	samples := make([]int16, 1024)
	for ctx.Err() == nil {
		n, err := wav.Read(samples)
		for rest := samples[:n]; len(rest) > 0; {
			taken, ready, err := f.Add(rest)
			if err == nil && ready {
				err = model.Invoke()
			}
			if err != nil {
				return nil, fmt.Errorf("infer: %w", err)
			}
			rest = rest[taken:]
			if !ready {
				continue
			}
			a := answer(f, model, labels)
			if answers = append(answers, a); !s.json {
				if _, err := fmt.Fprintf(env.Stdout, "%9.3f s  %6.4f  %s\n", a.Second, a.Scores[a.Class], a.Label); err != nil {
					return nil, err
				}
			}
		}
		switch {
		case errors.Is(err, io.EOF) && len(answers) == 0:
			return nil, cli.WithHint(fmt.Errorf("%s: too short: %.3f s, the model takes %.3f s", s.wav, seconds(f.Heard()), seconds(f.Heard()+f.Missing())), "record more")
		case errors.Is(err, io.EOF):
			return answers, nil
		case err != nil:
			return nil, s.soundError(err)
		}
	}
	return nil, ctx.Err()
}

func seconds(samples int64) float64 { return float64(samples) / soundRate }

// answer is what the model just said.
func answer(f *pipeline.FrontEnd, model runtime.Invoker, labels []string) heard {
	h := heard{Second: seconds(f.Heard()), Scores: scores(model)}
	for i, v := range h.Scores {
		if cmp.Compare(v, h.Scores[h.Class]) > 0 {
			h.Class = i
		}
	}
	h.Label = labels[h.Class]
	return h
}

// scores are the values of the model's first output; none where it has another
// type than people read.
func scores(model runtime.Invoker) []float64 {
	if len(model.Outputs()) == 0 {
		return nil
	}
	t, raw := model.Outputs()[0], model.Output(0)
	if t.Type == runtime.Float32 {
		v := make([]float64, len(raw)/4)
		for i := range v {
			v[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:])))
		}
		return v
	}
	if len(t.Scales) != 1 || t.Type != runtime.Int8 && t.Type != runtime.Uint8 {
		return nil
	}
	zero := int32(0)
	if len(t.ZeroPoints) > 0 {
		zero = t.ZeroPoints[0]
	}
	v := make([]float64, len(raw))
	for i, q := range raw {
		n := int32(q)
		if t.Type == runtime.Int8 {
			n = int32(int8(q))
		}
		v[i] = float64(t.Scales[0]) * float64(n-zero)
	}
	return v
}

// soundError names the file, and what to do where it is no sound of the kind.
func (s *sound) soundError(err error) error {
	if errors.Is(err, source.ErrSound) {
		return cli.WithHint(fmt.Errorf("%s: %w", s.wav, err), fmt.Sprintf("record or convert it with %d Hz, one channel and 16 bits, as a .wav file", soundRate))
	}
	return cli.FileError(s.wav, err)
}
