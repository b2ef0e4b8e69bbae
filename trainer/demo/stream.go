package demo

import (
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
)

// A Row is one input and its true class, which the device never sees.
type Row struct {
	X     []float32
	Label string
}

// A Stage is a part of the stream during which the world stays much the same.
type Stage struct {
	Name string
	Rows []Row
}

// A Stream is what the demo trains on and then replays. The first stage is
// held out from the same time as the training rows; drift begins with the second.
type Stream struct {
	Name      string
	Simulated bool
	Features  []string
	Transform string // of every feature, as in runtime/feature
	Train     []Row
	Stages    []Stage
}

// trainShare is the part of the first two batches that is trained on; the rest is held out.
const trainShare = .7

var batchName = regexp.MustCompile(`^batch(\d+)\.csv(\.gz)?$`)

// readBatches reads a directory of batch<N>.csv.gz files: a header line, then
// class, concentration (no feature), features. The first two batches are
// split by the seed into training rows and the first stage, each further
// batch is shuffled by it: recorded rows are often sorted by class, which no
// sensor's day is.
func readBatches(dir string, seed uint64) (*Stream, error) {
	batches, err := listBatches(dir)
	if err != nil {
		return nil, err
	}
	s := &Stream{Name: filepath.Base(dir), Transform: "signed-log1p"}
	rng := rand.New(rand.NewPCG(seed, 0x5851f42d4c957f2d))
	var first []Row
	for i, b := range batches {
		names, rows, err := readBatch(b.path)
		if err != nil {
			return nil, err
		}
		if s.Features == nil {
			s.Features = names
		} else if !slices.Equal(s.Features, names) {
			return nil, fmt.Errorf("%s: its columns differ from those of %s", b.path, batches[0].path)
		}
		if i < 2 {
			first = append(first, rows...)
			continue
		}
		shuffle(rng, rows)
		s.Stages = append(s.Stages, Stage{Name: "batch " + strconv.Itoa(b.n), Rows: rows})
	}
	shuffle(rng, first)
	cut := int(math.Round(trainShare * float64(len(first))))
	s.Train = first[:cut]
	s.Stages = slices.Insert(s.Stages, 0, Stage{
		Name: fmt.Sprintf("batches %d and %d, held out", batches[0].n, batches[1].n), Rows: first[cut:],
	})
	return s, nil
}

func shuffle(rng *rand.Rand, rows []Row) {
	rng.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
}

type batchFile struct {
	n    int
	path string
}

// listBatches finds the batches in numeric order; numbers may be missing.
func listBatches(dir string) ([]batchFile, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var batches []batchFile
	for _, e := range entries {
		if m := batchName.FindStringSubmatch(e.Name()); m != nil {
			n, err := strconv.Atoi(m[1])
			if err != nil {
				return nil, fmt.Errorf("%s: %w", e.Name(), err)
			}
			batches = append(batches, batchFile{n: n, path: filepath.Join(dir, e.Name())})
		}
	}
	slices.SortFunc(batches, func(a, b batchFile) int { return a.n - b.n })
	for i := 1; i < len(batches); i++ {
		if batches[i].n == batches[i-1].n {
			return nil, fmt.Errorf("%s and %s are the same batch", batches[i-1].path, batches[i].path)
		}
	}
	if len(batches) < 3 {
		return nil, fmt.Errorf("%s: %d files batch<N>.csv.gz, want at least 3: two to learn from and one that drifts", dir, len(batches))
	}
	return batches, nil
}

func readBatch(path string) (features []string, rows []Row, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	var r io.Reader = bufio.NewReader(f)
	if filepath.Ext(path) == ".gz" {
		if r, err = gzip.NewReader(r); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	c := csv.NewReader(r)
	c.ReuseRecord = true
	header, err := c.Read()
	if err != nil {
		return nil, nil, fmt.Errorf("%s: header: %w", path, err)
	}
	if len(header) < 3 {
		return nil, nil, fmt.Errorf("%s: %d columns, want class, concentration and features", path, len(header))
	}
	features = slices.Clone(header[2:])
	for {
		record, err := c.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", path, err)
		}
		row := Row{Label: record[0], X: make([]float32, len(features))}
		for i, cell := range record[2:] {
			v, err := strconv.ParseFloat(cell, 32)
			if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
				line, _ := c.FieldPos(i + 2)
				return nil, nil, fmt.Errorf("%s: line %d: column %s: %q is no finite number", path, line, features[i], cell)
			}
			row.X[i] = float32(v)
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		return nil, nil, fmt.Errorf("%s: no rows", path)
	}
	return features, rows, nil
}
