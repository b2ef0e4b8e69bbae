package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"kedge/runtime/runtimetest"
)

var shellBlock = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$")

// commands returns what a document tells its reader to type.
func commands(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, m := range shellBlock.FindAllSubmatch(text, -1) {
		b.Write(m[1])
	}
	return b.String()
}

// shell runs a script with both programs in PATH; what it left running is ended.
func shell(t *testing.T, dir, script string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-eu")
	cmd.Dir = dir
	cmd.Stdin = strings.NewReader(script)
	cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	err = cmd.Start()
	if err == nil {
		err = cmd.Wait()
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) // the group that it began, or nobody any more
	}
	said, _ := os.ReadFile(out.Name())
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, script, said)
	}
	return string(said)
}

// Every command of docs/start.md works, in order, as it stands there.
func TestStartDocument(t *testing.T) {
	dir := t.TempDir()
	w := newWorld(4)
	w.writeCSV(t, filepath.Join(dir, "pump.csv"), 400)
	table, err := os.ReadFile(filepath.Join(dir, "pump.csv"))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(table), ",class\n", ",condition\n", 1)
	if err := os.WriteFile(filepath.Join(dir, "pump.csv"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	stream := "a,b,c,d\n"
	for range 50 {
		x, _ := w.sample(0)
		stream += fmt.Sprintf("%g,%g,%g,%g\n", x[0], x[1], x[2], x[3])
	}
	if err := os.WriteFile(filepath.Join(dir, "stream.csv"), []byte(stream), 0o600); err != nil {
		t.Fatal(err)
	}
	said := shell(t, dir, commands(t, "../../docs/start.md"))
	answers, err := os.ReadFile(filepath.Join(dir, "answers.jsonl"))
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	lines := strings.Split(strings.TrimSpace(string(answers)), "\n")
	var last answer
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil || len(lines) != 50 || last.Model.Version != 1 {
		t.Errorf("answers: got %d, the last %+v (%v), want 50 by version 1", len(lines), last, err)
	}
}

// The commands of docs/sound.md answer.
func TestSoundDocument(t *testing.T) {
	dir := t.TempDir()
	samples := make([]int, 16000)
	for i := range samples {
		samples[i] = 20000 - 40000*(i/2%2)
	}
	for name, content := range map[string][]byte{
		"front_end.tflite": runtimetest.FrontEnd().Bytes(), "keywords.tflite": runtimetest.Listener().Bytes(),
		"sound.wav": runtimetest.Sound(16000, samples...), "labels.txt": []byte("silence\nsound\n"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	said := shell(t, dir, commands(t, "../../docs/sound.md"))
	if !strings.Contains(said, "SignalRfft") || !strings.HasSuffix(said, " s  0.9961  sound\n") {
		t.Errorf("got %s, want a description and answers", said)
	}
}

// recorded is a signal as a model's confidence is, on the steps of an int8 output, that
// loses three points of its mean at the given row.
func recorded(rows, change int, seed uint64) string {
	rng := rand.New(rand.NewPCG(seed, 0))
	text := []byte("time,confidence\n")
	for i := range rows {
		exponent := 1.0 / 19 // mean 0.95
		if i >= change {
			exponent = 2.0 / 23 // 0.92
		}
		x := math.Floor(256*math.Pow(rng.Float64(), exponent)) / 256
		text = fmt.Appendf(text, "2026-11-23T%02d:%02d:%02d,%v\n", i/3600, i/60%60, i%60, x)
	}
	return string(text)
}

// The commands of docs/drift.md work, and draw the pictures that it shows:
// KEDGE_UPDATE=1 writes these anew.
func TestDriftDocument(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"confidence.csv": recorded(4000, 3000, 1), "good.csv": recorded(2000, 2000, 2)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	said := shell(t, dir, commands(t, "../../docs/drift.md"))
	var results []struct {
		Detections []int
		Detector   string
	}
	for d := json.NewDecoder(strings.NewReader(said)); d.More(); {
		results = append(results, struct {
			Detections []int
			Detector   string
		}{})
		if err := d.Decode(&results[len(results)-1]); err != nil {
			t.Fatalf("%v\n%s", err, said)
		}
	}
	if len(results) != 4 || len(results[0].Detections) == 0 || results[0].Detections[0] < 3000 || len(results[1].Detections) != 0 {
		t.Errorf("got %+v, want an alarm of the pair from row 3000 on, and none of river's", results)
	}
	for _, name := range []string{"pair.svg", "river.svg"} {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		picture := filepath.Join("../../docs/drift", name)
		if os.Getenv("KEDGE_UPDATE") == "1" {
			if err := os.WriteFile(picture, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if want, err := os.ReadFile(picture); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: not what the commands draw (%v); run with KEDGE_UPDATE=1", picture, err)
		}
	}
}

// The commands of README that look at a model work; make's targets exist (they
// are what runs this test and the demo).
func TestReadmeCommands(t *testing.T) {
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	var script strings.Builder
	for line := range strings.Lines(commands(t, "../../README.md")) {
		if target, ok := strings.CutPrefix(strings.TrimSpace(line), "make "); !ok {
			script.WriteString(line)
		} else if !strings.Contains(string(makefile), "\n"+target+":") {
			t.Errorf("README: make has no target %q", target)
		}
	}
	dir := t.TempDir()
	w := newWorld(5)
	w.writeCSV(t, filepath.Join(dir, "base.csv"), 200)
	run(t, "kedge-trainer", "keys", "init", filepath.Join(dir, "keys"))
	run(t, "kedge-trainer", "train", filepath.Join(dir, "base.csv"), "--dir", dir, "--name", "clouds", "--label", "class",
		"--package", filepath.Join(dir, "clouds.kedge"))
	unpack(t, filepath.Join(dir, "clouds.kedge"), filepath.Join(dir, "model.tflite"))
	if err := os.WriteFile(filepath.Join(dir, "in.bin"), make([]byte, 3*4), 0o600); err != nil {
		t.Fatal(err)
	}
	shell(t, dir, script.String())
	out, err := os.ReadFile(filepath.Join(dir, "out.bin"))
	if err != nil || len(out) != 3*len(classes) {
		t.Errorf("out.bin: got %d bytes (%v), want %d", len(out), err, 3*len(classes))
	}
}
