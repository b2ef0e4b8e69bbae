package emit

import (
	"fmt"
	"strings"

	"kedge/quant/graph"
)

// Metadata is what a person or a program that uses the model should know, in the
// form that TFLite's metadata libraries and Netron read (metadata_schema.fbs of
// tflite-support, identifier M001). All fields may be empty.
type Metadata struct {
	Name, Description, Version, Author, License string
	// Inputs and Outputs describe the graph's, in order: all of them or none.
	Inputs, Outputs []TensorMetadata
}

// TensorMetadata describes an input or output. All fields may be empty.
type TensorMetadata struct {
	Name, Description string
	Color             Color
	// Mean and Std say how the float model's values come from raw ones: (x − Mean) /
	// Std, one value for each channel or one for all. A quantized model's integers are
	// made from the result by the tensor's scale and zero point.
	Mean, Std []float32
	// Min and Max bound the tensor's values, for each channel or for all.
	Min, Max []float32
	// Labels name the positions along the last dimension. They become a text file
	// in the ZIP archive at the end of the model file, one a line.
	Labels []string
}

// Color is what the channels of an image are. Values are the schema's.
type Color uint8

// The kinds of tensors by content.
const (
	NotAnImage Color = iota
	RGB
	Grayscale
)

// check reports what does not fit g.
func (m *Metadata) check(g *graph.Graph) error {
	for _, side := range []struct {
		name   string
		have   []TensorMetadata
		tensor []graph.TensorID
	}{{"input", m.Inputs, g.Inputs}, {"output", m.Outputs, g.Outputs}} {
		if len(side.have) != 0 && len(side.have) != len(side.tensor) {
			return fmt.Errorf("%w: describes %d %ss, the model has %d", ErrMetadata, len(side.have), side.name, len(side.tensor))
		}
		for i := range side.have {
			if err := side.have[i].check(g.Tensor(side.tensor[i])); err != nil {
				return fmt.Errorf("%s %d: %w", side.name, i, err)
			}
		}
	}
	return nil
}

func (m *TensorMetadata) check(t *graph.Tensor) error {
	depth := 1
	if len(t.Shape) > 0 {
		depth = t.Shape[len(t.Shape)-1]
	}
	for _, v := range []struct {
		name   string
		values []float32
	}{{"means", m.Mean}, {"standard deviations", m.Std}, {"minima", m.Min}, {"maxima", m.Max}} {
		if n := len(v.values); n > 1 && n != depth {
			return fmt.Errorf("%w: %d %s for %d channels, want 1 or one for each", ErrMetadata, n, v.name, depth)
		}
	}
	if (len(m.Mean) == 0) != (len(m.Std) == 0) {
		return fmt.Errorf("%w: mean and standard deviation are given together or not at all", ErrMetadata)
	}
	for _, s := range m.Std {
		if !(s > 0) {
			return fmt.Errorf("%w: standard deviation %v, want a positive number", ErrMetadata, s)
		}
	}
	if n := len(m.Labels); n > 0 && n != depth {
		return fmt.Errorf("%w: %d labels for %d values", ErrMetadata, n, depth)
	}
	for i, label := range m.Labels {
		if strings.ContainsAny(label, "\r\n") {
			return fmt.Errorf("%w: label %d %q has more than one line", ErrMetadata, i, label)
		}
	}
	return nil
}

// Numbers of the metadata schema.
const (
	metadataIdentifier   = "M001"
	parserVersion        = "1.0.0" // of the newest field that is written
	featureProperties    = 1       // members of union ContentProperties
	imageProperties      = 2
	normalizationOptions = 1 // member of union ProcessUnitOptions
	tensorAxisLabels     = 2 // of enumeration AssociatedFileType
)

// flatbuffer writes the table ModelMetadata.
func (m *Metadata) flatbuffer(g *graph.Graph) []byte {
	b := newBuilder()
	inputs := tensorsMetadata(b, m.Inputs, "input", len(g.Inputs))
	outputs := tensorsMetadata(b, m.Outputs, "output", len(g.Outputs))
	b.table()
	b.setRef(2, inputs)
	b.setRef(3, outputs)
	subgraphs := b.tables([]ref{b.end()})
	texts := b.optional(m.Name, m.Description, m.Version, m.Author, m.License, parserVersion)
	b.table()
	b.setRef(0, texts[0])
	b.setRef(1, texts[1])
	b.setRef(2, texts[2])
	b.setRef(3, subgraphs)
	b.setRef(4, texts[3])
	b.setRef(5, texts[4])
	b.setRef(7, texts[5])
	return b.finish(b.end(), metadataIdentifier)
}

// optional writes texts; empty ones are absent.
func (b *builder) optional(texts ...string) []ref {
	refs := make([]ref, len(texts))
	for i, s := range texts {
		if s != "" {
			refs[i] = b.text(s)
		}
	}
	return refs
}

// tensorsMetadata writes a table for each of n tensors, as the schema wants, also
// for those of which nothing is known.
func tensorsMetadata(b *builder, list []TensorMetadata, side string, n int) ref {
	if len(list) == 0 {
		list = make([]TensorMetadata, n)
	}
	refs := make([]ref, n)
	for i := range list {
		refs[i] = list[i].write(b, labelFile(side, i))
	}
	return b.tables(refs)
}

func (m *TensorMetadata) write(b *builder, file string) ref {
	texts, content := b.optional(m.Name, m.Description), m.content(b)
	var units, stats, files ref
	if len(m.Mean) > 0 {
		units = m.normalization(b)
	}
	if len(m.Min) > 0 || len(m.Max) > 0 {
		high, low := b.floats(m.Max), b.floats(m.Min)
		b.table()
		b.setRef(0, high)
		b.setRef(1, low)
		stats = b.end()
	}
	if len(m.Labels) > 0 {
		name := b.text(file)
		b.table()
		b.setRef(0, name)
		b.setByte(2, tensorAxisLabels)
		files = b.tables([]ref{b.end()})
	}
	b.table()
	b.setRef(0, texts[0])
	b.setRef(1, texts[1])
	b.setRef(3, content)
	b.setRef(4, units)
	b.setRef(5, stats)
	b.setRef(6, files)
	return b.end()
}

// content says whether the tensor is an image.
func (m *TensorMetadata) content(b *builder) ref {
	kind := byte(featureProperties)
	b.table()
	if m.Color != NotAnImage {
		kind = imageProperties
		b.setByte(0, byte(m.Color))
	}
	properties := b.end()
	b.table()
	b.setRef(1, properties)
	b.setByte(0, kind)
	return b.end()
}

// normalization is a list of process units with one element.
func (m *TensorMetadata) normalization(b *builder) ref {
	mean, std := b.floats(m.Mean), b.floats(m.Std)
	b.table()
	b.setRef(0, mean)
	b.setRef(1, std)
	options := b.end()
	b.table()
	b.setRef(1, options)
	b.setByte(0, normalizationOptions)
	return b.tables([]ref{b.end()})
}
