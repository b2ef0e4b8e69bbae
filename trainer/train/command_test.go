//go:build unix

package train

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"kedge/quant/data"
)

// shell makes a Command of a script; $MODEL is a good float model of 4
// features and 3 classes, $INT8 its quantized form.
func shell(t *testing.T, script string) Command {
	t.Helper()
	d := randomDense(t, 4, 5, 3)
	float, err := d.Float("")
	if err != nil {
		t.Fatal(err)
	}
	int8file, err := d.Int8(context.Background(), blobs(20, 4, 3, 1, 1).X, "")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	env := []string{}
	for name, content := range map[string][]byte{"MODEL": float, "INT8": int8file} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		env = append(env, name+"="+path)
	}
	return Command{Args: []string{"/bin/sh", "-c", script}, Env: env, Grace: 2 * time.Second}
}

func job() Job {
	return Job{
		Train: blobs(12, 4, 3, 0.5, 1), Validation: blobs(6, 4, 3, 0.5, 2),
		Params: Params{Features: 4, Classes: 3, Seed: 7},
	}
}

func TestCommandContract(t *testing.T) {
	c := shell(t, `
		test "$PWD" = "$KEDGE_JOB_DIR" && test -s train.npz && test -s val.npz || exit 1
		grep -q '"classes": 3' params.json && test "$(cat base.tflite)" = base || exit 2
		test -z "$SECRET" || exit 3
		echo out; echo err >&2
		cp "$MODEL" model.tflite; echo '{"accuracy": 0.5, "note": "x"}' > metrics.json`)
	t.Setenv("SECRET", "of the trainer")
	var printed bytes.Buffer
	c.Output = &printed
	j := job()
	j.Base = []byte("base")
	j.Train.Weight = make([]float32, 12)
	j.Train.Weight[3] = 2
	dir := t.TempDir()
	out, err := c.Run(context.Background(), dir, j)
	if err != nil {
		t.Fatal(err)
	}
	if want := map[string]float64{"accuracy": 0.5}; !reflect.DeepEqual(out.Metrics, want) {
		t.Errorf("metrics got %v, want %v", out.Metrics, want)
	}
	if got, err := FromGraph(out.Graph); err != nil || !reflect.DeepEqual(got, randomDense(t, 4, 5, 3)) {
		t.Errorf("network got %v, %v, want the one that the command wrote", got, err)
	}
	if s := printed.String(); !strings.Contains(s, "out\n") || !strings.Contains(s, "err\n") {
		t.Errorf("output got %q, want both streams", s)
	}
	arrays, err := data.ReadNPZ(filepath.Join(dir, TrainFile), 1<<20, "x", "y", "w")
	if err != nil {
		t.Fatal(err)
	}
	x, _ := arrays[0].Float32s()
	y, _ := arrays[1].Ints()
	w, _ := arrays[2].Float32s()
	if !reflect.DeepEqual(Samples{X: x, Features: arrays[0].Shape[1], Y: y, Weight: w}, j.Train) {
		t.Error("train.npz holds other samples than the job")
	}
}

func TestCommandFailures(t *testing.T) {
	const metrics = `echo '{}' > metrics.json;`
	for _, c := range []struct {
		name, script string
		want         error
		says         string
	}{
		{"exit code", "echo first >&2; echo the reason >&2; exit 3", ErrCommand, "the reason"},
		{"no model", metrics, ErrOutput, "no model.tflite"},
		{"onnx", metrics + "echo x > model.onnx", ErrOutput, "not yet supported, write model.tflite"},
		{"broken model", metrics + "echo nonsense > model.tflite", ErrOutput, "model.tflite"},
		{"directory", metrics + "mkdir model.tflite", ErrOutput, "no regular file"},
		{"int8 model", metrics + `cp "$INT8" model.tflite`, ErrOutput, "float32"},
		{"no metrics", `cp "$MODEL" model.tflite; echo why >&2`, ErrOutput, "why"},
		{"broken metrics", `cp "$MODEL" model.tflite; echo '{"loss": NaN}' > metrics.json`, ErrOutput, "metrics.json"},
		{"metrics of another form", `cp "$MODEL" model.tflite; echo '[1]' > metrics.json`, ErrOutput, "metrics.json"},
	} {
		_, err := shell(t, c.script).Run(context.Background(), t.TempDir(), job())
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want %v with %q", c.name, err, c.want, c.says)
		}
	}
	for name, args := range map[string][]string{"none": nil, "absent": {"/nonexistent/train"}} {
		if _, err := (Command{Args: args}).Run(context.Background(), t.TempDir(), job()); !errors.Is(err, ErrCommand) {
			t.Errorf("%s: got %v, want %v", name, err, ErrCommand)
		}
	}
	j := job()
	j.Params.Classes = 4
	if _, err := shell(t, metrics+`cp "$MODEL" model.tflite`).Run(context.Background(), t.TempDir(), j); !errors.Is(err, ErrOutput) {
		t.Errorf("model of 3 classes for 4: got %v, want %v", err, ErrOutput)
	}
	j.Params.Features = 5
	if _, err := shell(t, "").Run(context.Background(), t.TempDir(), j); !errors.Is(err, ErrSamples) {
		t.Errorf("samples of 4 features for 5: got %v, want %v", err, ErrSamples)
	}
}

