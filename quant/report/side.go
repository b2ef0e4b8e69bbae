package report

import (
	"bytes"
	"cmp"
	"compress/flate"
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"kedge/quant/eval"
	"kedge/quant/graph"
	"kedge/runtime"
)

// Side is one of the two models.
type Side struct {
	Name       string  `json:"name"`
	Digest     string  `json:"sha256"` // of the file
	Bytes      int     `json:"bytes"`
	Deflated   int     `json:"deflated_bytes"` // as DEFLATE packs the file
	Weights    int64   `json:"weights"`        // elements of filters and matrices
	Zeros      int64   `json:"zero_weights"`
	MACs       int64   `json:"macs"`
	ArenaBytes *int    `json:"arena_bytes"` // working memory on a device; nil where it cannot run there
	Operators  []Count `json:"operators"`   // by name

	Accuracy      *float64 `json:"accuracy"`
	AccuracyError *float64 `json:"accuracy_standard_error"`
	AUC           *float64 `json:"auc"`
	AUCError      *float64 `json:"auc_standard_error"`
}

// Count is how often an operator occurs.
type Count struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

func newSide(name string, file []byte, g *graph.Graph) (Side, error) {
	digest := sha256.Sum256(file)
	packed, err := deflated(file)
	if err != nil {
		return Side{}, err
	}
	cost := eval.CostOf(g)
	s := Side{
		Name: name, Digest: hex.EncodeToString(digest[:]), Bytes: len(file), Deflated: packed,
		Weights: cost.Weights, Zeros: cost.Zeros, MACs: cost.MACs, Operators: count(g),
	}
	// What is no .tflite file, or cannot run on a device, has no arena there.
	if r, err := runtime.Inspect(file, runtime.Options{}); err == nil {
		s.ArenaBytes = r.ArenaBytes
	}
	return s, nil
}

// deflated is how many bytes a download or a compressed file system takes.
func deflated(file []byte) (int, error) {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		return 0, err
	}
	if _, err := w.Write(file); err != nil {
		return 0, err
	}
	err = w.Close()
	return b.Len(), err
}

func count(g *graph.Graph) []Count {
	out := []Count{}
	for i := range g.Nodes {
		name := g.Nodes[i].Op.Name()
		at, found := slices.BinarySearchFunc(out, name, func(c Count, name string) int { return cmp.Compare(c.Name, name) })
		if !found {
			out = slices.Insert(out, at, Count{Name: name})
		}
		out[at].Count++
	}
	return out
}

// result takes in how well the model answers.
func (s *Side) result(r *eval.Result) {
	s.Accuracy, s.AccuracyError = finite(r.Accuracy), finite(r.AccuracyError)
	s.AUC, s.AUCError = finite(r.AUC), finite(r.AUCError)
	if s.Accuracy == nil {
		s.AccuracyError = nil
	}
	if s.AUC == nil {
		s.AUCError = nil
	}
}
