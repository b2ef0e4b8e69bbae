package op

// prepareSqrt prepares SQRT.
func prepareSqrt(p *Prep) (Evaluator, error) { return p.real(sqrtf) }
