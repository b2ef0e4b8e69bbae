package op

// prepareLogicalOr prepares LOGICAL_OR.
func prepareLogicalOr(p *Prep) (Evaluator, error) {
	return p.logical(func(x, y bool) bool { return x || y })
}
