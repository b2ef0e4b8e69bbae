package main

import (
	"crypto/sha256"
	"encoding/hex"

	"kedge/runtime"
)

// layerLog collects the hashes that infer --layers writes.
type layerLog struct {
	Note    string        `json:"note"`
	Samples []layerSample `json:"samples"`

	session  *runtime.Session
	computed []runtime.TensorInfo
}

type layerSample struct {
	Sample  int           `json:"sample"`
	Tensors []layerTensor `json:"tensors"`
}

type layerTensor struct {
	Tensor int    `json:"tensor"`
	Name   string `json:"name"`
	Type   string `json:"dtype"`
	Shape  []int  `json:"shape"`
	Bytes  int    `json:"bytes"`
	Hash   string `json:"sha256_16"`
}

func newLayerLog(s *runtime.Session) *layerLog {
	return &layerLog{
		Note:    "first 16 hex digits of the SHA-256 of every tensor that is not a constant, after each inference; variables as it left them",
		Samples: []layerSample{},
		session: s, computed: s.Computed(),
	}
}

// add hashes all tensors as sample n left them. A nil log does nothing.
func (l *layerLog) add(n int) {
	if l == nil {
		return
	}
	s := layerSample{Sample: n, Tensors: make([]layerTensor, len(l.computed))}
	for i, t := range l.computed {
		sum := sha256.Sum256(l.session.Tensor(t.Index))
		shape := t.Shape
		if shape == nil {
			shape = []int{}
		}
		s.Tensors[i] = layerTensor{t.Index, t.Name, t.Type.String(), shape, t.Bytes, hex.EncodeToString(sum[:8])}
	}
	l.Samples = append(l.Samples, s)
}
