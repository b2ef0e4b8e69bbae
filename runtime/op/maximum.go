package op

// prepareMaximum prepares MAXIMUM: the larger raw value. Quantizations play no
// part; a converter gives all three tensors the same.
func prepareMaximum(p *Prep) (Evaluator, error) { return prepareExtremum(p, true) }
