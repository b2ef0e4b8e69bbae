package trainer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"time"

	"kedge/trainer/fleet"
	"kedge/trainer/jobs"
	"kedge/trainer/store"
)

// retrainer answers drift reports with new models, one at a time for each name.
type retrainer struct {
	t    *Trainer
	wake chan struct{}

	mu    sync.Mutex
	busy  map[string]bool // names in training
	tries map[reportKey]*attempts
}

func newRetrainer(t *Trainer) retrainer {
	return retrainer{t: t, wake: make(chan struct{}, 1), busy: make(map[string]bool), tries: make(map[reportKey]*attempts)}
}

// look makes retrain look at the reports, soon.
func (r *retrainer) look() {
	select {
	case r.wake <- struct{}{}:
	default: // it is about to
	}
}

// retrain looks at the reports whenever something has changed.
func (r *retrainer) retrain(ctx context.Context) {
	var jobs sync.WaitGroup
	defer jobs.Wait()
	r.look() // what was left when the last process ended
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.wake:
		}
		// What is in training now is answered from what was read before it ended,
		// so it waits for the next look.
		training := r.training()
		ready, err := r.ready(ctx)
		if err != nil && ctx.Err() == nil {
			r.t.o.Log.Error("reports cannot be read", slog.Any("error", err))
		}
		for _, one := range ready {
			if training[one.name()] || !r.begin(one.name()) {
				continue
			}
			jobs.Go(func() {
				defer r.look()
				defer r.end(one.name())
				r.answer(ctx, one)
			})
		}
	}
}

func (r *retrainer) training() map[string]bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.busy)
}

func (r *retrainer) begin(name string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.busy[name] {
		return false
	}
	r.busy[name] = true
	return true
}

func (r *retrainer) end(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.busy, name)
}

// answer trains for reports, and assigns what comes out or notes why nothing did.
func (r *retrainer) answer(ctx context.Context, d due) {
	n := Notice{Site: d.reports[0].Site, Device: d.reports[0].Device, Name: d.name()}
	var out jobs.Outcome
	began := time.Now()
	material, err := r.pipeline().Gather(ctx, d.reports...)
	if err == nil {
		r.tellMaterial(n, d, material)
		out, err = r.pipeline().Retrain(ctx, material)
	}
	if ctx.Err() != nil {
		return // stopped: the reports stay open and are taken up by the next process
	}
	n.Seconds, n.Samples, n.Labels = time.Since(began).Seconds(), out.Samples, out.Labels
	n.Accuracy, n.Running, n.Weak = out.Accuracy, out.Running, out.Weak
	switch {
	case errors.Is(err, jobs.ErrWorse):
		r.refuse(ctx, n, d, err)
		return
	case err != nil:
		r.postpone(ctx, n, d, err)
		return
	}
	n.Version, n.Release = out.Release.Version, out.Release.Digest
	r.say(n, fleet.Trained, fmt.Sprintf("new model, trained with %d labels, answers %.3f of the labeled samples right, the running one %.3f",
		out.Labels, out.Accuracy, out.Running))
	r.say(n, fleet.Released, fmt.Sprintf("%s version %d released", n.Name, n.Version))
	if err := r.assign(ctx, d, out); err != nil {
		r.postpone(ctx, n, d, fmt.Errorf("release not assigned: %w", err))
		return
	}
	r.say(n, fleet.Assigned, fmt.Sprintf("%s version %d assigned", n.Name, n.Version))
	r.t.republish()
}

func (r *retrainer) pipeline() *jobs.Pipeline { return r.t.Workbench.pipeline }

// say completes a notice and passes it on.
func (r *retrainer) say(n Notice, kind fleet.Kind, text string) {
	n.Time, n.Kind, n.Text = r.t.o.Now(), kind, text
	r.t.o.Log.Info("notice", slog.String("kind", string(kind)), slog.String("device", n.Device), slog.String("text", text))
	r.t.notify(n)
}

