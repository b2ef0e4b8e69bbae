package op

// prepareExp prepares EXP.
func prepareExp(p *Prep) (Evaluator, error) { return p.real(expf) }
