package main

import (
	"kedge/runtime/feature"
	"kedge/telemetry/wire"
)

// The model's input tensor: how standardized features become int8.
const (
	inputScale     = 0.03125
	inputZeroPoint = -3
)

var columns = feature.Set{
	{Name: "rms", Transform: feature.None, Mean: 0.4, Scale: 0.15},
	{Name: "peak", Transform: feature.SignedLog1p, Mean: 1.25, Scale: 0.5},
}

// addFeatures shows how a row becomes the model's input.
func (s *set) addFeatures() {
	type row struct {
		X            wire.Float32s `json:"x"`            // as in evidence
		Standardized wire.Float32s `json:"standardized"` // float32, little-endian
		Input        []int8        `json:"input"`
	}
	t, err := feature.Compile(columns)
	if err != nil {
		s.fail(err)
		return
	}
	var rows []row
	for _, x := range [][]float32{{0.4, 0}, {0.55, 2.5}, {-1, -2.5}, {0.1, 1e6}, {1e9, -1e-9}, {0.42, 1.5}} {
		standardized := make([]float32, len(x))
		input := make([]byte, len(x))
		wide := make([]float64, len(x))
		for i, v := range x {
			wide[i] = float64(v)
		}
		if err := t.Apply(standardized, wide); err != nil {
			s.fail(err)
		}
		if err := feature.Quantize(input, standardized, inputScale, inputZeroPoint); err != nil {
			s.fail(err)
		}
		r := row{X: wire.PackFloat32s(x), Standardized: wire.PackFloat32s(standardized)}
		for _, b := range input {
			r.Input = append(r.Input, int8(b))
		}
		rows = append(rows, r)
	}
	s.json("features.json", map[string]any{
		"features": columns, "input_scale": inputScale, "input_zero_point": inputZeroPoint, "rows": rows,
	})
}
