package op

// prepareMinimum prepares MINIMUM: the smaller raw value. Quantizations play no
// part; a converter gives all three tensors the same.
func prepareMinimum(p *Prep) (Evaluator, error) { return prepareExtremum(p, false) }
