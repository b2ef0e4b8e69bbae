package op

// prepareSin prepares SIN.
func prepareSin(p *Prep) (Evaluator, error) { return p.real(sinf) }
