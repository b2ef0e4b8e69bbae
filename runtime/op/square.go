package op

// prepareSquare prepares SQUARE.
func prepareSquare(p *Prep) (Evaluator, error) {
	return p.real(func(x float32) float32 { return x * x })
}
