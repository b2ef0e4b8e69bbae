package jobs

import (
	"context"
	"math/rand/v2"

	"kedge/trainer/dataset"
	"kedge/trainer/release"
	"kedge/trainer/store"
	"kedge/trainer/train"
)

// First trains a model of the name from scratch on its base set and releases it.
// Its reference comes from cross-validation over the whole set.
func (p *Pipeline) First(ctx context.Context, name string) (Outcome, error) {
	base, err := p.base(ctx, name)
	if err != nil {
		return Outcome{}, err
	}
	features, err := base.Declare()
	if err != nil {
		return Outcome{}, err
	}
	x, err := base.Apply(features)
	if err != nil {
		return Outcome{}, err
	}
	all := train.Samples{X: x, Features: len(base.Columns), Y: base.Y}
	none := train.Samples{Features: all.Features}
	var m made
	if len(p.Command.Args) > 0 {
		m, err = p.command(ctx, nil, none, all, params(base))
	} else {
		m, err = p.fit(ctx, nil, none, all, p.fresh(len(base.Classes)))
	}
	if err != nil {
		return Outcome{}, err
	}
	// A base set is in no order of time, often sorted by class. A detector that
	// read it as a sequence would find a correlation that no device's stream has.
	rng := rand.New(rand.NewPCG(p.Seed, 0x7369676e616c)) // second word: any constant
	rng.Shuffle(len(m.held), func(i, j int) { m.held[i], m.held[j] = m.held[j], m.held[i] })
	inputs, err := inputsOf(base, rng.Perm(base.Len()))
	if err != nil {
		return Outcome{}, err
	}
	return p.release(ctx, m, release.Candidate{Name: name, Labels: base.Classes, GoldenRows: golden(base), Inputs: inputs}, all, features)
}

func (p *Pipeline) base(ctx context.Context, name string) (*dataset.Table, error) {
	var kept store.BaseSet
	err := p.Registry.Store.View(ctx, func(tx *store.Tx) (err error) {
		kept, err = tx.BaseSet(name)
		return err
	})
	if err != nil {
		return nil, err
	}
	return dataset.FromBaseSet(kept)
}

func params(t *dataset.Table) train.Params {
	return train.Params{Features: len(t.Columns), Classes: len(t.Classes), ClassNames: t.Classes}
}
