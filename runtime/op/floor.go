package op

import "math"

// prepareFloor prepares FLOOR.
func prepareFloor(p *Prep) (Evaluator, error) { return p.real(floorf) }

func floorf(x float32) float32 { return float32(math.Floor(float64(x))) }
