package graph

// BatchMatMul multiplies the matrices in the last two dimensions of its two
// inputs; the dimensions before broadcast as in NumPy. AdjX and AdjY transpose a
// side first. Either input may be a constant.
type BatchMatMul struct {
	AdjX, AdjY bool
}

// Name implements Op.
func (BatchMatMul) Name() string { return "BATCH_MATMUL" }
