package op

// prepareEqual prepares EQUAL: x = y, of bool too.
func prepareEqual(p *Prep) (Evaluator, error) { return p.compare(equal) }
