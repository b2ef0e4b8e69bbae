package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"kedge/cmd/internal/cli"
	"kedge/quant/eval"
	"kedge/quant/graph"
	"kedge/quant/onnx"
	"kedge/runtime"
)

// description is what inspect prints of a model, and compare of two.
type description struct {
	Model      string             `json:"model"`
	Format     form               `json:"format"`
	Bytes      int                `json:"bytes"`
	Arithmetic string             `json:"arithmetic"` // integer, hybrid or float
	Producer   string             `json:"producer,omitempty"`
	Inputs     []describedTensor  `json:"inputs"`
	Outputs    []describedTensor  `json:"outputs"`
	Operators  []describedNode    `json:"operators"`
	Counts     []operatorCount    `json:"operator_counts"`
	Weights    *int64             `json:"weights"`      // this and what follows: null where it is not known
	Zeros      *int64             `json:"zero_weights"` // of the weights
	MACs       *int64             `json:"macs"`
	ArenaBytes *int               `json:"arena_bytes"` // on a device
	Unsupport  unsupportedReports `json:"unsupported"`

	invalid bool // the one reason is what the file holds, such as NaN, no operator
}

// unsupportedReports are the reasons against a model; empty where there is none.
type unsupportedReports struct {
	Import []string `json:"import"` // by the workbench
	Device []string `json:"device"` // by the runtime
}

type describedTensor struct {
	Name   string `json:"name"`
	Type   string `json:"dtype"`
	Shape  []int  `json:"shape"`
	Quant  string `json:"quantization"`
	Source []int  `json:"source_shape,omitempty"` // in the ONNX model where it differs
}

type describedNode struct {
	Index   int    `json:"index"`
	Name    string `json:"name"`
	Output  string `json:"output"` // the first one's name
	Shape   []int  `json:"shape"`  // and shape
	Quant   string `json:"quantization"`
	Weights *int64 `json:"weights"`
	Zeros   *int64 `json:"zero_weights"`
	MACs    *int64 `json:"macs"`
	Filter  string `json:"weight_quantization"` // empty without weights
}

type operatorCount struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

// describe describes a model file. With a model that the workbench cannot import,
// or, if it is an integer one, a device cannot run, the error matches
// errCannotRun and the description is returned beside it; with any other it is nil.
func describe(path string) (*description, error) {
	file, err := cli.ReadFile(path)
	if err != nil {
		return nil, err
	}
	d := &description{Model: path, Format: formOf(path, file), Bytes: len(file), Arithmetic: "float"}
	d.Unsupport = unsupportedReports{[]string{}, []string{}}
	if d.Format == formONNX {
		return d, d.describeONNX(file)
	}
	r, err := runtime.Inspect(file, runtime.Options{})
	if r == nil {
		return nil, importError(path, err)
	}
	g, err := graph.FromTFLite(file)
	if err != nil {
		d.refused(err)
		d.fromReport(r)
	} else {
		d.fromGraph(g)
	}
	d.fromDevice(r)
	return d, d.verdict()
}

// errCannotRun: the model is described, but of no use.
var errCannotRun = errors.New("not supported")

// verdict is an error for a model that its next step would refuse.
func (d *description) verdict() error {
	reasons := d.Unsupport.Import
	if d.Arithmetic == "integer" {
		reasons = d.Unsupport.Device
	}
	if len(reasons) == 0 {
		return nil
	}
	err := fmt.Errorf("%s: %w: %s", d.Model, errCannotRun, counted(len(reasons), "finding"))
	hint := "export the model without those operators"
	if d.invalid {
		hint = hintInvalid
	}
	return cli.WithHint(cli.WithCode(err, cli.ExitUnsupported), hint)
}

// refused takes in why a model cannot be imported.
func (d *description) refused(err error) {
	if list, ok := errors.AsType[*graph.UnsupportedError](err); ok {
		for _, u := range list.Operators {
			d.Unsupport.Import = append(d.Unsupport.Import, u.String())
		}
	} else if list, ok := errors.AsType[*onnx.UnsupportedError](err); ok {
		for _, u := range list.Nodes {
			d.Unsupport.Import = append(d.Unsupport.Import, fmt.Sprintf("%s %s: %s", u.Operator, u.Node, u.Reason))
		}
	} else {
		d.invalid = errors.Is(err, graph.ErrInvalid)
		d.Unsupport.Import = append(d.Unsupport.Import, err.Error())
	}
}

