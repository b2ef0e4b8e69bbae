package main

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
)

// cpu is one column.
type cpu struct {
	name, arch, arm string
	emulator        []string
	kernels         string // KEDGE_KERNELS, where emulation hides what can run
}

var cpus = []cpu{
	{"cortex-a53", "arm64", "", []string{"qemu-aarch64", "-cpu", "cortex-a53"}, ""},
	{"cortex-a72", "arm64", "", []string{"qemu-aarch64", "-cpu", "cortex-a72"}, ""},
	{"cortex-a76", "arm64", "", []string{"qemu-aarch64", "-cpu", "cortex-a76"}, ""},
	{"cortex-a7", "arm", "7", []string{"qemu-arm", "-cpu", "cortex-a7"}, ""},
	{"rv64 V 128", "riscv64", "", []string{"qemu-riscv64", "-cpu", "rv64,v=true,vlen=128,vext_spec=v1.0"}, "rvv"},
	{"rv64", "riscv64", "", []string{"qemu-riscv64", "-cpu", "rv64"}, ""},
}

func cpuNames(all []cpu) []string {
	names := make([]string, len(all))
	for i := range all {
		names[i] = all[i].name
	}
	return names
}

// missing says what of the programs that counting needs is not installed.
func missing() []string {
	var names []string
	for _, name := range []string{"gcc", "qemu-aarch64", "qemu-arm", "qemu-riscv64"} {
		if _, err := exec.LookPath(name); err != nil {
			names = append(names, name)
		}
	}
	return names
}

// count builds what is needed into dir and counts, two runs at a time: they do
// not disturb each other.
func (o *options) count(dir string) (table, error) {
	if m := missing(); m != nil {
		return nil, fmt.Errorf("not installed: %s (Debian: apt-get install gcc libc6-dev qemu-user)", strings.Join(m, ", "))
	}
	plugin, err := buildPlugin(dir)
	if err != nil {
		return nil, err
	}
	for _, c := range o.cpus {
		if err := c.build(dir); err != nil {
			return nil, err
		}
	}
	counts, errs := table{}, []error{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	slots := make(chan bool, runtime.NumCPU())
	for _, model := range o.models {
		counts[model] = map[string]int64{}
		for _, c := range o.cpus {
			wg.Go(func() {
				slots <- true
				n, err := c.perInference(dir, plugin, o.path(model))
				<-slots
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					errs = append(errs, fmt.Errorf("%s on %s: %w", model, c.name, err))
					return
				}
				counts[model][c.name] = n
			})
		}
	}
	wg.Wait()
	return counts, errors.Join(errs...)
}

//go:embed plugin/count.c
var pluginSource string

// buildPlugin compiles the plugin for the version of the interface that the
// emulators have.
func buildPlugin(dir string) (string, error) {
	out, err := exec.Command("qemu-aarch64", "--version").Output()
	if err != nil {
		return "", fmt.Errorf("qemu-aarch64 --version: %w", err)
	}
	version := "1"
	if m := regexp.MustCompile(`version (\d+)\.`).FindSubmatch(out); m != nil && (len(m[1]) > 1 || m[1][0] == '9') {
		version = "2"
	}
	plugin := filepath.Join(dir, "count.so")
	cmd := exec.Command("gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-DVERSION="+version, "-o", plugin, "-x", "c", "-")
	cmd.Stdin = strings.NewReader(pluginSource)
	return plugin, command(cmd)
}

func (c *cpu) binary(dir string) string { return filepath.Join(dir, "kedge-"+c.arch+c.arm) }

// build makes kedge for the processor, once for all with its instruction set.
func (c *cpu) build(dir string) error {
	if _, err := os.Stat(c.binary(dir)); err == nil {
		return nil
	}
	cmd := exec.Command("go", "build", "-trimpath", "-o", c.binary(dir), "./cmd/kedge")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+c.arch, "GOARM="+c.arm)
	return command(cmd)
}

// command runs cmd; what it says is part of the error.
func command(cmd *exec.Cmd) error {
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	return nil
}

// perRun is what N inferences should take: enough that the scheduler's
// instructions hardly count.
const perRun = 50_000_000

// perInference is the count of one inference.
func (c *cpu) perInference(dir, plugin, model string) (int64, error) {
	about, err := c.difference(dir, plugin, model, 1)
	if err != nil {
		return 0, err
	}
	n := min(max(perRun/max(about, 1), 1), 5000)
	d, err := c.difference(dir, plugin, model, n)
	return d / n, err
}

// difference is that of the counts of n and of 2n inferences.
func (c *cpu) difference(dir, plugin, model string, n int64) (int64, error) {
	once, err := c.bench(dir, plugin, model, n)
	if err != nil {
		return 0, err
	}
	twice, err := c.bench(dir, plugin, model, 2*n)
	return twice - once, err
}

// bench is the count of n inferences and of everything around them.
func (c *cpu) bench(dir, plugin, model string, n int64) (int64, error) {
	args := append(c.emulator[1:len(c.emulator):len(c.emulator)], "-plugin", plugin, c.binary(dir),
		"bench", "--warmup", "0", "--n", strconv.FormatInt(n, 10), model)
	cmd := exec.Command(c.emulator[0], args...)
	// One thread, no collection of garbage and no signals by time, so that runs
	// are alike.
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1", "GOGC=off", "GODEBUG=asyncpreemptoff=1", "KEDGE_KERNELS="+c.kernels)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		return 0, fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, bytes.TrimSpace(stderr.Bytes()))
	}
	m := regexp.MustCompile(`(?m)^instructions (\d+)$`).FindSubmatch(stderr.Bytes())
	if m == nil {
		return 0, fmt.Errorf("%s: no count in %q", strings.Join(cmd.Args, " "), stderr.String())
	}
	return strconv.ParseInt(string(m[1]), 10, 64)
}
