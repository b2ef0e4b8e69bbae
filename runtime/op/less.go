package op

// prepareLess prepares LESS: x < y.
func prepareLess(p *Prep) (Evaluator, error) { return p.compare(less) }
