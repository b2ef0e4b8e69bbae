// Bench times whole models and writes docs/bench.md: the machine, what its
// instructions could do at most, our times, and beside them another runtime's
// where there is one. "make bench" and "make bench-peers" run it.
//
// Runs are short and take turns, model by model: ours with every kernel set that
// the processor can run, the peak loop, the other runtime, and again. What else
// the machine does then hits all of them, and the shortest times are those that
// it did not hit.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
)

func main() {
	var o options
	flag.StringVar(&o.conformance, "conformance", "../shared/conformance", "`FOLDER` with a folder for every model")
	flag.StringVar(&o.peerModels, "onnx", "../shared/models/mlperf_tiny/onnx_uint8", "`FOLDER` with the other runtime's models")
	flag.StringVar(&o.peer, "peer", "", "`PROGRAM` that times ONNX Runtime, see tools/ortbench")
	flag.StringVar(&o.library, "lib", "", "`FILE` of ONNX Runtime")
	flag.StringVar(&o.out, "out", "docs/bench.md", "`FILE` to write")
	flag.IntVar(&o.rounds, "rounds", 60, "turns of each, `N`")
	flag.Parse()
	if err := o.run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// options are one run of the program.
type options struct {
	conformance, peerModels string
	peer, library, out      string
	rounds                  int
}

func (o *options) run() error {
	if o.rounds < 1 {
		return fmt.Errorf("flag -rounds: got %d, want at least 1", o.rounds)
	}
	models, generated, err := o.models()
	if err != nil {
		return err
	}
	var other *peer
	if o.peer != "" {
		if other, err = startPeer(exec.Command(o.peer, "-lib", o.library)); err != nil {
			return err
		}
		defer other.stop()
	}
	r := report{generated: generated, peer: other != nil, rounds: o.rounds}
	for _, m := range models {
		fmt.Fprintln(os.Stderr, m.name)
		result, err := m.measure(other, o.rounds)
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		r.models = append(r.models, result)
	}
	text := r.text()
	fmt.Print(text)
	return os.WriteFile(o.out, []byte(text), 0o644)
}
