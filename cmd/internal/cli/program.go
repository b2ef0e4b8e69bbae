package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

// Env is where a command reads and writes. Commands use it instead of the
// standard streams of package os, so that a test can stand in for a terminal.
type Env struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
}

// OSEnv is the process's own environment.
func OSEnv() Env { return Env{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr} }

// Program is one binary.
type Program struct {
	Name     string // as typed: "kedge"
	Summary  string // what it is for, one line
	Commands []Command
}

// Run executes a command after its flags have been parsed; args holds the
// positional arguments, whose number already agrees with Command.Args.
type Run func(ctx context.Context, env Env, args []string) error

// Command is one row of a program's table: either a leaf with Setup, or a group
// with Commands ("kedge config check"), not both.
type Command struct {
	Name    string
	Args    string // positional arguments: "MODEL", "FILE [OUT]", "FILE..."; empty for none
	Summary string // one line, lower case, no full stop
	Detail  string // optional paragraphs for --help

	// Setup declares the flags on fs and returns what to run. It is called once
	// for every invocation, so flag values are local to it.
	Setup func(fs *flag.FlagSet) Run

	Commands []Command
}

// Main runs the command that args (without the program's name) ask for, prints
// its error if there is one, and returns the exit code.
func (p Program) Main(ctx context.Context, env Env, args []string) int {
	root := Command{Summary: p.Summary, Commands: p.Commands}
	err := dispatch(ctx, env, p.Name, root, args)
	if err == nil {
		return ExitOK
	}
	Print(env.Stderr, p.Name, err)
	return Code(err)
}

// dispatch walks from cmd to the leaf that args name. path is what the user
// typed so far, for usage lines.
func dispatch(ctx context.Context, env Env, path string, cmd Command, args []string) error {
	if cmd.Setup != nil {
		return runLeaf(ctx, env, path, cmd, args)
	}
	if len(args) == 0 {
		return WithHint(WithCode(errors.New("no command given"), ExitUsage), path+" --help lists the commands")
	}
	name := args[0]
	if isHelp(name) || name == "help" {
		return help(env.Stdout, path, cmd, args[1:])
	}
	if name == "--version" || name == "-version" || name == "-v" {
		name = "version" // of programs that have it
	}
	if sub, ok := find(cmd.Commands, name); ok {
		return dispatch(ctx, env, path+" "+name, sub, args[1:])
	}
	return WithHint(WithCode(fmt.Errorf("%s: unknown command", name), ExitUsage), path+" --help lists the commands")
}

// help prints the usage of the command that names lead to from cmd.
func help(w io.Writer, path string, cmd Command, names []string) error {
	for _, name := range names {
		sub, ok := find(cmd.Commands, name)
		if !ok {
			return WithHint(WithCode(fmt.Errorf("%s: unknown command", name), ExitUsage), path+" --help lists the commands")
		}
		path, cmd = path+" "+name, sub
	}
	return writeUsage(w, path, cmd)
}

func runLeaf(ctx context.Context, env Env, path string, cmd Command, args []string) error {
	fs := flag.NewFlagSet(path, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Usage = func() {}
	run := cmd.Setup(fs)
	rest, err := parse(fs, args)
	if errors.Is(err, flag.ErrHelp) {
		return writeUsage(env.Stdout, path, cmd)
	}
	if err == nil {
		err = checkArgs(cmd.Args, rest)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", cmd.Name, err)
		return WithHint(WithCode(err, ExitUsage), path+" --help shows arguments and flags")
	}
	return run(ctx, env, rest)
}

func find(table []Command, name string) (Command, bool) {
	for _, c := range table {
		if c.Name == name {
			return c, true
		}
	}
	return Command{}, false
}

// checkArgs compares the positional arguments with their declaration.
func checkArgs(decl string, args []string) error {
	names := strings.Fields(decl)
	required, most := 0, len(names)
	for _, n := range names {
		if strings.HasSuffix(strings.TrimSuffix(n, "]"), "...") {
			most = len(args)
		}
		if !strings.HasPrefix(n, "[") {
			required++
		}
	}
	if len(args) < required {
		return fmt.Errorf("argument %s is missing", names[len(args)])
	}
	if len(args) > most {
		return fmt.Errorf("unexpected argument %q", args[most])
	}
	return nil
}
