package op

// prepareLessEqual prepares LESS_EQUAL: x ≤ y.
func prepareLessEqual(p *Prep) (Evaluator, error) { return p.compare(lessEqual) }
