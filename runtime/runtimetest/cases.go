package runtimetest

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// Case is one conformance case: a model with inputs and the outputs that it
// must give.
type Case struct {
	Name        string
	Dir         string
	Ops         map[string]int              `json:"ops"`
	MACs        int64                       `json:"macs"`
	Kind        string                      `json:"kind"`
	Samples     int                         `json:"n_samples"`
	StatePolicy string                      `json:"state_policy"`
	SampleBytes struct{ Input, Output int } `json:"sample_bytes"`
	Oracle      struct {
		ArenaBytes int `json:"arena_used_bytes"`
	} `json:"oracle"`
	HasLayers string `json:"layers"`
}

// Layers are the hashes of all computed tensors for some of a case's samples.
type Layers struct {
	Samples []struct {
		Sample  int
		Tensors []struct {
			Tensor int
			Name   string
			Bytes  int
			Hash   string `json:"sha256_16"`
		}
	}
}

// Hash is the form of hash in Layers.
func Hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// Shared is a path in the folder of reference material beside the checkout. The
// test is skipped where there is none, and fails if KEDGE_REQUIRE_SHARED=1.
func Shared(t testing.TB, path ...string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("no go.mod above the working directory")
		}
		dir = parent
	}
	full := filepath.Join(append([]string{dir, "..", "shared"}, path...)...)
	if _, err := os.Stat(full); err != nil {
		if os.Getenv("KEDGE_REQUIRE_SHARED") == "1" {
			t.Fatalf("KEDGE_REQUIRE_SHARED=1: %v", err)
		}
		t.Skipf("no reference material: %v", err)
	}
	return full
}

// Cases reads the descriptions of all cases in a folder of the conformance set.
func Cases(t testing.TB, path ...string) []Case {
	t.Helper()
	root := Shared(t, append([]string{"conformance"}, path...)...)
	files, err := filepath.Glob(filepath.Join(root, "*", "case.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: no cases (%v)", root, err)
	}
	cases := make([]Case, len(files))
	for i, f := range files {
		readJSON(t, f, &cases[i])
		cases[i].Dir = filepath.Dir(f)
	}
	return cases
}

// File reads one of the case's files; large ones may be compressed, as name.gz.
func (c *Case) File(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(c.Dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		b, err = readGzip(filepath.Join(c.Dir, name+".gz"))
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func readGzip(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// Layers reads the case's tensor hashes.
func (c *Case) Layers(t testing.TB) Layers {
	t.Helper()
	var l Layers
	readJSON(t, filepath.Join(c.Dir, c.HasLayers), &l)
	return l
}

func readJSON(t testing.TB, path string, v any) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}
