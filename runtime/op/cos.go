package op

// prepareCos prepares COS.
func prepareCos(p *Prep) (Evaluator, error) { return p.real(cosf) }
