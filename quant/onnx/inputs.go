package onnx

import (
	"fmt"
	"slices"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// graphInputs defines the inputs that are not constants.
func (im *importer) graphInputs() error {
	images := im.model.graph.images()
	for i := range im.model.graph.inputs {
		info := &im.model.graph.inputs[i]
		if v := im.values[info.name]; v != nil && v.isConstant() {
			continue // an initializer, which older files list as an input too, or fixed by the caller
		}
		if t, ok := types[info.elemType]; !ok || !isReal(t) {
			return fmt.Errorf("%w: graph input %q holds no real numbers (element type %d of TensorProto.DataType)", graph.ErrUnsupported, info.name, info.elemType)
		}
		shape, err := info.shape()
		if err != nil {
			return err
		}
		if err := im.graphInput(info.name, shape, images[info.name]); err != nil {
			return err
		}
	}
	return nil
}

// shape is the declared shape with an open batch as 1.
func (v *valueInfo) shape() (tensor.Shape, error) {
	if !v.hasShape {
		return nil, fmt.Errorf("%w: graph input %q has no shape: export the model with a fixed one", graph.ErrUnsupported, v.name)
	}
	shape := make(tensor.Shape, len(v.dims))
	if err := checkRank(shape); err != nil {
		return nil, fmt.Errorf("graph input %q: %w", v.name, err)
	}
	for i, d := range v.dims {
		switch {
		case d.known && d.size > 0 && d.size <= maxExtent:
			shape[i] = int(d.size)
		case d.known:
			return nil, fmt.Errorf("%w: graph input %q: dimension %d is %d", graph.ErrInvalid, v.name, i, d.size)
		case i == 0:
			shape[i] = 1
		default:
			return nil, fmt.Errorf("%w: graph input %q: dimension %d (%q) is open: export the model with a fixed shape", graph.ErrUnsupported, v.name, i, d.name)
		}
	}
	return shape, nil
}

func (im *importer) graphInput(name string, shape tensor.Shape, image bool) error {
	input := Input{Name: name, Shape: shape}
	image = image && (len(shape) == 3 || len(shape) == 4)
	stored := shape
	if image {
		input.Perm = toLast(len(shape))
		stored = permuted(shape, input.Perm)
	}
	id := im.g.AddTensor(graph.Tensor{Name: name, Shape: stored, Type: tensor.Float32})
	im.g.Inputs = append(im.g.Inputs, id)
	im.inputs = append(im.inputs, input)
	if image {
		first, err := im.add(name+"/channels_first", graph.Transpose{Perm: toFirst(len(shape))}, 1, id)
		if err != nil {
			return fmt.Errorf("graph input %q: %w", name, err)
		}
		im.last[first[0]] = id
		id = first[0]
	}
	return im.define(name, &value{Tensor: Tensor{Shape: shape, Type: tensor.Float32}, id: id})
}

// images are the values that an operator on channels-first images reads,
// directly or behind operators that keep the meaning of dimensions.
func (g *graphProto) images() map[string]bool {
	image := map[string]bool{}
	for i := len(g.nodes) - 1; i >= 0; i-- {
		n := &g.nodes[i]
		row, ok := operators[n.operator]
		switch {
		case !ok || !standardDomain(n.domain) || len(n.inputs) == 0:
		case row.layout == imageLayout:
			image[n.inputs[0]] = true
		case row.layout == anyLayout && slices.ContainsFunc(n.outputs, func(s string) bool { return image[s] }):
			for _, s := range n.inputs {
				image[s] = true
			}
		}
	}
	return image
}

// toLast is the permutation that puts dimension 1 of rank dimensions last.
func toLast(rank int) []int {
	perm := []int{0}
	for i := 2; i < rank; i++ {
		perm = append(perm, i)
	}
	return append(perm, 1)
}

// toFirst undoes toLast.
func toFirst(rank int) []int {
	perm := []int{0, rank - 1}
	for i := 1; i < rank-1; i++ {
		perm = append(perm, i)
	}
	return perm
}

func permuted(shape tensor.Shape, perm []int) tensor.Shape {
	out := make(tensor.Shape, len(perm))
	for i, p := range perm {
		out[i] = shape[p]
	}
	return out
}
