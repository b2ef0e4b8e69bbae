package op

// prepareReluN1To1 prepares RELU_N1_TO_1, which limits values to −1 and 1 and
// requantizes, as RELU does.
func prepareReluN1To1(p *Prep) (Evaluator, error) { return p.reluWithin(-1, 1) }
