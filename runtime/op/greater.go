package op

// prepareGreater prepares GREATER: x > y.
func prepareGreater(p *Prep) (Evaluator, error) { return p.compare(greater) }
