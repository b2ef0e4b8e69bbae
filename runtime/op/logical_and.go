package op

// prepareLogicalAnd prepares LOGICAL_AND.
func prepareLogicalAnd(p *Prep) (Evaluator, error) {
	return p.logical(func(x, y bool) bool { return x && y })
}
