package main

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"kedge/cmd/internal/cli"
	"kedge/quant/emit"
	"kedge/quant/eval"
	"kedge/quant/graph"
	"kedge/quant/onnx"
	"kedge/quant/pass"
	"kedge/quant/ptq"
	"kedge/runtime"
)

// network is a model file that was read for the workbench.
type network struct {
	path  string
	file  []byte
	form  form
	graph *graph.Graph
	// perms says for every input how a sample of the file's own layout becomes the
	// graph's, see onnx.Input; nil where they are the same.
	perms [][]int
	// difference is how far simplification moved the results, see pass.Verify; nil
	// where nothing was changed.
	difference *float64
}

// form is the kind of a model file.
type form string

const (
	formTFLite form = "tflite"
	formONNX   form = "onnx"
)

// formOf goes by the content; ONNX has no mark of its own.
func formOf(path string, file []byte) form {
	if marked := len(file) >= 8 && bytes.Equal(file[4:8], []byte("TFL3")); !marked && strings.EqualFold(filepath.Ext(path), ".onnx") {
		return formONNX
	}
	return formTFLite
}

// readNetwork reads a model into a graph as it is: float, quantized or hybrid.
func readNetwork(path string) (*network, error) {
	file, err := cli.ReadFile(path)
	if err != nil {
		return nil, err
	}
	n := &network{path: path, file: file, form: formOf(path, file)}
	if n.form == formTFLite {
		n.graph, err = graph.FromTFLite(file)
		return n, importError(path, err)
	}
	m, err := onnx.Import(file, onnx.Options{})
	if err != nil {
		return nil, importError(path, err)
	}
	n.graph = m.Graph
	for _, in := range m.Inputs {
		n.perms = append(n.perms, in.Perm)
	}
	return n, nil
}

// hintInvalid is what to do about graph.ErrInvalid.
const hintInvalid = "export the model again: the file contradicts itself, or training has failed"

// importError names the file and says what to do about what was found in it.
func importError(path string, err error) error {
	if err == nil {
		return nil
	}
	named := fmt.Errorf("%s: %w", path, err)
	switch {
	case errors.Is(err, runtime.ErrNotTFLite):
		return cli.WithHint(named, "give a TensorFlow Lite model (.tflite) or an ONNX model (.onnx)")
	case errors.Is(err, onnx.ErrFormat):
		return cli.WithHint(named, "the file is damaged or no ONNX model: copy it again and compare checksums, or export it again")
	case errors.Is(err, graph.ErrUnsupported), errors.Is(err, ptq.ErrUnsupported), errors.Is(err, emit.ErrUnsupported):
		return cli.WithHint(cli.WithCode(named, cli.ExitUnsupported), "export the model without them, or with a lower opset; kedge-trainer inspect "+strconv.Quote(path)+" describes it")
	case errors.Is(err, runtime.ErrTruncated), errors.Is(err, runtime.ErrMalformed), errors.Is(err, runtime.ErrBudget):
		return cli.WithHint(named, "the file is damaged: copy it again and compare checksums")
	case errors.Is(err, runtime.ErrUnsupported), errors.Is(err, runtime.ErrVersion):
		return cli.WithHint(cli.WithCode(named, cli.ExitUnsupported), "kedge-trainer inspect "+strconv.Quote(path)+" lists what the model needs")
	case errors.Is(err, graph.ErrInvalid):
		return cli.WithHint(named, hintInvalid)
	}
	return named
}

// simplify makes the float graph that quantization starts from, in the forms
// that TFLite has, and says what each pass did. Quantization that the model brings stays as parameters of its
// activations.
func (n *network) simplify() (*graph.Graph, []pass.Change, error) {
	float, err := n.float()
	if err != nil {
		return nil, nil, err
	}
	g, changes, err := pass.Simplify(float)
	if err != nil {
		return nil, nil, importError(n.path, err)
	}
	g, lowered, err := pass.Lower(g)
	if err != nil {
		return nil, nil, importError(n.path, err)
	}
	if changes = append(changes, lowered...); len(changes) > 0 {
		d, err := pass.Verify(float, g, verifyRuns)
		if err != nil {
			return nil, nil, importError(n.path, err)
		}
		n.difference = &d
	}
	return g, changes, nil
}

// verifyRuns is the number of random inputs that show whether simplification
// was right: what goes wrong there goes wrong on any.
const verifyRuns = 3

func (n *network) float() (*graph.Graph, error) {
	g, err := n.graph, error(nil)
	if n.form == formTFLite {
		g, err = g.Dequantize()
	} else if hasConversions(g) {
		g, err = ptq.FoldQDQ(g)
	}
	return g, importError(n.path, err)
}

// hasConversions reports whether a graph goes between real numbers and integers.
func hasConversions(g *graph.Graph) bool {
	for i := range g.Nodes {
		switch g.Nodes[i].Op.(type) {
		case graph.Quantize, graph.Dequantize:
			return true
		}
	}
	return false
}

// model is a network that can be run, and how its samples have to lie.
type model struct {
	eval.Model
	path  string
	bytes int
	kind  string // "integer" or "float"
	perms [][]int
}

// openModel opens a model to be measured: integer ones as a device runs them.
func openModel(path string) (*model, error) {
	file, err := cli.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m := &model{path: path, bytes: len(file), kind: "float"}
	if formOf(path, file) == formTFLite {
		m.Model, err = eval.Open(file)
		if r, _ := runtime.Inspect(file, runtime.Options{}); r != nil && eval.IsInteger(r) {
			m.kind = "integer"
		}
		return m, importError(path, err)
	}
	n, err := readNetwork(path)
	if err != nil {
		return nil, err
	}
	m.perms = n.perms
	m.Model, err = eval.Float(n.graph)
	return m, importError(path, err)
}

// simplify has a float model run in the form that quantization starts from,
// whose tensors are those of the integer model that is made of it: under the
// same names before fusion and transposition lies something else.
func (m *model) simplify() error {
	n, err := readNetwork(m.path)
	if err != nil {
		return err
	}
	g, _, err := n.simplify()
	if err != nil {
		return err
	}
	m.Model, err = eval.Float(g)
	return importError(m.path, err)
}