// TestCommandStopsItsWholeGroup starts a background process too, which would
// write a file after the command was stopped.
func TestCommandStopsItsWholeGroup(t *testing.T) {
	const script = `(sleep 0.5; echo late > late) & touch started; wait`
	t.Run("timeout", func(t *testing.T) {
		t.Parallel()
		c := shell(t, script)
		c.Timeout = 100 * time.Millisecond
		dir := t.TempDir()
		_, err := c.Run(context.Background(), dir, job())
		if !errors.Is(err, ErrTimeout) {
			t.Errorf("got %v, want %v", err, ErrTimeout)
		}
		assertNeverLate(t, dir)
	})
	t.Run("canceled", func(t *testing.T) {
		t.Parallel()
		c := shell(t, script)
		dir := t.TempDir()
		ctx, cancel := context.WithCancel(context.Background())
		go func() {
			for range 200 {
				if _, err := os.Stat(filepath.Join(dir, "started")); err == nil {
					break
				}
				time.Sleep(5 * time.Millisecond)
			}
			cancel()
		}()
		_, err := c.Run(ctx, dir, job())
		if !errors.Is(err, context.Canceled) || errors.Is(err, ErrTimeout) {
			t.Errorf("got %v, want %v", err, context.Canceled)
		}
		assertNeverLate(t, dir)
	})
	t.Run("ended with a leftover", func(t *testing.T) {
		t.Parallel()
		c := shell(t, `(sleep 0.5; echo late > late) & cp "$MODEL" model.tflite; echo '{}' > metrics.json`)
		c.Grace = 50 * time.Millisecond
		dir := t.TempDir()
		if _, err := c.Run(context.Background(), dir, job()); err != nil {
			t.Error(err)
		}
		assertNeverLate(t, dir)
	})
}

// assertNeverLate waits, in real time because another process is watched,
// until the background process would have written.
func assertNeverLate(t *testing.T, dir string) {
	t.Helper()
	time.Sleep(800 * time.Millisecond)
	if _, err := os.Stat(filepath.Join(dir, "late")); err == nil {
		t.Error("a background process went on after the command was stopped")
	}
}

func TestTail(t *testing.T) {
	var all bytes.Buffer
	w := &tail{next: &all}
	for i := range 3000 {
		if _, err := w.Write([]byte{'a' + byte(i%26), '\x1b', '\n'}); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Count(w.lines(), "\n") + 1; got != tailLines {
		t.Errorf("lines got %d, want %d", got, tailLines)
	}
	if strings.Contains(w.lines(), "\x1b") {
		t.Error("control characters were kept")
	}
	if all.Len() != 9000 {
		t.Errorf("passed on %d bytes, want all 9000", all.Len())
	}
}

// An error is told once for each cause, so it holds no name that differs each time.
func TestCommandFolderErrors(t *testing.T) {
	c := Command{Args: []string{"/bin/true"}}
	_, err := c.Run(context.Background(), filepath.Join(t.TempDir(), "none"), job())
	if err == nil || err.Error() != "job folder: train.npz: no such file or directory" {
		t.Errorf("got %v, want the file's name without its folder", err)
	}
}
