package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"kedge/cmd/internal/cli"
	"kedge/telemetry/wire"
)

// usage is an error of the command line with what to do about it.
func usage(hint, format string, args ...any) error {
	return cli.WithHint(cli.Usagef(format, args...), hint)
}

// inRange checks a number that a flag gives.
func inRange(flag string, n, least, most int) error {
	if n < least || n > most {
		return usage(fmt.Sprintf("give --%s a number from %d to %d", flag, least, most), "flag --%s: %d, want %d to %d", flag, n, least, most)
	}
	return nil
}

// checkNames checks names that flags give and that become parts of topics.
func checkNames(names map[string]string) error {
	for _, flag := range slices.Sorted(maps.Keys(names)) {
		if wire.CheckName(names[flag]) != nil {
			return usage("give --"+flag+" such a name",
				"flag --%s: %.80q: want 1 to 64 letters, digits, dots, underscores or hyphens, beginning with a letter or digit", flag, names[flag])
		}
	}
	return nil
}

// resolveCommand splits a training program from its arguments and makes its path
// absolute: it is started in another folder, and long after the command line was
// typed.
func resolveCommand(flag, text string) ([]string, error) {
	args := strings.Fields(text)
	if len(args) == 0 {
		if text != "" {
			return nil, usage("give a program and its arguments, or leave the flag away", "flag --%s: no program named", flag)
		}
		return nil, nil
	}
	path, err := exec.LookPath(args[0])
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		if found, ok := errors.AsType[*exec.Error](err); ok {
			err = found.Err
		}
		if errors.Is(err, exec.ErrNotFound) {
			err = errors.New("not found in PATH")
		}
		return nil, usage("give a program that exists and may be executed, with a path or in PATH",
			"flag --%s: %w", flag, cli.FileError(args[0], err))
	}
	args[0] = path
	return args, nil
}

// check refuses what could only fail later, when nobody looks.
func (s *serving) check() error {
	switch {
	case s.minLabels < 0:
		return usage("0 means as many as the device captures after the alarm", "flag --min-labels: %d, want 0 or more", s.minLabels)
	case s.tolerance < 0:
		return usage("0 means that label and sample have the same time", "flag --label-tolerance: %v, want 0 or more", s.tolerance)
	case s.timeout <= 0:
		return usage("give for example 30m", "flag --train-timeout: %v, want more than 0", s.timeout)
	case s.timeout > maxTimeout:
		return usage("give for example 30m", "flag --train-timeout: %v, want at most %v", s.timeout, maxTimeout)
	}
	return nil
}

// maxTimeout bounds a training, during which no other of the same name begins.
const maxTimeout = 30 * 24 * time.Hour

// checkFolder refuses, before long work, a file to write whose folder does not exist.
func checkFolder(flag, path string) error {
	if path == "" {
		return nil
	}
	dir := filepath.Dir(path)
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		err = errors.New("no folder")
	}
	if err != nil {
		return usage("make the folder, or give another file", "flag --%s: %w", flag, cli.FileError(dir, err))
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return usage("give a file in it", "flag --%s: %s: is a folder", flag, path)
	}
	return nil
}

// warnKeys warns of private keys that others than their owner may read.
func warnKeys(env cli.Env, paths ...string) {
	for _, path := range paths {
		info, err := os.Stat(path)
		if err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
			fmt.Fprintf(env.Stderr, "kedge-trainer: warning: %s: others may read this private key, its mode is %04o\nhint: chmod 600 %s\n",
				path, info.Mode().Perm(), path)
		}
	}
}

// privateKeys lists the files of private keys in a folder of keys.
func privateKeys(dir string) []string {
	online, _ := filepath.Glob(filepath.Join(dir, "*.key")) // the pattern is well formed
	offline, _ := filepath.Glob(filepath.Join(dir, "offline", "*.key"))
	return append(online, offline...)
}
