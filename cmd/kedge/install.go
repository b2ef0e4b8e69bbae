package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	goruntime "runtime"
	"syscall"

	"kedge/agent"
	"kedge/agent/buffer"
	"kedge/agent/update"
	"kedge/cmd/internal/cli"
	"kedge/telemetry/trust"
)

// largestStore is the highest limit that a store can be configured with.
const largestStore = 1 << 30

func installCommand() cli.Command {
	return cli.Command{
		Name: "install", Args: "MODEL.kedge", Summary: "install a model from a file, verified like one from the centre",
		Detail: `
The file's signature, digest and golden samples, and that the agent can serve it, are checked on
this board before anything is switched; whatever fails, the model in service stays. The agent must not be running: it takes
the new model when it starts. The model stays until a new assignment comes from the centre.

Exit codes: 10 the model cannot run here, 11 not signed or below the security floor, 12 the
golden self-test failed, 13 the agent is running.`,
		Setup: setupInstall,
	}
}

func setupInstall(flags *flag.FlagSet) cli.Run {
	state := flags.String("state", "", "state `DIR` of the agent")
	asJSON := flags.Bool("json", false, "print one JSON object")
	return func(ctx context.Context, env cli.Env, args []string) error {
		if *state == "" {
			return cli.WithHint(cli.Usagef("install: flag --state is missing"), "kedge install --help shows arguments and flags")
		}
		// What the disk does to the store must not stay unsaid because the agent is not there to say it.
		log := slog.New(slog.NewTextHandler(env.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
		i, err := install(ctx, args[0], *state, log)
		if err != nil {
			return err
		}
		text := fmt.Sprintf("%s version %d installed in slot %s\n", i.Release.Name, i.Release.Version, i.Slot)
		return printInstalled(env, *asJSON, i, text)
	}
}

// install does what the command says. It opens the store itself, so that two
// processes never write slots at once.
func install(ctx context.Context, path, state string, log *slog.Logger) (i *update.Installed, err error) {
	file, err := readPackage(path)
	if err != nil {
		return nil, err
	}
	if err := checkEnrolled(state); err != nil {
		return nil, err
	}
	// The limits of the agent's configuration are not known here; lower ones would evict records.
	store, err := buffer.Open(state, buffer.Options{MaxSize: largestStore, Log: log})
	if err != nil {
		return nil, stateError(state, err)
	}
	defer func() {
		if closed := store.Close(); err == nil && closed != nil {
			err = stateError(state, closed)
		}
	}()
	o := checkOptions()
	o.Dir, o.Store, o.Log = state, stateStore{store.State}, log
	u, err := update.Open(o)
	if err != nil {
		return nil, stateError(state, err)
	}
	i, err = u.Install(ctx, file)
	return i, packageError(path, err)
}

func verifyCommand() cli.Command {
	return cli.Command{
		Name: "verify", Args: "MODEL.kedge", Summary: "check a model file as install does, without installing it",
		Detail: `
Says whether the file is signed, whole and for this platform, and runs its golden samples. What
only the device knows, the lowest version that it may still run, is not checked. The exit codes
are those of install.`,
		Setup: setupVerify,
	}
}

func setupVerify(flags *flag.FlagSet) cli.Run {
	state := flags.String("state", "", "state `DIR` of an enrolled device")
	root := flags.String("root", "", "root document `FILE`, instead of --state")
	asJSON := flags.Bool("json", false, "print one JSON object")
	return func(ctx context.Context, env cli.Env, args []string) error {
		if (*state == "") == (*root == "") {
			return cli.WithHint(cli.Usagef("verify: want one of --state and --root"), "kedge verify --help shows arguments and flags")
		}
		if *root == "" {
			if err := checkEnrolled(*state); err != nil {
				return err
			}
			*root = filepath.Join(*state, fileRoot)
		}
		i, err := verify(ctx, args[0], *root)
		if err != nil {
			return err
		}
		text := fmt.Sprintf("%s: %s version %d, signed, %d golden samples exact\n",
			args[0], i.Release.Name, i.Release.Version, i.Bundle.Manifest.GoldenSamples)
		return printInstalled(env, *asJSON, i, text)
	}
}

func verify(ctx context.Context, path, rootPath string) (*update.Installed, error) {
	envelope, _, err := readRootFile(rootPath)
	if err != nil {
		return nil, err
	}
	root, err := trust.OpenRoot(envelope)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", rootPath, err)
	}
	file, err := readPackage(path)
	if err != nil {
		return nil, err
	}
	i, err := update.Verify(ctx, root, file, checkOptions())
	return i, packageError(path, err)
}

// checkOptions says what this device is, to judge what may run on it.
func checkOptions() update.Options {
	return update.Options{
		Platform: goruntime.GOOS + "/" + goruntime.GOARCH, AgentVersion: cli.BuildVersion(), Check: agent.CheckModel,
	}
}

// printInstalled prints the model that a command has taken or checked.
func printInstalled(env cli.Env, asJSON bool, i *update.Installed, text string) error {
	if asJSON {
		return cli.PrintJSON(env.Stdout, i.Ref())
	}
	_, err := fmt.Fprint(env.Stdout, text)
	return err
}

// readPackage reads a file that has at least the form of a .kedge file.
func readPackage(path string) ([]byte, error) {
	file, err := cli.ReadFileMax(path, cli.MaxPackage)
	if err != nil {
		return nil, err
	}
	if _, err := trust.OpenPackage(file); err != nil {
		return nil, cli.WithHint(fmt.Errorf("%s: %w", path, err), "give a .kedge file; if it is one, copy it again")
	}
	return file, nil
}

// checkEnrolled tells a state directory without a root document from one that
// cannot be read.
func checkEnrolled(dir string) error {
	_, err := os.Stat(filepath.Join(dir, fileRoot))
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return stateError(dir, update.ErrNotEnrolled)
	}
	return permissionHint(cli.FileError(dir, err))
}

