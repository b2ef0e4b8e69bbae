package main

import (
	"compress/gzip"
	"encoding/csv"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
)

// scenario is a kind of stream.
type scenario struct {
	name      string
	reference int
	// start begins a stream and returns its samples one by one; change is the number of
	// the first sample that differs, or -1.
	start func(rng *rand.Rand, change int) func(i int) (x float64, context string)
	rare  bool // also measured with false alarms as rare as on a large fleet
}

const calm = 500

// abrupt changes from one distribution to another.
func abrupt(name string, before, after []float64) scenario { return gradual(name, before, after, 1) }

// gradual draws ever more of its samples from the other distribution.
func gradual(name string, before, after []float64, width int) scenario {
	a, b := newSource(before), newSource(after)
	return scenario{name: name, reference: calm, start: func(rng *rand.Rand, change int) func(int) (float64, string) {
		return func(i int) (float64, string) {
			if change >= 0 && rng.Float64()*float64(width) < float64(i-change+1) {
				return b.draw(rng), ""
			}
			return a.draw(rng), ""
		}
	}}
}

// synthetic are the streams that need no file.
func synthetic() []scenario {
	all := []scenario{
		abrupt("Beta(19,1), drop .03", beta(19), betaMean(0.92)),
		abrupt("Beta(19,1), drop .10", beta(19), betaMean(0.85)),
		abrupt("Beta(19,1), drop .19", beta(19), betaMean(0.76)),
		gradual("Beta(19,1), gradual drop .10 over 1,000", beta(19), betaMean(0.85), 1000),
		{name: "Beta(19,1), incremental drop .10 over 1,000", reference: calm, start: func(rng *rand.Rand, change int) func(int) (float64, string) {
			return func(i int) (float64, string) {
				mean := 0.95
				if change >= 0 && i >= change {
					mean -= 0.1 * math.Min(float64(i-change)/1000, 1)
				}
				return math.Pow(rng.Float64(), (1-mean)/mean), ""
			}
		}},
		abrupt("right or wrong, .95 to .90", two(0, 255, .05), two(0, 255, .10)),
		abrupt("right or wrong, .95 to .80", two(0, 255, .05), two(0, 255, .20)),
	}
	for _, ratio := range []float64{0.5, 0.9, 0.99} {
		all = append(all, scenario{name: "autocorrelation " + strconv.FormatFloat(ratio, 'g', -1, 64) + ", drop .10", reference: 2000,
			start: func(rng *rand.Rand, change int) func(int) (float64, string) {
				c := newCorrelated(rng, ratio)
				return func(i int) (float64, string) {
					x := c.draw()
					if change >= 0 && i >= change {
						x -= 0.1
					}
					return x, ""
				}
			}})
	}
	return append(all, scenario{name: "daily rhythm of 2 points, drop .03, context hour", reference: 2880,
		start: func(rng *rand.Rand, change int) func(int) (float64, string) {
			return func(i int) (float64, string) {
				mean := 0.93 + 0.02*math.Sin(2*math.Pi*float64(i)/1440)
				x := math.Pow(rng.Float64(), (1-mean)/mean)
				if change >= 0 && i >= change {
					x -= 0.03
				}
				return x, strconv.Itoa(i / 60 % 24)
			}
		}})
}

// recorded are the int8 confidences of a model for gas sensors, resampled; none where
// the file is absent.
func recorded(golden string) []scenario {
	file, err := os.Open(filepath.Join(golden, "real_gas_conf_int8.csv.gz"))
	if err != nil {
		return nil
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		return nil
	}
	rows, err := csv.NewReader(unzipped).ReadAll()
	if err != nil || len(rows) < 5046 {
		return nil
	}
	weights := func(from, to int) []float64 {
		w := make([]float64, 256)
		for _, row := range rows[1+from : 1+to] {
			x, err := strconv.ParseFloat(row[0], 64)
			if err == nil {
				w[int(min(max(x*256, 0), 255))]++
			}
		}
		return w
	}
	held := weights(0, 507)
	all := []scenario{
		abrupt("gas, batch 3", held, weights(507, 2093)),
		abrupt("gas, batch 6", held, weights(2451, 4751)),
		abrupt("gas, batch 8", held, weights(4751, 5045)),
	}
	for i := range all {
		all[i].rare = true
	}
	return all
}
