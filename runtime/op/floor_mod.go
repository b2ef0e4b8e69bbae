package op

import "math"

// prepareFloorMod prepares FLOOR_MOD on float32: the remainder with the divisor's
// sign, undefined for a divisor of 0. The truncated remainder is exact; adding the
// divisor is rounded.
func prepareFloorMod(p *Prep) (Evaluator, error) {
	return p.realFloor(func(x, y float32) float32 {
		if y == 0 || math.IsInf(float64(x), 0) {
			return undefined()
		}
		rest := float32(math.Mod(float64(x), float64(y)))
		if rest != 0 && (y < 0) != (rest < 0) {
			return rest + y
		}
		return rest
	})
}
