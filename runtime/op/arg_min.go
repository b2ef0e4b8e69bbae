package op

// prepareArgMin prepares ARG_MIN: the index of the first smallest value.
func prepareArgMin(p *Prep) (Evaluator, error) { return prepareArgExtremum(p, false) }
