package op

// prepareL2Pool2D prepares L2_POOL_2D, of float32 only.
func prepareL2Pool2D(p *Prep) (Evaluator, error) { return p.realPool2D(realRootMeanSquare) }
