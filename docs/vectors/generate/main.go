// Command generate writes the protocol's test vectors, docs/vectors:
//
//	go run ./docs/vectors/generate
//
// It gives the same bytes every time: keys come from fixed seeds, all times are
// fixed, archives are stored and not compressed. A test compares what lies there
// with what it makes. docs/protocol.md explains the vectors.
//
// It uses the project's own packages to sign and to encode, so the vectors show
// what kedge writes; what kedge has to refuse is put together here by hand.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

func main() {
	dir := flag.String("o", filepath.FromSlash("docs/vectors"), "folder to write to")
	flag.Parse()
	if err := write(*dir); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func write(dir string) error {
	files, err := vectors()
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, files[name], 0o644); err != nil {
			return err
		}
	}
	return nil
}

// A set collects the vectors: files by their name below docs/vectors, and what
// an implementation has to say of them.
type set struct {
	files  map[string][]byte
	checks []check
	err    error // the first one; what follows it is void
}

// vectors makes all files.
func vectors() (map[string][]byte, error) {
	s := &set{files: make(map[string][]byte)}
	s.addKeys()
	s.addPAE()
	s.addTopics()
	s.addMessages()
	s.addFeatures()
	s.addChunks()
	d := s.addDocuments()
	s.addRefusedDocuments(d)
	s.addRefusedBundles(d)
	s.json("manifest.json", manifest{
		About:  "Every file and what an implementation has to say of it. docs/protocol.md explains the members.",
		Checks: s.checks,
	})
	return s.files, s.err
}

// fail keeps the first error.
func (s *set) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}

func (s *set) add(name string, data []byte) {
	if _, twice := s.files[name]; twice {
		s.fail(fmt.Errorf("%s is made twice", name))
	}
	s.files[name] = data
}

// json adds a file for people as well: indented, with a line end.
func (s *set) json(name string, v any) {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		s.fail(fmt.Errorf("%s: %w", name, err))
	}
	s.add(name, append(data, '\n'))
}

// checked adds a file and what has to be said of it.
func (s *set) checked(data []byte, c check) {
	s.add(c.File, data)
	s.checks = append(s.checks, c)
}
