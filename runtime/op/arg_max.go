package op

// prepareArgMax prepares ARG_MAX: the index of the first largest value.
func prepareArgMax(p *Prep) (Evaluator, error) { return prepareArgExtremum(p, true) }
