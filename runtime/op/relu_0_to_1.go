package op

// prepareRelu0To1 prepares RELU_0_TO_1, which limits values to 0 and 1 and
// requantizes, as RELU does.
func prepareRelu0To1(p *Prep) (Evaluator, error) { return p.reluWithin(0, 1) }
