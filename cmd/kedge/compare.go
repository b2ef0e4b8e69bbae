package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strconv"
	"strings"
	"time"

	"kedge/boards"
	"kedge/cmd/internal/cli"
	"kedge/runtime"
)

func compareCommand() cli.Command {
	return cli.Command{
		Name: "compare", Args: "MODEL", Summary: "report this board's results and times beside LiteRT's",
		Detail: `
The report says board, kernels, temperatures and throttling before and after, our times and,
where LiteRT is installed (python3 with ai_edge_litert or tflite_runtime, or a program
benchmark_model in PATH), its times and how many bytes of the results differ. LiteRT's default
kernels round otherwise than the reference whose bytes kedge gives, so a few do. Without LiteRT
the report is ours alone. Send it as it is.`,
		Setup: setupCompare,
	}
}

// compareReport is what compare prints.
type compareReport struct {
	Model  string       `json:"model"`
	SHA256 string       `json:"sha256"`
	Bytes  int          `json:"bytes"`
	MACs   int64        `json:"macs"`
	Board  boards.Board `json:"board"`
	Linux  string       `json:"linux"` // the kernel's release; empty elsewhere
	Kedge  versionInfo  `json:"kedge"`
	Ours   benchResult  `json:"ours"`         // before the peer
	Again  *benchResult `json:"ours_after"`   // after it; null without one
	Peer   *peerResult  `json:"litert"`       // null where there is none
	Absent []string     `json:"not_found"`    // why there is none
	Failed string       `json:"litert_error"` // of one that was found
	Before boardState   `json:"before"`
	After  boardState   `json:"after"`
}

// boardState is a board's state with what the firmware of a Raspberry Pi says.
type boardState struct {
	boards.State
	Firmware string `json:"vcgencmd"` // get_throttled; empty where there is no such program
}

// throttled is State's, or the firmware's word: its lowest four bits are what
// holds now (too little voltage, clock capped, throttled, temperature limit).
func (s *boardState) throttled() bool {
	_, hex, _ := strings.Cut(s.Firmware, "throttled=0x")
	bits, err := strconv.ParseUint(hex, 16, 64)
	return s.Throttled() || err == nil && bits&0xf != 0
}

// compare is one run of the command.
type compare struct {
	model   modelFlags
	n       int
	threads int
	timeout time.Duration
	asJSON  bool
}

func setupCompare(fs *flag.FlagSet) cli.Run {
	c := &compare{model: addModelFlags(fs)}
	fs.IntVar(&c.n, "n", 100, "time `N` inferences")
	fs.IntVar(&c.threads, "threads", 1, "let both use at most `N` threads")
	fs.DurationVar(&c.timeout, "timeout", 2*time.Minute, "give LiteRT at most this `TIME`")
	fs.BoolVar(&c.asJSON, "json", false, "print one JSON object")
	return func(ctx context.Context, env cli.Env, args []string) error { return c.run(ctx, env, args[0]) }
}

func (c *compare) run(ctx context.Context, env cli.Env, path string) error {
	if c.n < 1 || c.n > maxRuns {
		return cli.Usagef("compare: flag --n: got %d, want 1 to %d", c.n, maxRuns)
	}
	if c.threads < 1 || c.threads > maxThreads {
		return cli.Usagef("compare: flag --threads: got %d, want 1 to %d", c.threads, maxThreads)
	}
	if c.timeout <= 0 {
		return cli.Usagef("compare: flag --timeout: got %v, want more than 0s", c.timeout)
	}
	m, err := c.model.loadFor(path, c.threads)
	if err != nil {
		return err
	}
	r, err := c.describe(path, m)
	if err != nil {
		return err
	}
	if err := c.measure(ctx, r, path, m); err != nil {
		return err
	}
	if c.asJSON {
		err = cli.PrintJSON(env.Stdout, r)
	} else {
		err = r.print(env.Stdout)
	}
	if err == nil && r.Failed != "" {
		err = fmt.Errorf("compare: LiteRT failed: %s", r.Failed)
	}
	return err
}

// describe fills in what does not have to be measured.
func (c *compare) describe(path string, m *runtime.Model) (*compareReport, error) {
	file, err := cli.ReadFile(path)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(file)
	release, _ := os.ReadFile("/proc/sys/kernel/osrelease") // other systems have none
	return &compareReport{
		Model: path, SHA256: hex.EncodeToString(sum[:]), Bytes: len(file), MACs: m.MACs(),
		Board: boards.Detect("/"), Linux: strings.TrimSpace(string(release)), Absent: []string{},
		Kedge: versionInfo{cli.BuildVersion(), goruntime.Version(), goruntime.GOOS, goruntime.GOARCH, m.Kernels()},
	}, nil
}

// measure runs ours, LiteRT, and ours again: if the second time is longer, heat
// is why.
func (c *compare) measure(ctx context.Context, r *compareReport, path string, m *runtime.Model) error {
	dir, err := os.MkdirTemp("", "kedge-compare")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s, err := newSamples(m)
	if err != nil {
		return modelError(path, err)
	}
	if path, err = filepath.Abs(path); err != nil { // no argument may look like a flag
		return err
	}
	const warmup = 10
	r.Before = readState(ctx)
	if r.Ours, err = bench(ctx, m, c.n, warmup); err != nil {
		return err
	}
	p := peer{model: path, dir: dir, samples: s, n: c.n, threads: c.threads, timeout: c.timeout}
	r.Peer, r.Absent, err = p.run(ctx)
	if ctx.Err() != nil {
		return errors.New("compare: interrupted")
	}
	if err != nil {
		r.Failed = err.Error()
	}
	if r.Peer != nil {
		again, err := bench(ctx, m, c.n, warmup)
		if err != nil {
			return err
		}
		r.Again = &again
	}
	r.After = readState(ctx)
	return nil
}

// readState asks the firmware too, which on a Raspberry Pi knows of a weak power
// supply.
func readState(ctx context.Context) boardState {
	s := boardState{State: boards.Read("/")}
	if out, err := runChild(ctx, 5*time.Second, "vcgencmd", "get_throttled"); err == nil {
		s.Firmware = strings.TrimSpace(string(out))
	}
	return s
}
