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
// first, and weights them for retraining: original rows keep their weight, the
// last set's rows get latest times theirs, those of the sets between earlier
// times theirs (zero means LatestWeight and EarlierWeight). The sets must have
// equally many features; otherwise the error matches ErrSamples.
func Combine(original Samples, labeled []Samples, latest, earlier float32) (Samples, error) {
	if latest == 0 {
		latest = LatestWeight
	}
	if earlier == 0 {
		earlier = EarlierWeight
	}
	out := Samples{Features: original.Features}
	out.add(original, 1)
	for i, s := range labeled {
		if s.Features != original.Features {
			return Samples{}, fmt.Errorf("%w: labeled set %d has %d features, the original %d", ErrSamples, i, s.Features, original.Features)
		}
		if i == len(labeled)-1 {
			out.add(s, latest)
		} else {
			out.add(s, earlier)
		}
	}
	return out, nil
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
