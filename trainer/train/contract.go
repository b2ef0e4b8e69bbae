package train

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"kedge/quant/data"
	"kedge/quant/graph"
)

// Files of the contract, in the job directory. The command finds the first
// four and leaves the last two.
const (
	TrainFile   = "train.npz"    // arrays x (float32, rows × features), y (int32, rows); w (float32, rows) if rows have weights
	ValFile     = "val.npz"      // the same for validation; may have no rows
	BaseFile    = "base.tflite"  // the model to start from; absent for a first training
	ParamsFile  = "params.json"  // Params
	ModelFile   = "model.tflite" // float32, input (1, features), output (1, classes)
	MetricsFile = "metrics.json" // an object; its numbers are kept and shown
)

// JobDirVariable is the environment variable that names the job directory,
// which is also the command's working directory.
const JobDirVariable = "KEDGE_JOB_DIR"

// Params is what params.json tells the command.
type Params struct {
	Features int    `json:"features"`
	Classes  int    `json:"classes"`
	Seed     uint64 `json:"seed"`
	// ClassNames are the names of the classes, by number, when known.
	ClassNames []string `json:"class_names,omitempty"`
	// User is passed through from the trainer's configuration.
	User json.RawMessage `json:"user,omitempty"`
}

// Job is the work for one run.
type Job struct {
	Train, Validation Samples
	Base              []byte // .tflite to start from, nil for none
	Params            Params // Features and Classes are checked against the samples and the result
}

// Output is what a run left.
type Output struct {
	Model   []byte       // model.tflite as written
	Graph   *graph.Graph // the same, read and checked
	Metrics map[string]float64
}

// maxModel bounds how much of model.tflite is read.
const maxModel = 512 << 20

func prepare(dir string, job Job) error {
	for _, s := range []struct {
		file string
		set  Samples
	}{{TrainFile, job.Train}, {ValFile, job.Validation}} {
		if s.set.Len() == 0 {
			s.set.Features = job.Params.Features
		}
		if s.set.Features != job.Params.Features {
			return fmt.Errorf("%s: %w: rows of %d features, params say %d", s.file, ErrSamples, s.set.Features, job.Params.Features)
		}
		if err := s.set.Validate(job.Params.Classes); err != nil {
			return fmt.Errorf("%s: %w", s.file, err)
		}
		if err := writeSamples(filepath.Join(dir, s.file), s.set); err != nil {
			return err
		}
	}
	params, err := json.MarshalIndent(job.Params, "", "  ")
	if err != nil {
		return fmt.Errorf("%s: %w", ParamsFile, err)
	}
	if err := os.WriteFile(filepath.Join(dir, ParamsFile), append(params, '\n'), 0o600); err != nil {
		return fileError(err)
	}
	if job.Base == nil {
		return nil
	}
	return fileError(os.WriteFile(filepath.Join(dir, BaseFile), job.Base, 0o600))
}

func writeSamples(path string, s Samples) error {
	y, err := data.FromInts(s.Y)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	arrays := []data.Named{
		{Name: "x", Array: data.FromFloat32s(s.X, s.Len(), s.Features)},
		{Name: "y", Array: y},
	}
	if s.Weight != nil {
		arrays = append(arrays, data.Named{Name: "w", Array: data.FromFloat32s(s.Weight, s.Len())})
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fileError(err)
	}
	return fileError(cmp.Or(data.WriteNPZ(f, arrays...), f.Close()))
}

// fileError names the file of the contract that could not be written, without the
// folder, which exists for one run only.
func fileError(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Errorf("job folder: %s: %w", filepath.Base(e.Path), e.Err)
	}
	return err
}

// collect reads and checks what the command left.
func collect(dir string, p Params) (Output, error) {
	model, err := readResult(dir, ModelFile, maxModel)
	if errors.Is(err, os.ErrNotExist) {
		if _, onnx := os.Stat(filepath.Join(dir, "model.onnx")); onnx == nil {
			return Output{}, fmt.Errorf("%w: model.onnx is not yet supported, write %s", ErrOutput, ModelFile)
		}
		return Output{}, fmt.Errorf("%w: it wrote no %s", ErrOutput, ModelFile)
	} else if err != nil {
		return Output{}, err
	}
	out := Output{Model: model}
	if out.Graph, err = graph.FromTFLite(model); err != nil {
		return Output{}, fmt.Errorf("%w: %s: %w", ErrOutput, ModelFile, err)
	}
	if err := checkResult(out.Graph, p); err != nil {
		return Output{}, fmt.Errorf("%w: %s: %w", ErrOutput, ModelFile, err)
	}
	out.Metrics, err = readMetrics(dir)
	return out, err
}

func readMetrics(dir string) (map[string]float64, error) {
	text, err := readResult(dir, MetricsFile, 1<<20)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w: it wrote no %s", ErrOutput, MetricsFile)
	} else if err != nil {
		return nil, err
	}
	var fields map[string]any
	if json.Unmarshal(text, &fields) != nil {
		return nil, fmt.Errorf("%w: %s: no JSON object", ErrOutput, MetricsFile)
	}
	metrics := make(map[string]float64)
	for name, v := range fields {
		if x, ok := v.(float64); ok {
			metrics[name] = x
		}
	}
	return metrics, nil
}

// readResult reads a regular file of at most limit bytes.
func readResult(dir, name string, limit int64) ([]byte, error) {
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() || info.Size() > limit {
		return nil, fmt.Errorf("%w: %s is no regular file of at most %d bytes", ErrOutput, name, limit)
	}
	return io.ReadAll(io.LimitReader(f, limit))
}

// checkResult compares the model's signature with the job.
func checkResult(g *graph.Graph, p Params) error {
	if len(g.Inputs) != 1 || len(g.Outputs) != 1 {
		return fmt.Errorf("%d inputs and %d outputs, want one of each", len(g.Inputs), len(g.Outputs))
	}
	in, out := g.Tensor(g.Inputs[0]), g.Tensor(g.Outputs[0])
	if !isRow(in, p.Features) {
		return fmt.Errorf("input %v, want one row of %d features", in.Shape, p.Features)
	}
	if !isRow(out, p.Classes) {
		return fmt.Errorf("output %v, want one row of %d classes", out.Shape, p.Classes)
	}
	// An int8 model would hide the weights that quantization should see.
	if _, err := graph.NewExecutor(g); err != nil {
		return fmt.Errorf("not a float32 model: %s", strings.TrimPrefix(err.Error(), graph.ErrUnsupported.Error()+": "))
	}
	return nil
}

// isRow reports whether an activation is one sample of n values.
func isRow(t *graph.Tensor, n int) bool {
	total, ok := t.Shape.Elements()
	return ok && total == n && len(t.Shape) >= 2 && t.Shape[0] == 1
}
