package graph

// LogSoftmax is x − log Σ exp(x) along the last dimension.
type LogSoftmax struct{}

// Name implements Op.
func (LogSoftmax) Name() string { return "LOG_SOFTMAX" }