// permissionHint says what to do about a file that this user may not use, and
// leaves other errors alone.
func permissionHint(err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return cli.WithHint(err, "run it as the user that the agent runs as, or give this user the right")
	case errors.Is(err, syscall.EROFS):
		return cli.WithHint(err, "mount the file system for writing, or name a directory elsewhere")
	}
	return err
}

// stateError says what is wrong with the state directory.
func stateError(dir string, err error) error {
	named := fmt.Errorf("%s: %w", dir, err)
	switch {
	case errors.Is(err, buffer.ErrLocked):
		return cli.WithHint(cli.WithCode(named, cli.ExitLocked), "the agent is running: stop it and try again, or assign the release from the centre")
	case errors.Is(err, update.ErrNotEnrolled):
		return cli.WithHint(named, "kedge enroll makes the device's key and takes the root document")
	case errors.Is(err, trust.ErrSignature), errors.Is(err, trust.ErrMalformed):
		return cli.WithHint(signatureCode(named), "enroll the device again with the root document of its centre")
	case errors.Is(err, buffer.ErrFull):
		return cli.WithHint(named, "free space on the disk of the state directory")
	}
	return permissionHint(named)
}

// signatureCode gives an error the exit code of a refused signature if that is the
// reason; a document that is none was not even signed.
func signatureCode(err error) error {
	if errors.Is(err, trust.ErrSignature) {
		return cli.WithCode(err, cli.ExitSignature)
	}
	return err
}

// packageError says why a .kedge file was not taken.
func packageError(path string, err error) error {
	if err == nil {
		return nil
	}
	named := fmt.Errorf("%s: %w", path, err)
	for _, c := range packageErrors {
		if errors.Is(err, c.err) {
			return cli.WithHint(cli.WithCode(named, c.code), c.hint)
		}
	}
	return permissionHint(named)
}

// packageErrors gives the reasons their exit codes; the first that fits counts.
var packageErrors = []struct {
	err  error
	code int
	hint string
}{
	{update.ErrStorage, cli.ExitFailure, "check the disk of the state directory and free space on it"},
	{update.ErrGolden, cli.ExitRolledBack, "this board computes something else than the lab: do not use the model here, tell its maker"},
	{update.ErrActivate, cli.ExitRolledBack, "tell the model's maker; the model in service stays"},
	{update.ErrFloor, cli.ExitSignature, "install a newer version: this one was withdrawn for safety"},
	{trust.ErrSignature, cli.ExitSignature, "get the file from the centre that this device was enrolled with"},
	{trust.ErrDigest, cli.ExitSignature, "the file was changed after signing: copy it again"},
	{trust.ErrPayloadType, cli.ExitSignature, "the file was changed after signing: copy it again"},
	{trust.ErrMalformed, cli.ExitFailure, "the file is damaged: copy it again"},
	{trust.ErrBundle, cli.ExitUnsupported, "the release contradicts itself: tell its maker"},
	{update.ErrUnsupported, cli.ExitUnsupported, "ask the model's maker for one that runs on this device"},
	{update.ErrMismatch, cli.ExitUnsupported, "the release contradicts itself: tell its maker"},
}

// stateStore is the updater's share of state.db.
type stateStore struct{ state *buffer.State }

// Get implements update.Store.
func (s stateStore) Get(key string) ([]byte, error) {
	value, err := s.state.Get(key)
	if errors.Is(err, buffer.ErrNotFound) {
		return nil, nil
	}
	return value, err
}

// Put implements update.Store.
func (s stateStore) Put(key string, value []byte) error { return s.state.Put(key, value) }
