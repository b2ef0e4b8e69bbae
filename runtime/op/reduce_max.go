package op

// prepareReduceMax prepares REDUCE_MAX: the largest raw value.
func prepareReduceMax(p *Prep) (Evaluator, error) { return prepareReduceExtremum(p, true) }
