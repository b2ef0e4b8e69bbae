package trainer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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

	mu   sync.Mutex
	busy map[string]bool // names in training
}

func newRetrainer(t *Trainer) retrainer {
	return retrainer{t: t, wake: make(chan struct{}, 1), busy: make(map[string]bool)}
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
		ready, err := r.ready(ctx)
		if err != nil && ctx.Err() == nil {
			r.t.o.Log.Error("reports cannot be read", slog.Any("error", err))
		}
		for _, one := range ready {
			if !r.begin(one.name()) {
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
	report, now := d.reports[0], r.t.o.Now
	n := Notice{Site: report.Site, Device: report.Device, Name: report.Name}
	say := func(kind fleet.Kind, text string) {
		n.Time, n.Kind, n.Text = now(), kind, text
		r.t.o.Log.Info("notice", slog.String("kind", string(kind)), slog.String("device", n.Device), slog.String("text", text))
		r.t.notify(n)
	}
	n.Labels = d.labels
	say(fleet.Training, fmt.Sprintf("training with %d labels of this alarm", d.labels))
	began := time.Now()
	out, err := r.t.pipeline.Retrain(ctx, d.reports...)
	if ctx.Err() != nil {
		return // stopped: the reports stay open and are taken up by the next process
	}
	n.Seconds, n.Samples, n.Labels = time.Since(began).Seconds(), out.Samples, out.Labels
	n.Accuracy, n.Running, n.Weak = out.Accuracy, out.Running, out.Weak
	if err != nil {
		rearmed := r.refuse(ctx, d, err)
		say(fleet.Rejected, "no new model: "+err.Error())
		if rearmed > 0 {
			n.Samples = rearmed
			say(fleet.Referenced, fmt.Sprintf("the running model stays, and its %d signals after the alarm become its reference", rearmed))
		}
		return
	}
	n.Version, n.Release = out.Release.Version, out.Release.Digest
	say(fleet.Trained, fmt.Sprintf("new model answers %.3f of the labeled samples right, the running one %.3f", out.Accuracy, out.Running))
	say(fleet.Released, fmt.Sprintf("%s version %d released", n.Name, n.Version))
	if err := r.assign(ctx, d, out); err != nil {
		r.t.o.Log.Error("release not assigned", slog.String("device", report.Device), slog.Any("error", err))
		return // the reports stay open
	}
	say(fleet.Assigned, fmt.Sprintf("%s version %d assigned", n.Name, n.Version))
	r.t.republish()
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

// refuse notes why nothing came out of reports. If it is that the running model
// cannot be bettered, the device is told to watch on from where it stands, and
// refuse returns the size of its new reference; 0 otherwise.
func (r *retrainer) refuse(ctx context.Context, d due, why error) (rearmed int) {
	err := r.t.store.Update(ctx, func(tx *store.Tx) (err error) {
		if errors.Is(why, jobs.ErrWorse) {
			if rearmed, err = r.rearm(tx, d); err != nil {
				return err
			}
		}
		return d.settle(tx, store.StatusRefused, "", why.Error())
	})
	if err != nil {
		r.t.o.Log.Error("refusal not noted", slog.String("device", d.reports[0].Device), slog.Any("error", err))
		return 0
	}
	return rearmed
}
