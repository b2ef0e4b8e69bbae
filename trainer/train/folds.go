package train

import (
	"context"
	"fmt"
	"math/rand/v2"

	"kedge/quant/eval"
)

// Held is what an int8 model said about a sample that it was not trained on.
type Held struct {
	Class      int     // its answer
	Confidence float64 // top-1 probability, a multiple of 1/256
	Margin     float64 // between the two highest logits; NaN without a softmax
	Correct    bool
}

// CrossConfidences answers what confidences to expect on samples the network
// has not seen, without setting samples aside: folded is cut into k parts, and
// for each part a network is trained on all the others together with always,
// quantized, and run on the part. The result, in the order of folded's rows, is
// a drift detector's reference (see Confidences): the training samples' own confidences would be
// too high for that, and every sample an alarm.
//
// start and o are as for Fit. After a retraining, folded is the newest labeled
// set and always all the rest, both as Combine returns them, and start the
// network that was running when the labels were collected. The models run on package runtime; what they answer is to the
// byte what a device would.
//
// k is lowered to the number of rows; k < 2 or fewer than 2 rows match
// ErrOptions or ErrSamples. Other errors are Fit's.
func CrossConfidences(ctx context.Context, start *Dense, always, folded Samples, k int, o Options) ([]Held, error) {
	n := folded.Len()
	if k < 2 {
		return nil, fmt.Errorf("%w: %d folds", ErrOptions, k)
	}
	if n < 2 {
		return nil, fmt.Errorf("%w: %d rows cannot be held out in turn", ErrSamples, n)
	}
	if always.Len() > 0 && always.Features != folded.Features {
		return nil, fmt.Errorf("%w: %d and %d features", ErrSamples, always.Features, folded.Features)
	}
	k = min(k, n)
	// Rows come in whatever order they were recorded; a part must not be all
	// of one class.
	order := rand.New(rand.NewPCG(o.Seed, 0x666f6c6473)).Perm(n)
	held := make([]Held, n)
	for fold := range k {
		var in, out []int
		for at, row := range order {
			if at%k == fold {
				out = append(out, row)
			} else {
				in = append(in, row)
			}
		}
		set := Join(folded.Select(in), always)
		of := o
		of.Seed = o.Seed + uint64(fold) + 1
		of.Progress = nil
		if err := holdOut(ctx, start, set, folded, out, of, held); err != nil {
			return nil, fmt.Errorf("fold %d of %d: %w", fold+1, k, err)
		}
	}
	return held, nil
}

// Confidences lists the confidences of held in an order of its own, drawn from
// seed. Training rows lie in no order of time, often sorted by class; a drift
// detector that reads them as a sequence would find a correlation that the
// device's stream does not have.
func Confidences(held []Held, seed uint64) []float64 {
	out := make([]float64, len(held))
	for to, from := range rand.New(rand.NewPCG(seed, 0x6f72646572)).Perm(len(held)) {
		out[to] = held[from].Confidence
	}
	return out
}

// holdOut trains on set and fills in held for the rows of all named by out.
func holdOut(ctx context.Context, start *Dense, set, all Samples, out []int, o Options, held []Held) error {
	net, _, err := Fit(ctx, start, set, Samples{}, o)
	if err != nil {
		return err
	}
	file, err := net.Int8(ctx, set.X, "")
	if err != nil {
		return err
	}
	c, err := eval.OpenClassifier(file)
	if err != nil {
		return err
	}
	for _, i := range out {
		a, err := c.Classify(all.Row(i))
		if err != nil {
			return err
		}
		held[i] = Held{Class: a.Class, Confidence: a.Confidence, Margin: a.Margin, Correct: a.Class == all.Y[i]}
	}
	return nil
}