// tellMaterial says with what a training begins and which labels it cannot use,
// once for each finding: later attempts begin in silence.
func (r *retrainer) tellMaterial(n Notice, d due, m *jobs.Material) {
	if unknown, names := m.Unknown(); unknown > 0 {
		text := fmt.Sprintf("%d %s that the model lacks: %s", unknown,
			plural(unknown, "label names a class", "labels name classes"), strings.Join(names, ", "))
		if r.news(d, text) {
			n.Labels = unknown
			r.say(n, fleet.UnknownClass, text)
		}
	}
	if s, ok := m.Score(); ok {
		text := fmt.Sprintf("of %d labeled samples around the alarm %.3f were answered right, %.3f before the release: %.3f lost, %.3f to %.3f with 95 %% certainty",
			s.N, s.Now, s.Reference, s.Lost, s.Interval.Low, s.Interval.High)
		if r.news(d, text) {
			n.Labels = s.N
			r.say(n, fleet.DriftScore, text)
		}
	}
	n.Labels = m.Labels()
	text := fmt.Sprintf("training with %d %s of this alarm", n.Labels, plural(n.Labels, "label", "labels"))
	if n.Labels != d.labels {
		text = fmt.Sprintf("training with %d of %d labels of this alarm, the others are set aside", n.Labels, d.labels)
	}
	if r.news(d, string(fleet.Training)) {
		r.say(n, fleet.Training, text)
	} else {
		r.t.o.Log.Info("training again", slog.String("device", n.Device), slog.String("text", text))
	}
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// assign gives the release to the device that reported, and closes its reports in
// the same step.
func (r *retrainer) assign(ctx context.Context, d due, out jobs.Outcome) error {
	target := store.Target{Site: d.reports[0].Site, Kind: store.TargetDevice, Name: d.reports[0].Device}
	return r.t.store.Update(ctx, func(tx *store.Tx) error {
		if _, err := r.t.registry.AssignIn(tx, target, out.Release.Digest, 0); err != nil {
			return err
		}
		return d.settle(tx, store.StatusReleased, out.Release.Digest, "")
	})
}

// refuse closes reports whose new model is no better than the running one. The
// device is told to watch on from where it stands.
func (r *retrainer) refuse(ctx context.Context, n Notice, d due, why error) {
	rearmed := 0
	err := r.t.store.Update(ctx, func(tx *store.Tx) (err error) {
		if rearmed, err = r.rearm(tx, d); err != nil {
			return err
		}
		return d.settle(tx, store.StatusRefused, "", why.Error())
	})
	if err != nil {
		r.postpone(ctx, n, d, fmt.Errorf("refusal of the new model not noted: %w", err))
		return
	}
	r.answered(d)
	r.say(n, fleet.Rejected, "no new model: "+why.Error())
	if rearmed > 0 {
		n.Samples = rearmed
		r.say(n, fleet.Referenced, fmt.Sprintf("the running model stays, and its %d signals after the alarm become its reference", rearmed))
	}
}

// postpone leaves reports open whose training failed, for another attempt. Why
// it failed is told once for each cause, however often it happens.
func (r *retrainer) postpone(ctx context.Context, n Notice, d due, why error) {
	pause := r.failed(d, r.t.o.Now())
	r.t.o.Log.Info("training failed", slog.String("device", n.Device), slog.Duration("again_in", pause), slog.Any("cause", why))
	err := r.t.store.Update(ctx, func(tx *store.Tx) error { return d.settle(tx, store.StatusOpen, "", why.Error()) })
	if err != nil && ctx.Err() == nil {
		r.t.o.Log.Error("failure not noted", slog.String("device", n.Device), slog.Any("error", err))
	}
	if r.news(d, why.Error()) {
		r.say(n, fleet.Rejected, "no new model yet, trying again: "+why.Error())
	}
}
