package cli

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// greeter is a program with a leaf, a group and every kind of argument.
func greeter() Program {
	greet := Command{
		Name: "greet", Args: "NAME [TITLE]", Summary: "say hello",
		Setup: func(fs *flag.FlagSet) Run {
			loud := fs.Bool("loud", false, "in capitals")
			n := fs.Int("n", 1, "repeat `COUNT` times")
			return func(_ context.Context, env Env, args []string) error {
				s := fmt.Sprintf("hello %s %d\n", strings.Join(args, " "), *n)
				if *loud {
					s = strings.ToUpper(s)
				}
				_, err := io.WriteString(env.Stdout, s)
				return err
			}
		},
	}
	fail := Command{
		Name: "fail", Summary: "always fails", Args: "[FILE...]",
		Setup: func(*flag.FlagSet) Run {
			return func(context.Context, Env, []string) error {
				err := WithHint(WithCode(errors.New("store: locked"), ExitLocked), "stop the other process")
				return fmt.Errorf("state.db: %w", err)
			}
		},
	}
	return Program{Name: "greeter", Summary: "greets people", Commands: []Command{
		greet,
		{Name: "deep", Summary: "a group", Commands: []Command{fail}},
	}}
}

func TestProgramMain(t *testing.T) {
	for _, c := range []struct {
		name, args     string
		code           int
		stdout, stderr string
	}{
		{"flags first", "greet --n 2 --loud bob", 0, "HELLO BOB 2\n", ""},
		{"flags last", "greet bob -n=3", 0, "hello bob 3\n", ""},
		{"flags between", "greet bob --n 3 dr", 0, "hello bob dr 3\n", ""},
		{"terminator", "greet -- --loud", 0, "hello --loud 1\n", ""},
		{"terminator as value", "greet --n -- bob", 2, "", "greeter: greet: flag --n: \"--\": parse error\nhint: greeter greet --help shows arguments and flags\n"},
		{"dash is an argument", "greet -", 0, "hello - 1\n", ""},
		{"bool with value", "greet --loud=false bob", 0, "hello bob 1\n", ""},
		{"missing argument", "greet", 2, "", "greeter: greet: argument NAME is missing\nhint: greeter greet --help shows arguments and flags\n"},
		{"too many arguments", "greet a b c", 2, "", "greeter: greet: unexpected argument \"c\"\nhint: greeter greet --help shows arguments and flags\n"},
		{"missing value", "greet bob --n", 2, "", "greeter: greet: flag --n needs a value\nhint: greeter greet --help shows arguments and flags\n"},
		{"unknown flag", "greet bob --x", 2, "", "greeter: greet: unknown flag --x\nhint: greeter greet --help shows arguments and flags\n"},
		{"unknown command", "gret", 2, "", "greeter: gret: unknown command\nhint: greeter --help lists the commands\n"},
		{"no command", "", 2, "", "greeter: no command given\nhint: greeter --help lists the commands\n"},
		{"group", "deep fail a b c", 13, "", "greeter: state.db: store: locked\nhint: stop the other process\n"},
		{"unknown in group", "deep x", 2, "", "greeter: x: unknown command\nhint: greeter deep --help lists the commands\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			code := greeter().Main(context.Background(), Env{Stdout: &out, Stderr: &errs}, strings.Fields(c.args))
			if code != c.code || out.String() != c.stdout || errs.String() != c.stderr {
				t.Errorf("got %d, %q, %q, want %d, %q, %q", code, out.String(), errs.String(), c.code, c.stdout, c.stderr)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"--help", "commands:\n  greet  say hello\n  deep   a group\n"},
		{"help", "usage: greeter COMMAND [flags]\n"},
		{"deep --help", "commands:\n  fail  always fails\n"},
		{"help deep fail", "usage: greeter deep fail [FILE...]\n"},
		{"greet --help", "usage: greeter greet NAME [TITLE] [flags]\n\nflags:\n  --loud     in capitals\n  --n COUNT  repeat COUNT times (default 1)\n"},
		{"greet bob -h", "usage: greeter greet NAME [TITLE] [flags]\n"},
	} {
		var out, errs bytes.Buffer
		code := greeter().Main(context.Background(), Env{Stdout: &out, Stderr: &errs}, strings.Fields(c.args))
		if code != 0 || !strings.Contains(out.String(), c.want) || errs.Len() > 0 {
			t.Errorf("%s: got %d, %q, stderr %q, want it to contain %q", c.args, code, out.String(), errs.String(), c.want)
		}
	}
}

func TestErrors(t *testing.T) {
	base := errors.New("base")
	inner := WithHint(WithCode(base, ExitUnsupported), "inner")
	outer := WithHint(fmt.Errorf("outer: %w", inner), "outer")
	if got := Code(outer); got != ExitUnsupported {
		t.Errorf("code: got %d, want %d", got, ExitUnsupported)
	}
	if got := Hint(outer); got != "outer" {
		t.Errorf("hint: got %q, want the outermost", got)
	}
	if !errors.Is(outer, base) || outer.Error() != "outer: base" {
		t.Errorf("got %q, want the chain and text unchanged", outer)
	}
	if Code(nil) != ExitOK || Code(base) != ExitFailure || Code(Usagef("x")) != ExitUsage {
		t.Error("codes of nil, plain and usage errors are wrong")
	}
	if WithHint(nil, "x") != nil || WithCode(nil, 3) != nil {
		t.Error("nil must stay nil")
	}
}

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out")
	write := func(s string, err error) func(io.Writer) error {
		return func(w io.Writer) error {
			io.WriteString(w, s)
			return err
		}
	}
	if err := WriteFile(path, write("one", nil)); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("source broke")
	if err := WriteFile(path, write("tw", broken)); err != broken {
		t.Errorf("got %v, want the source's own error", err)
	}
	if got, err := ReadFile(path); err != nil || string(got) != "one" {
		t.Errorf("after a failed write: got %q, %v, want the old content", got, err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("got %d files, want 1: a temporary file stayed", len(entries))
	}
	if err := WriteFile(os.DevNull, write("x", nil)); err != nil {
		t.Error(err)
	}
	if st, err := os.Stat(os.DevNull); err != nil || st.Mode().IsRegular() {
		t.Fatalf("%s was replaced by a regular file", os.DevNull)
	}
	missing := filepath.Join(dir, "no", "out")
	want := missing + ": no such file or directory"
	if err := WriteFile(missing, write("x", nil)); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if _, err := ReadFile(missing); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
