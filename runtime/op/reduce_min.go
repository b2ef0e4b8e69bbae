package op

// prepareReduceMin prepares REDUCE_MIN: the smallest raw value.
func prepareReduceMin(p *Prep) (Evaluator, error) { return prepareReduceExtremum(p, false) }
