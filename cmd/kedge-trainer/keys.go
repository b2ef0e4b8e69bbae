package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"kedge/cmd/internal/cli"
	"kedge/telemetry/trust"
	"kedge/trainer/release"
)

func keysCommand() cli.Command {
	return cli.Command{
		Name: "keys", Summary: "make and change keys, grant certificates",
		Commands: []cli.Command{
			{
				Name: "init", Args: "DIR", Summary: "make all keys, the first root document and a certificate authority",
				Detail: "The folder DIR/offline holds the root keys and the authority's key. Move it to a place without a\n" +
					"network, and back for keys rotate, device, source and server only.",
				Setup: setupKeysInit,
			},
			{
				Name: "rotate", Summary: "replace keys: the next root document, signed by the old and the new root keys",
				Detail: "A running kedge-trainer serve takes the new keys when it is started again. After --release, release\n" +
					"anew what devices are to go on running: they refuse documents of the old key.",
				Setup: setupKeysRotate,
			},
			{Name: "device", Summary: "grant a device's certificate request", Setup: setupKeysClient((*release.Authority).Device)},
			{Name: "source", Summary: "grant the certificate request of a source of labels", Setup: setupKeysClient((*release.Authority).Source)},
			{Name: "server", Summary: "make key and certificate of a broker", Setup: setupKeysServer},
		},
	}
}

func setupKeysInit(fs *flag.FlagSet) cli.Run {
	var o release.InitOptions
	fs.IntVar(&o.RootKeys, "root-keys", 3, "number `N` of root keys")
	fs.IntVar(&o.Threshold, "threshold", 2, "number `N` of them that have to sign a root document")
	return func(_ context.Context, env cli.Env, args []string) error {
		dir := args[0]
		if err := inRange("root-keys", o.RootKeys, 1, 16); err != nil {
			return err
		}
		if err := inRange("threshold", o.Threshold, 1, o.RootKeys); err != nil {
			return err
		}
		if err := release.Init(dir, o); err != nil {
			return explain(err, nil)
		}
		return printKeys(env.Stdout, dir)
	}
}

// printKeys prints what devices are to be enrolled with, for comparing.
func printKeys(w io.Writer, dir string) error {
	keys, err := release.LoadKeys(dir)
	if err != nil {
		return explain(err, nil)
	}
	version := keys.Root().Version()
	fmt.Fprintf(w, "root document: %s (version %d)\n", filepath.Join(dir, "roots", fmt.Sprint(version, ".json")), version)
	for _, role := range []trust.Role{trust.RoleRoot, trust.RoleRelease, trust.RoleAssign} {
		ids, threshold := keys.RoleKeys(role)
		fmt.Fprintf(w, "%s: %d of %d has to sign\n", role, threshold, len(ids))
		for _, id := range ids {
			fmt.Fprintf(w, "  %s\n", id)
		}
	}
	_, err = fmt.Fprintf(w, "authority: %s\n", filepath.Join(dir, "ca.crt"))
	return err
}

func setupKeysRotate(fs *flag.FlagSet) cli.Run {
	var o release.RotateOptions
	dir := fs.String("keys", "keys", "folder `DIR` of the keys")
	fs.BoolVar(&o.Root, "root", false, "replace the root keys")
	fs.BoolVar(&o.Release, "release", false, "replace the release key")
	fs.BoolVar(&o.Assign, "assign", false, "replace the assign key")
	return func(_ context.Context, env cli.Env, _ []string) error {
		if !o.Root && !o.Release && !o.Assign {
			return usage("say which keys to replace", "keys rotate: want one or more of --root, --release and --assign")
		}
		warnKeys(env, privateKeys(*dir)...)
		if _, err := release.Rotate(*dir, o); err != nil {
			return explain(err, &folder{keys: *dir})
		}
		return printKeys(env.Stdout, *dir)
	}
}

// maxDays bounds a certificate's validity.
const maxDays = 50 * 365

// openAuthority loads the authority from a folder of keys.
func openAuthority(env cli.Env, dir string) (*release.Authority, error) {
	warnKeys(env, privateKeys(dir)...)
	authority, err := release.LoadAuthority(dir, nil)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !exists(dir):
		err = cli.WithHint(err, "give --keys the folder that kedge-trainer keys init made")
	case errors.Is(err, release.ErrDamaged):
		err = explain(err, nil)
	default:
		err = cli.WithHint(err, "bring the folder offline back into the folder of keys")
	}
	return authority, err
}

// A grant signs a certificate request.
type grant func(a *release.Authority, csr []byte, days int) ([]byte, release.Identity, error)

func setupKeysClient(sign grant) func(*flag.FlagSet) cli.Run {
	return func(fs *flag.FlagSet) cli.Run {
		dir := fs.String("keys", "keys", "folder `DIR` of the keys")
		request := fs.String("csr", "", "certificate request `FILE` (kedge enroll makes device.csr)")
		out := fs.String("out", "", "certificate `FILE` to write")
		days := fs.Int("days", 5*365, "validity in `DAYS`")
		return func(_ context.Context, env cli.Env, _ []string) error {
			if *request == "" || *out == "" {
				return missing(map[bool]string{true: "csr", false: "out"}[*request == ""])
			}
			if err := inRange("days", *days, 1, maxDays); err != nil {
				return err
			}
			authority, err := openAuthority(env, *dir)
			if err != nil {
				return err
			}
			csr, err := cli.ReadFile(*request)
			if err != nil {
				return cli.WithHint(err, "kedge enroll on the device makes a request, device.csr; give its path with --csr")
			}
			cert, id, err := sign(authority, csr, *days)
			if err != nil {
				return cli.WithHint(fmt.Errorf("%s: %w", *request, err), "kedge enroll on the device makes a request, device.csr; copy it here whole")
			}
			if err := writeBytes(*out, cert); err != nil {
				return err
			}
			_, err = fmt.Fprintf(env.Stdout, "%s of site %s: %s\n", id.Name, id.Site, *out)
			return err
		}
	}
}

func setupKeysServer(fs *flag.FlagSet) cli.Run {
	dir := fs.String("keys", "keys", "folder `DIR` of the keys")
	hosts := fs.String("host", "", "names and addresses `HOST,HOST` under which devices reach the broker")
	out := fs.String("out", "server", "`NAME` of the files to write, NAME.crt and NAME.key")
	days := fs.Int("days", 2*365, "validity in `DAYS`")
	return func(_ context.Context, env cli.Env, _ []string) error {
		if *hosts == "" {
			return missing("host")
		}
		names := strings.Split(*hosts, ",")
		for _, name := range names {
			if err := release.CheckHost(name); err != nil {
				return usage("give --host for example broker.example,192.0.2.7", "flag --host: %w", err)
			}
		}
		if err := inRange("days", *days, 1, maxDays); err != nil {
			return err
		}
		authority, err := openAuthority(env, *dir)
		if err != nil {
			return err
		}
		cert, key, err := authority.Server(names, *days)
		if err != nil {
			return err
		}
		if err := writeSecret(*out+".key", key); err != nil {
			return err
		}
		if err := writeBytes(*out+".crt", cert); err != nil {
			return err
		}
		_, err = fmt.Fprintf(env.Stdout, "%s: %s.crt and %s.key\n", *hosts, *out, *out)
		return err
	}
}

func writeBytes(path string, data []byte) error {
	return cli.WriteFile(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// writeSecret writes a file for its owner's eyes, and never over another.
func writeSecret(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return cli.WithHint(cli.FileError(path, err), "choose another --out: keys are not overwritten")
	}
	if _, err = f.Write(data); err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	return cli.FileError(path, err)
}