func (d *description) describeONNX(file []byte) error {
	m, err := onnx.Import(file, onnx.Options{})
	if err != nil && !errors.Is(err, graph.ErrUnsupported) {
		return importError(d.Model, err)
	}
	if err != nil {
		d.refused(err)
		return d.verdict()
	}
	d.Producer = m.Producer
	d.fromGraph(m.Graph)
	for i, in := range m.Inputs {
		if in.Perm != nil {
			d.Inputs[i].Source = in.Shape
		}
	}
	return nil
}

// fromGraph describes a model that could be imported.
func (d *description) fromGraph(g *graph.Graph) {
	for _, id := range g.Inputs {
		d.Inputs = append(d.Inputs, describeTensor(g.Tensor(id)))
	}
	for _, id := range g.Outputs {
		d.Outputs = append(d.Outputs, describeTensor(g.Tensor(id)))
	}
	cost := eval.CostOf(g)
	d.Weights, d.Zeros, d.MACs = &cost.Weights, &cost.Zeros, &cost.MACs
	for i := range g.Nodes {
		n, c := &g.Nodes[i], &cost.Nodes[i]
		out := g.Tensor(n.Outputs[0])
		node := describedNode{
			Index: i, Name: n.Op.Name(), Output: out.Name, Shape: out.Shape, Quant: quantText(out.Type, out.Quant.Scales, out.Quant.ZeroPoints),
			Weights: &c.Weights, Zeros: &c.Zeros, MACs: &c.MACs,
		}
		if c.Weights > 0 {
			node.Filter = filterText(g, n)
		}
		d.add(node)
	}
	if slices.ContainsFunc(g.Tensors, func(t graph.Tensor) bool { return t.IsConstant() && len(t.Quant.Scales) > 0 }) {
		d.Arithmetic = "hybrid"
	}
}

func describeTensor(t *graph.Tensor) describedTensor {
	return describedTensor{Name: t.Name, Type: t.Type.String(), Shape: t.Shape, Quant: quantText(t.Type, t.Quant.Scales, t.Quant.ZeroPoints)}
}

// filterText is the quantization of a node's weights.
func filterText(g *graph.Graph, n *graph.Node) string {
	for _, id := range n.Inputs[:min(2, len(n.Inputs))] {
		if t := g.Tensor(id); t.IsConstant() {
			return quantText(t.Type, t.Quant.Scales, t.Quant.ZeroPoints)
		}
	}
	return ""
}

// fromReport describes a model that could not be imported.
func (d *description) fromReport(r *runtime.Report) {
	tensors := func(list []runtime.TensorReport) []describedTensor {
		var out []describedTensor
		for _, t := range list {
			out = append(out, describedTensor{Name: t.Name, Type: t.Type, Shape: t.Shape, Quant: quantText(t.TensorInfo.Type, t.Scales, t.ZeroPoints)})
		}
		return out
	}
	d.Inputs, d.Outputs, d.MACs = tensors(r.Inputs), tensors(r.Outputs), r.MACs
	for _, o := range r.Operators {
		node := describedNode{Index: o.Index, Name: o.Name, Shape: o.Shape, MACs: o.MACs}
		if len(o.Outputs) > 0 && o.Outputs[0] >= 0 {
			t := r.Tensors[o.Outputs[0]]
			node.Output, node.Quant = t.Name, quantText(t.TensorInfo.Type, t.Scales, t.ZeroPoints)
		}
		d.add(node)
	}
}

// fromDevice says how a device takes the model.
func (d *description) fromDevice(r *runtime.Report) {
	if eval.IsInteger(r) {
		d.Arithmetic = "integer"
	}
	d.ArenaBytes = r.ArenaBytes
	for _, f := range r.Unsupported {
		d.Unsupport.Device = append(d.Unsupport.Device, f.Text)
	}
}

func (d *description) add(n describedNode) {
	d.Operators = append(d.Operators, n)
	at := slices.IndexFunc(d.Counts, func(c operatorCount) bool { return c.Name == n.Name })
	if at < 0 {
		at = len(d.Counts)
		d.Counts = append(d.Counts, operatorCount{Name: n.Name})
	}
	d.Counts[at].Count++
	slices.SortStableFunc(d.Counts, func(a, b operatorCount) int { return cmp.Compare(a.Name, b.Name) })
}

// quantText is a tensor's type and quantization in a few words.
func quantText(t runtime.DataType, scales []float32, zeroPoints []int32) string {
	switch len(scales) {
	case 0:
		return t.String()
	case 1:
		zero := int32(0)
		if len(zeroPoints) > 0 {
			zero = zeroPoints[0]
		}
		return fmt.Sprintf("%v, scale %g, zero point %d", t, scales[0], zero)
	}
	return fmt.Sprintf("%v, %d scales", t, len(scales))
}
