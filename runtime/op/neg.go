package op

// prepareNeg prepares NEG.
func prepareNeg(p *Prep) (Evaluator, error) {
	return p.real(func(x float32) float32 { return -x })
}
