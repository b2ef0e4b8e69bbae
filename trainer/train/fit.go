package train

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
)

// Progress is what Options.Progress hears after every epoch.
type Progress struct {
	Epoch, Epochs int     // 1-based, of how many at most
	Loss          float64 // mean weighted cross-entropy over the epoch's minibatches, nats
	Validation    Metrics // zero when there is no validation set
}

// Metrics says how a network does on a set.
type Metrics struct {
	Samples  int     // rows looked at
	Loss     float64 // mean weighted cross-entropy, nats
	Accuracy float64 // share of rows whose top class is right, unweighted
}

// Result is what a run of Fit did.
type Result struct {
	Epochs     int     // epochs run
	BestEpoch  int     // epoch whose weights were kept; Epochs without early stopping
	Train      Metrics // of the kept weights, without augmentation or smoothing
	Validation Metrics // of the kept weights; zero when there is no validation set
}

// Fit trains a dense classifier on set. start, when given, is where the
// weights begin (warm start; it is not changed) and fixes the architecture;
// otherwise o.Hidden and o.Classes do. val may be empty; with o.Patience set
// it decides when to stop and which epoch is kept.
//
// The same inputs, options and machine give the same bytes.
// Errors match ErrSamples, ErrNetwork, ErrOptions or ErrDiverged, or are the
// context's.
func Fit(ctx context.Context, start *Dense, set, val Samples, o Options) (*Dense, Result, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, Result{}, err
	}
	if set.Features < 1 {
		return nil, Result{}, fmt.Errorf("%w: %d features", ErrSamples, set.Features)
	}
	rng := rand.New(rand.NewPCG(o.Seed, 0x6b65646765)) // second word: any constant
	net, err := begin(start, set, o, rng)
	if err != nil {
		return nil, Result{}, err
	}
	if err := checkSets(net, set, val); err != nil {
		return nil, Result{}, err
	}
	f := newFitter(net, set, o, rng)
	best, result := net, Result{}
	bestLoss := math.Inf(1)
	for epoch := range o.Epochs {
		loss, err := f.epoch(ctx, epoch)
		if err != nil {
			return nil, Result{}, err
		}
		p := Progress{Epoch: epoch + 1, Epochs: o.Epochs, Loss: loss}
		if val.Len() > 0 {
			p.Validation = Evaluate(net, val)
		}
		if o.Progress != nil {
			o.Progress(p)
		}
		result.Epochs = epoch + 1
		if o.Patience == 0 || val.Len() == 0 {
			result.BestEpoch = result.Epochs
			continue
		}
		if p.Validation.Loss < bestLoss {
			best, bestLoss, result.BestEpoch = net.Clone(), p.Validation.Loss, epoch+1
		} else if epoch+1-result.BestEpoch >= o.Patience {
			break
		}
	}
	result.Train = Evaluate(best, set)
	if val.Len() > 0 {
		result.Validation = Evaluate(best, val)
	}
	return best, result, nil
}

func begin(start *Dense, set Samples, o Options, rng *rand.Rand) (*Dense, error) {
	if start == nil {
		widths := append([]int{set.Features}, o.Hidden...)
		return NewDense(append(widths, o.Classes), rng)
	}
	if err := start.Validate(); err != nil {
		return nil, err
	}
	return start.Clone(), nil
}

func checkSets(net *Dense, set, val Samples) error {
	if set.Len() == 0 {
		return fmt.Errorf("%w: the training set is empty", ErrSamples)
	}
	for _, s := range []Samples{set, val} {
		if s.Len() == 0 {
			continue
		}
		if s.Features != net.Features() {
			return fmt.Errorf("%w: rows of %d features for a network of %d", ErrSamples, s.Features, net.Features())
		}
		if err := s.Validate(net.Classes()); err != nil {
			return err
		}
	}
	return nil
}

// Evaluate runs net over s.
func Evaluate(net *Dense, s Samples) Metrics {
	m := Metrics{Samples: s.Len()}
	if m.Samples == 0 {
		return m
	}
	p, right, total := net.Probabilities(s.X), 0, 0.0
	classes := net.Classes()
	for i, y := range s.Y {
		row := p[i*classes : (i+1)*classes]
		w := 1.0
		if s.Weight != nil {
			w = float64(s.Weight[i])
		}
		m.Loss -= w * logFloor(row[y])
		total += w
		if Top(row) == y {
			right++
		}
	}
	if total > 0 {
		m.Loss /= total
	}
	m.Accuracy = float64(right) / float64(m.Samples)
	return m
}

// Top is the index of the greatest value, the first of equals.
func Top(row []float32) int {
	top := 0
	for i, v := range row {
		if v > row[top] {
			top = i
		}
	}
	return top
}

// logFloor keeps a probability that rounded to zero from making the loss
// infinite.
func logFloor(p float32) float64 { return math.Log(math.Max(float64(p), 1e-30)) }

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
