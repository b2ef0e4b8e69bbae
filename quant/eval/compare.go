package eval

import (
	"fmt"
	"math"

	"kedge/quant/graph"
	"kedge/runtime"
)

// Comparison says how an int8 model answers beside its float original.
type Comparison struct {
	Samples   int
	Agreement float64 // share of rows on which both have the same top class
	// FloatAccuracy and Accuracy are the shares of right answers of the float
	// graph and of the int8 model; NaN without labels.
	FloatAccuracy, Accuracy float64
	Layers                  []Layer // in execution order
}

// Layer is one activation of both models, compared.
type Layer struct {
	Name string
	// SQNR is the signal-to-quantization-noise ratio in decibels,
	// 10·log10(Σ float² / Σ (float − int8)²); +Inf when equal.
	SQNR float64
}

// Compare runs the rows of x through g and through model, the .tflite file that
// was made from it, and compares them activation by activation. y holds the
// rows' classes or is nil.
// Errors match ErrModel or ErrSamples, or are those of packages graph and
// runtime.
func Compare(g *graph.Graph, model []byte, x []float32, y []int) (Comparison, error) {
	c, err := open(model, runtime.SessionOptions{Separate: true})
	if err != nil {
		return Comparison{}, err
	}
	if len(x) == 0 || len(x)%c.features != 0 || (y != nil && len(y) != len(x)/c.features) {
		return Comparison{}, fmt.Errorf("%w: %d values and %d labels for rows of %d", ErrSamples, len(x), len(y), c.features)
	}
	e, err := graph.NewExecutor(g)
	if err != nil {
		return Comparison{}, err
	}
	n, err := newNoise(g, c.session)
	if err != nil {
		return Comparison{}, err
	}
	out := Comparison{Samples: len(x) / c.features, FloatAccuracy: math.NaN(), Accuracy: math.NaN()}
	same, floatRight, right := 0, 0, 0
	for i := range out.Samples {
		row := x[i*c.features : (i+1)*c.features]
		answer, err := c.Classify(row)
		if err != nil {
			return Comparison{}, err
		}
		float, err := e.Run([][]float32{row}, n.add)
		if err != nil {
			return Comparison{}, err
		}
		want := top(float[0])
		same += one(answer.Class == want)
		if y != nil {
			floatRight += one(want == y[i])
			right += one(answer.Class == y[i])
		}
	}
	out.Agreement = share(same, out.Samples)
	if y != nil {
		out.FloatAccuracy, out.Accuracy = share(floatRight, out.Samples), share(right, out.Samples)
	}
	out.Layers = n.layers()
	return out, nil
}

// noise sums up signal and error of each activation. Quantization keeps the
// numbers of tensors, so the float and the int8 activation have the same one;
// the names are compared to be sure.
type noise struct {
	g             *graph.Graph
	session       *runtime.Session
	info          map[graph.TensorID]runtime.TensorInfo
	order         []graph.TensorID
	signal, noise map[graph.TensorID]float64
	buffer        []float32
}

func newNoise(g *graph.Graph, s *runtime.Session) (*noise, error) {
	n := &noise{
		g: g, session: s,
		info:   make(map[graph.TensorID]runtime.TensorInfo),
		signal: make(map[graph.TensorID]float64), noise: make(map[graph.TensorID]float64),
	}
	for _, info := range s.Computed() {
		id := graph.TensorID(info.Index)
		if info.Index >= len(g.Tensors) || g.Tensor(id).Name != info.Name {
			return nil, fmt.Errorf("%w: tensor %d %q has no counterpart in the float graph", ErrModel, info.Index, info.Name)
		}
		n.info[id] = info
	}
	return n, nil
}

// add is called with each float activation right after the int8 model ran on
// the same row.
func (n *noise) add(id graph.TensorID, values []float32) {
	info, ok := n.info[id]
	raw := n.session.Tensor(int(id))
	if !ok || info.Type == runtime.Int8 && (len(info.Scales) != 1 || len(raw) != len(values)) {
		return
	}
	if _, seen := n.signal[id]; !seen {
		n.order = append(n.order, id)
	}
	if cap(n.buffer) < len(values) {
		n.buffer = make([]float32, len(values))
	}
	got := n.buffer[:len(values)]
	decode(got, info, raw)
	for i, v := range values {
		d := float64(v) - float64(got[i])
		n.signal[id] += float64(v) * float64(v)
		n.noise[id] += d * d
	}
}

func (n *noise) layers() []Layer {
	layers := make([]Layer, len(n.order))
	for i, id := range n.order {
		layers[i] = Layer{Name: n.g.Tensor(id).Name, SQNR: 10 * math.Log10(n.signal[id]/n.noise[id])}
	}
	return layers
}

func top(row []float32) int {
	best := 0
	for i, v := range row {
		if v > row[best] {
			best = i
		}
	}
	return best
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

func share(n, of int) float64 { return float64(n) / float64(of) }
