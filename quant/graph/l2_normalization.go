package graph

// L2Normalization divides by the Euclidean norm along the last dimension.
type L2Normalization struct{}

// Name implements Op.
func (L2Normalization) Name() string { return "L2_NORMALIZATION" }
