package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"kedge/cmd/internal/cli"
	"kedge/runtime/runtimetest"
	"kedge/runtime/tflite"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"kedge": func() { os.Exit(program().Main(context.Background(), cli.OSEnv(), os.Args[1:])) },
	})
}

// TestScripts runs what a person types, and compares what a person reads.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"model":  writeModel,
			"exits":  exits,
			"path":   onlyPath,
			"text":   writeText,
			"made":   writeMade,
			"lock":   lockState,
			"sound":  writeSound,
			"signal": writeSignal,
		},
	})
}

// writeModel is the script command "model KIND FILE".
func writeModel(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: model successor|smallnet|stateful|pruned|unsupported|frontend|listener FILE")
	}
	var b *runtimetest.Builder
	switch args[0] {
	case "successor":
		b = runtimetest.Successor()
	case "pruned":
		b = runtimetest.Pruned()
	case "smallnet":
		b = runtimetest.SmallNet()
	case "stateful":
		b = runtimetest.Stateful()
	case "frontend":
		b = runtimetest.FrontEnd()
	case "listener":
		b = runtimetest.Listener()
	case "unsupported":
		b = runtimetest.SmallNet()
		b.Ops[2].Code = 16 // LSTM
		b.Ops[4].Code, b.Ops[4].Custom = tflite.Custom, "Magic"
	default:
		ts.Fatalf("model %s: unknown", args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), b.Bytes(), 0o644))
}

// writeText is the script command "text FILE STRING", which writes no newline:
// txtar's files always end in one.
func writeText(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: text FILE STRING")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(args[1]), 0o644))
}

// writeSound is the script command "sound FILE RATE SAMPLES", which writes silence
// and, in its second half, a loud tone.
func writeSound(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: sound FILE RATE SAMPLES")
	}
	rate, err := strconv.Atoi(args[1])
	ts.Check(err)
	n, err := strconv.Atoi(args[2])
	ts.Check(err)
	samples := make([]int, n)
	for i := n / 2; i < n; i++ {
		samples[i] = 20000 - 40000*(i/2%2)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), runtimetest.Sound(rate, samples...), 0o644))
}

// writeSignal is the script command "signal FILE N VALUE...", which writes a CSV with
// a column x: N rows about each value.
func writeSignal(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: signal FILE N VALUE...")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	text := []byte("x\n")
	for _, arg := range args[2:] {
		v, err := strconv.ParseFloat(arg, 64)
		ts.Check(err)
		for i := range n {
			text = append(strconv.AppendFloat(text, v+float64(i%8-4)/256, 'g', -1, 64), '\n')
		}
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), text, 0o644))
}

// onlyPath is the script command "path FOLDER": programs are looked for in it,
// where all files become programs, besides kedge those that its scripts need, and
// nothing else.
func onlyPath(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: path FOLDER")
	}
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o755))
	for _, name := range []string{"cat", "sleep"} {
		program, err := exec.LookPath(name)
		ts.Check(err)
		ts.Check(os.Symlink(program, filepath.Join(dir, name)))
	}
	files, err := os.ReadDir(dir)
	ts.Check(err)
	for _, f := range files {
		if f.Type().IsRegular() {
			ts.Check(os.Chmod(filepath.Join(dir, f.Name()), 0o755))
		}
	}
	for _, p := range filepath.SplitList(ts.Getenv("PATH")) {
		if _, err := os.Stat(filepath.Join(p, "kedge")); err == nil {
			ts.Setenv("PATH", dir+string(filepath.ListSeparator)+p)
			return
		}
	}
	ts.Fatalf("no kedge in PATH")
}

// exits is the script command "exits CODE PROGRAM ARG...", which checks the
// exit code; stdout and stderr look at its output.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARG...")
	}
	got := 0
	err := ts.Exec(args[1], args[2:]...)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if want := args[0]; strconv.Itoa(got) != want {
		ts.Fatalf("got exit code %d, want %s", got, want)
	}
}
