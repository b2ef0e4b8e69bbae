// Ortbench times ONNX Runtime for make bench-peers, on one thread of its CPU
// provider. It is driven by lines of JSON: for each {"model": FILE, "n": N} on
// standard input it runs N inferences of a model with one uint8 input and one
// uint8 output, and answers with their times in µs, {"min": …, "median": …}.
// Models stay loaded, so that short runs can alternate with somebody else's.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"time"

	ort "github.com/yalue/onnxruntime_go"
)

type request struct {
	Model string `json:"model"`
	N     int    `json:"n"`
}

type times struct {
	Min    float64 `json:"min"`
	Median float64 `json:"median"`
}

func main() {
	library := flag.String("lib", "", "`FILE` of ONNX Runtime, libonnxruntime.so.1")
	flag.Parse()
	if err := serve(*library); err != nil {
		fmt.Fprintln(os.Stderr, "ortbench:", err)
		os.Exit(1)
	}
}

func serve(library string) error {
	runtime.LockOSThread() // the library's own thread is the one that asks
	ort.SetSharedLibraryPath(library)
	if err := ort.InitializeEnvironment(); err != nil {
		return err
	}
	sessions := map[string]*ort.AdvancedSession{}
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var r request
		if err := in.Decode(&r); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if sessions[r.Model] == nil {
			s, err := load(r.Model)
			if err != nil {
				return fmt.Errorf("%s: %w", r.Model, err)
			}
			sessions[r.Model] = s
		}
		t, err := measure(sessions[r.Model], r.N)
		if err != nil {
			return fmt.Errorf("%s: %w", r.Model, err)
		}
		if err := out.Encode(t); err != nil {
			return err
		}
	}
}

// load prepares a model with a fixed input of any bytes.
func load(path string) (*ort.AdvancedSession, error) {
	o, err := ort.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	defer o.Destroy()
	err = errors.Join(o.SetIntraOpNumThreads(1), o.SetInterOpNumThreads(1), o.SetGraphOptimizationLevel(ort.GraphOptimizationLevelEnableAll))
	if err != nil {
		return nil, err
	}
	ins, outs, err := ort.GetInputOutputInfo(path)
	if err != nil {
		return nil, err
	}
	if len(ins) != 1 || len(outs) != 1 {
		return nil, fmt.Errorf("%d inputs and %d outputs, want one each", len(ins), len(outs))
	}
	shape := batchOfOne(ins[0].Dimensions)
	data := make([]uint8, shape.FlattenedSize())
	for i := range data {
		data[i] = uint8(i * 37)
	}
	a, err := ort.NewTensor(shape, data)
	if err != nil {
		return nil, err
	}
	b, err := ort.NewEmptyTensor[uint8](batchOfOne(outs[0].Dimensions))
	if err != nil {
		return nil, err
	}
	return ort.NewAdvancedSession(path, []string{ins[0].Name}, []string{outs[0].Name}, []ort.Value{a}, []ort.Value{b}, o)
}

// batchOfOne fixes the dimensions that a model leaves open.
func batchOfOne(s ort.Shape) ort.Shape {
	s = slices.Clone(s)
	for i := range s {
		s[i] = max(s[i], 1)
	}
	return s
}

func measure(s *ort.AdvancedSession, n int) (times, error) {
	if n < 1 {
		return times{}, fmt.Errorf("%d inferences, want at least one", n)
	}
	all := make([]float64, n)
	for i := range all {
		start := time.Now()
		if err := s.Run(); err != nil {
			return times{}, err
		}
		all[i] = float64(time.Since(start).Nanoseconds()) / 1e3
	}
	slices.Sort(all)
	return times{all[0], all[n/2]}, nil
}
