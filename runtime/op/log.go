package op

// prepareLog prepares LOG.
func prepareLog(p *Prep) (Evaluator, error) { return p.real(logf) }
