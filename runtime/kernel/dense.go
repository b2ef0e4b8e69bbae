package kernel

// Dense is a fully connected layer: Batch rows of K inputs times N filters of K
// weights.
type Dense struct {
	Batch, K, N int
	InZero      int32 // within int8
	WeightZero  int32 // of per-tensor weights; 0 for every symmetric model
	Weights     []int8
	Bias        []int32 // per filter, or nil
	Output      Output

	Scratch int // bytes that Run needs

	layer   *layer   // nil for plain Go
	folded  []int32  // bias − InZero·Σ(weights − WeightZero)
	triples *triples // nil where not packed
}

// Run computes the layer.
func (d *Dense) Run(in, out []int8, scratch []byte, w *Work) {
	if d.layer != nil {
		d.layer.run(in, out, scratch, w)
		return
	}
	denseGeneric(d, in, out)
}

func prepareDenseGeneric(d *Dense, take Take) {
	d.folded = foldBias(d.Weights, d.N, d.Bias, d.InZero, d.WeightZero)
	d.triples = newTriples(d.Weights, d.N, take)
}

func denseGeneric(d *Dense, in, out []int8) {
	for b := range d.Batch {
		rows(in[b*d.K:(b+1)*d.K], d.triples, d.Weights, d.folded, d.WeightZero, &d.Output, 0, out[b*d.N:(b+1)*d.N])
	}
}

// rows computes len(y) outputs from the vector x: row n of weights, whose zero
// point is zero, and channel first+n of folded and o. t holds the first of the
// weights once more, or is nil.
func rows(x []int8, t *triples, weights []int8, folded []int32, zero int32, o *Output, first int, y []int8) {
	k := len(x)
	n := 0
	var shift int32
	if zero != 0 {
		shift = -zero * total(x)
	}
	if t != nil {
		n = t.rows(x, folded, shift, o, first, y)
	}
	for ; n+4 <= len(y); n += 4 {
		w := weights[n*k : (n+4)*k]
		a0, a1, a2, a3 := dot4(x, w[:k], w[k:2*k], w[2*k:3*k], w[3*k:])
		c := first + n
		y[n] = o.requantize(folded[c]+shift+a0, c)
		y[n+1] = o.requantize(folded[c+1]+shift+a1, c+1)
		y[n+2] = o.requantize(folded[c+2]+shift+a2, c+2)
		y[n+3] = o.requantize(folded[c+3]+shift+a3, c+3)
	}
	for ; n < len(y); n++ {
		c := first + n
		y[n] = o.requantize(folded[c]+shift+dot(x, weights[n*k:(n+1)*k]), c)
	}
}

// total is Σ x.
func total(x []int8) int32 {
	var sum int32
	for _, v := range x {
		sum += int32(v)
	}
	return sum
}

// dot is Σ x·w.
func dot(x, w []int8) int32 {
	w = w[:len(x)]
	var a int32
	for i, v := range x {
		a += int32(v) * int32(w[i])
	}
	return a
}

// dot4 is four products that share the loads of x. Inlined into the loop over
// rows its accumulators no longer all fit in registers.
//
//go:noinline
func dot4(x, w0, w1, w2, w3 []int8) (a0, a1, a2, a3 int32) {
	n := len(x)
	w0, w1, w2, w3 = w0[:n], w1[:n], w2[:n], w3[:n]
	for i, b := range x {
		v := int32(b)
		a0 += v * int32(w0[i])
		a1 += v * int32(w1[i])
		a2 += v * int32(w2[i])
		a3 += v * int32(w3[i])
	}
	return a0, a1, a2, a3
}

// pointwise is the layer as a convolution over an image one pixel wide, a row of
// it for every row of the batch.
func (d *Dense) pointwise() *Conv {
	w := Window{Batch: 1, InH: d.Batch, InW: 1, OutH: d.Batch, OutW: 1, KernelH: 1, KernelW: 1,
		StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1}
	return &Conv{Window: w, InC: d.K, OutC: d.N, Groups: 1, InZero: d.InZero, WeightZero: d.WeightZero, Weights: d.Weights, Bias: d.Bias, Output: d.Output}
}

// macs is the number of multiply-accumulate operations.
func (d *Dense) macs() int64 { return int64(d.Batch) * int64(len(d.Weights)) }
