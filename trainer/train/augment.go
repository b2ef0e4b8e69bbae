package train

import "math/rand/v2"

// augment disturbs one standardized row the way sensors drift: all features
// together by one draw of Offset, each by its own draw of Noise.
func augment(row []float32, o Options, rng *rand.Rand) {
	if o.Offset > 0 {
		shift := float32(rng.NormFloat64() * o.Offset)
		for j := range row {
			row[j] += shift
		}
	}
	if o.Noise > 0 {
		for j := range row {
			row[j] += float32(rng.NormFloat64() * o.Noise)
		}
	}
}
