package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"kedge/cmd/internal/cli"
	"kedge/telemetry/trust"
	"kedge/trainer"
	"kedge/trainer/release"
	"kedge/trainer/store"
)

// folder is where the centre keeps its state.
type folder struct{ dir, keys string }

// flags declares --dir and --keys.
func (f *folder) flags(fs *flag.FlagSet) {
	fs.StringVar(&f.dir, "dir", "", "folder `DIR` of the centre's state, made if absent")
	fs.StringVar(&f.keys, "keys", "", "folder `DIR` of its keys (default: keys in --dir)")
}

func (f *folder) options() (trainer.Options, error) {
	if f.dir == "" {
		return trainer.Options{}, missing("dir")
	}
	if f.keys == "" {
		f.keys = filepath.Join(f.dir, "keys")
	}
	return trainer.Options{Dir: f.dir, Keys: f.keys}, nil
}

// open opens the workbench for a command that works by hand.
func (f *folder) open(ctx context.Context, env cli.Env, o trainer.Options) (*trainer.Workbench, error) {
	warnKeys(env, privateKeys(f.keys)...)
	w, err := trainer.OpenWorkbench(ctx, o)
	return w, explain(err, f)
}

// missing is the error of a flag that has to be given.
func missing(name string) error {
	return usage("--help shows arguments and flags", "flag --%s is missing", name)
}

// explain attaches to an error what the user can do about it and its exit code.
func explain(err error, f *folder) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, trainer.ErrLocked):
		return cli.WithHint(cli.WithCode(err, cli.ExitLocked), "stop the other process or give another --dir")
	case errors.Is(err, trainer.ErrExposed):
		return cli.WithHint(cli.WithCode(err, cli.ExitUsage), "give --tls-cert, --tls-key and --tls-ca (kedge-trainer keys server makes them), or listen on 127.0.0.1")
	case errors.Is(err, trainer.ErrAddress):
		return cli.WithHint(cli.WithCode(err, cli.ExitUsage), "give --listen an address of this machine, for example 127.0.0.1:1883")
	case errors.Is(err, trainer.ErrBroker):
		return cli.WithHint(cli.WithCode(err, cli.ExitUsage), "give --broker for example mqtts://broker.example:8883")
	case errors.Is(err, trainer.ErrListen):
		return cli.WithHint(err, "stop what listens there, or give --listen another address and port of this machine")
	case errors.Is(err, trainer.ErrCertificate):
		return cli.WithHint(err, "kedge-trainer keys server makes a certificate and its key; the authority is ca.crt in the folder of keys")
	case errors.Is(err, trust.ErrSignature), errors.Is(err, trust.ErrRootVersion):
		return cli.WithHint(cli.WithCode(err, cli.ExitSignature), "the root documents and the keys beside them do not belong together")
	case errors.Is(err, release.ErrKeysExist):
		return cli.WithHint(err, "kedge-trainer keys rotate replaces keys")
	case errors.Is(err, release.ErrNoKey):
		return cli.WithHint(err, "bring the key's file back to its place in the folder of keys")
	case errors.Is(err, release.ErrDamaged):
		return cli.WithHint(err, "restore the file from a copy of the folder of keys")
	case errors.Is(err, store.ErrDamaged):
		return cli.WithHint(err, "restore a copy of it, or move it away together with its -wal and -shm files to begin anew")
	case errors.Is(err, store.ErrSchema):
		return cli.WithHint(err, "use the version of kedge-trainer that wrote this folder, or a later one")
	case errors.Is(err, fs.ErrNotExist) && f != nil && !exists(filepath.Join(f.keys, "roots")):
		return cli.WithHint(fmt.Errorf("%s: no keys there", f.keys), "kedge-trainer keys init "+f.keys)
	}
	return err
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// findRelease finds the release that --release, or --name and --version, mean.
type findRelease struct {
	digest, name string
	version      uint64
}

func (q *findRelease) flags(fs *flag.FlagSet) {
	fs.StringVar(&q.digest, "release", "", "`DIGEST` of the release")
	fs.StringVar(&q.name, "name", "", "`NAME` of the model, instead of --release")
	fs.Uint64Var(&q.version, "version", 0, "with --name: `VERSION` of the model (default: the latest)")
}

func (q *findRelease) find(ctx context.Context, w *trainer.Workbench) (store.Release, error) {
	if (q.digest == "") == (q.name == "") {
		return store.Release{}, cli.Usagef("want one of --release and --name")
	}
	var found store.Release
	var err error
	if q.name != "" {
		found, err = w.Registry().ReleaseByVersion(ctx, q.name, q.version)
	} else {
		err = w.Store().View(ctx, func(tx *store.Tx) (err error) {
			found, err = tx.Release(q.digest)
			return err
		})
	}
	if errors.Is(err, store.ErrNotFound) {
		err = cli.WithHint(err, "kedge-trainer train or release makes one, and prints its digest")
	}
	return found, err
}
