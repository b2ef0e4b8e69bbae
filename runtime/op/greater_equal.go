package op

// prepareGreaterEqual prepares GREATER_EQUAL: x ≥ y.
func prepareGreaterEqual(p *Prep) (Evaluator, error) { return p.compare(greaterEqual) }
