package train

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
)

// fitter is the working memory of one Fit.
type fitter struct {
	net   *Dense
	set   Samples
	o     Options
	rng   *rand.Rand
	scale float64 // 1 / mean weight
	steps int     // optimizer steps done
	total int     // optimizer steps planned

	order  []int
	x      []float32
	weight []float32
	target []float32
	pass   pass
	grad   [][]float32 // gradient of the loss by each layer's output
	dw, db [][]float32
	sw, sb []*stepper
}

func newFitter(net *Dense, set Samples, o Options, rng *rand.Rand) *fitter {
	f := &fitter{net: net, set: set, o: o, rng: rng, scale: 1, order: make([]int, set.Len())}
	for i := range f.order {
		f.order[i] = i
	}
	if set.Weight != nil {
		sum := 0.0
		for _, w := range set.Weight {
			sum += float64(w)
		}
		f.scale = float64(set.Len()) / sum
	}
	batches := (set.Len() + o.Batch - 1) / o.Batch
	f.total = batches * o.Epochs
	f.x = make([]float32, o.Batch*set.Features)
	f.target = make([]float32, o.Batch*net.Classes())
	f.weight = make([]float32, o.Batch)
	for _, l := range net.Layers {
		f.grad = append(f.grad, make([]float32, o.Batch*l.Out))
		f.dw, f.db = append(f.dw, make([]float32, len(l.W))), append(f.db, make([]float32, len(l.B)))
		f.sw, f.sb = append(f.sw, newStepper(o.Optimizer, len(l.W))), append(f.sb, newStepper(o.Optimizer, len(l.B)))
	}
	return f
}

// epoch goes once through the shuffled set.
func (f *fitter) epoch(ctx context.Context, epoch int) (float64, error) {
	f.rng.Shuffle(len(f.order), func(i, j int) { f.order[i], f.order[j] = f.order[j], f.order[i] })
	sum := 0.0
	for lo := 0; lo < len(f.order); lo += f.o.Batch {
		if err := ctx.Err(); err != nil {
			return 0, fmt.Errorf("training stopped in epoch %d: %w", epoch+1, err)
		}
		batch := f.order[lo:min(lo+f.o.Batch, len(f.order))]
		f.gather(batch)
		loss := f.backward(len(batch))
		if math.IsNaN(loss) || math.IsInf(loss, 0) {
			return 0, fmt.Errorf("%w: loss %v in epoch %d; lower the learning rate (now %g)", ErrDiverged, loss, epoch+1, f.o.LearningRate)
		}
		sum += loss * float64(len(batch))
		f.update()
	}
	return sum / float64(len(f.order)), nil
}

// gather copies a minibatch, augmented, and its soft targets.
func (f *fitter) gather(batch []int) {
	classes := f.net.Classes()
	low := float32(f.o.LabelSmoothing / float64(classes))
	clear(f.target)
	for r, i := range batch {
		row := f.x[r*f.set.Features : (r+1)*f.set.Features]
		copy(row, f.set.Row(i))
		augment(row, f.o, f.rng)
		target := f.target[r*classes : (r+1)*classes]
		for c := range target {
			target[c] = low
		}
		target[f.set.Y[i]] += 1 - float32(f.o.LabelSmoothing)
		f.weight[r] = 1
		if f.set.Weight != nil {
			f.weight[r] = float32(float64(f.set.Weight[i]) * f.scale)
		}
	}
}

// backward fills dw and db with the mean gradient over the minibatch and
// returns the mean loss.
func (f *fitter) backward(rows int) float64 {
	last := len(f.net.Layers) - 1
	classes := f.net.Classes()
	z := f.pass.forward(f.net, f.x[:rows*f.set.Features], rows)
	loss, inv := 0.0, 1/float32(rows)
	for r := range rows {
		p := z[r*classes : (r+1)*classes]
		softmax(p)
		g, target := f.grad[last][r*classes:(r+1)*classes], f.target[r*classes:(r+1)*classes]
		for c, v := range p {
			if target[c] > 0 {
				loss -= float64(f.weight[r]*target[c]) * logFloor(v)
			}
			// Softmax and cross-entropy together have the gradient p − target.
			g[c] = (v - target[c]) * f.weight[r] * inv
		}
	}
	for i := last; i >= 0; i-- {
		l := f.net.Layers[i]
		g := matrix(f.grad[i][:rows*l.Out], rows, l.Out)
		in := matrix(f.pass.act[i], rows, l.In)
		blas32.Gemm(blas.Trans, blas.NoTrans, 1, g, in, 0, matrix(f.dw[i], l.Out, l.In))
		clear(f.db[i])
		for r := range rows {
			for c, v := range g.Data[r*l.Out : (r+1)*l.Out] {
				f.db[i][c] += v
			}
		}
		if i == 0 {
			break
		}
		prev := f.grad[i-1][:rows*l.In]
		blas32.Gemm(blas.NoTrans, blas.NoTrans, 1, g, matrix(l.W, l.Out, l.In), 0, matrix(prev, rows, l.In))
		for j, a := range f.pass.act[i][:rows*l.In] {
			if a <= 0 { // ReLU passes no gradient where it clipped
				prev[j] = 0
			}
		}
	}
	return loss / float64(rows)
}

// update makes one optimizer step; the rate falls along half a cosine
// (Loshchilov & Hutter 2017) so that the last epochs settle.
func (f *fitter) update() {
	rate := f.o.LearningRate * 0.5 * (1 + math.Cos(math.Pi*float64(f.steps)/float64(f.total)))
	f.steps++
	for i, l := range f.net.Layers {
		f.sw[i].step(l.W, f.dw[i], rate, f.o.WeightDecay, f.steps)
		f.sb[i].step(l.B, f.db[i], rate, 0, f.steps) // biases are not decayed
	}
}
