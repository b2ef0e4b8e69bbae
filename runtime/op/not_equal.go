package op

// prepareNotEqual prepares NOT_EQUAL: x ≠ y, of bool too.
func prepareNotEqual(p *Prep) (Evaluator, error) { return p.compare(notEqual) }
