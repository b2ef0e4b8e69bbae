package train

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
)

// Progress is what Options.Progress hears after every epoch.
type Progress struct {
	Epoch, Epochs int     // 1-based, of how many at most
	Loss          float64 // mean weighted cross-entropy over the epoch's minibatches, nats
	Validation    Metrics // zero when there is no validation set
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
