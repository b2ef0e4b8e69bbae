package train

import "fmt"

// How much a row labeled after an alarm counts in retraining, next to 1 for a
// row of the original set. A hundred fresh labels stand against more than a
// thousand old ones that no longer look like what the sensor sends; the newest
// hundred most of all.
const (
	LatestWeight  = 8
	EarlierWeight = 4
)

// Combine joins the original training set with the sets labeled since, oldest
// first, for retraining. Rows of latest, the newest labeled set, weigh
// LatestWeight times what they carry, those of earlier sets EarlierWeight
// times, original rows once. All sets must have equally many features;
// otherwise the error matches ErrSamples.
//
// always holds all but the newest set and newest that one, so that the two can
// also be given to CrossConfidences; Join makes one set of them for Fit.
func Combine(original Samples, earlier []Samples, latest Samples) (always, newest Samples, err error) {
	for i, s := range append(earlier[:len(earlier):len(earlier)], latest) {
		if s.Features != original.Features {
			return Samples{}, Samples{}, fmt.Errorf("%w: labeled set %d has %d features, the original %d", ErrSamples, i, s.Features, original.Features)
		}
	}
	always, newest = Samples{Features: original.Features}, Samples{Features: original.Features}
	always.add(original, 1)
	for _, s := range earlier {
		always.add(s, EarlierWeight)
	}
	newest.add(latest, LatestWeight)
	return always, newest, nil
}

// Join returns the rows of a followed by those of b, which has equally many
// features; rows without weights get weight 1.
func Join(a, b Samples) Samples {
	s := Samples{Features: a.Features}
	s.add(a, 1)
	s.add(b, 1)
	return s
}

// add appends t, every weight multiplied by factor.
func (s *Samples) add(t Samples, factor float32) {
	s.X = append(s.X, t.X...)
	s.Y = append(s.Y, t.Y...)
	for i := range t.Y {
		w := factor
		if t.Weight != nil {
			w *= t.Weight[i]
		}
		s.Weight = append(s.Weight, w)
	}
}
