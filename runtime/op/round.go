package op

import "math"

// prepareRound prepares ROUND: to the nearest integer, halves to the even one. By
// the reference's way, through the integer below, what rounds up to 0 gives 0 and
// never -0.
func prepareRound(p *Prep) (Evaluator, error) {
	return p.real(func(x float32) float32 {
		below := floorf(x)
		rest := float32(x - below)
		if rest < 0.5 || rest == 0.5 && math.Mod(float64(below), 2) == 0 {
			return below
		}
		return below + 1
	})
}
