package trainer

import (
	"context"
	"errors"
	"time"

	"kedge/trainer/store"
)

// due is what can be answered now: the reports of one device under one model,
// which are about the same drift however often it raised an alarm.
type due struct {
	reports []store.DriftReport // at least one, oldest first
	labels  int                 // labeled samples of their evidence
	state   string              // of these labels: another one once any of them changes
}

func (d due) name() string { return d.reports[0].Name }

func (d due) key() reportKey { return keyOf(d.reports[0]) }

// A reportKey says which reports are answered together.
type reportKey struct{ site, device, model string }

func keyOf(r store.DriftReport) reportKey { return reportKey{r.Site, r.Device, r.Model} }

// settle notes what became of the reports.
func (d due) settle(tx *store.Tx, status store.Status, release, detail string) error {
	for _, one := range d.reports {
		if err := tx.AnswerReport(one.ID, status, d.labels, release, detail); err != nil {
			return err
		}
	}
	return nil
}

// settled is how long nothing may have come for an alarm until what is there
// counts as all that there will be.
const settled = 5 * time.Second

// leastLabels is the least that a model can be measured on, and a reference made of.
const leastLabels = 30

// ready returns what can be answered now, oldest first, without what waits for
// its next attempt, and closes the reports of models that their devices have left
// behind.
func (r *retrainer) ready(ctx context.Context) ([]due, error) {
	var all []due
	now := r.t.o.Now()
	err := r.t.store.Update(ctx, func(tx *store.Tx) error {
		groups, err := unanswered(tx)
		if err != nil {
			return err
		}
		for _, group := range groups {
			c, err := count(tx, group)
			if err != nil {
				return err
			}
			if !enough(group, c, r.t.o.MinLabels, now) {
				continue
			}
			state, err := tx.LabelState(evidences(group)...)
			if err != nil {
				return err
			}
			if d := (due{group, c.labeled, state}); !r.waits(d, now) {
				all = append(all, d)
			}
		}
		r.forget(groups)
		return nil
	})
	return all, err
}

// unanswered returns the reports that wait, by device and model. Beside open
// ones, those that were refused do not count any more.
func unanswered(tx *store.Tx) ([][]store.DriftReport, error) {
	reports, err := tx.Unanswered()
	if err != nil {
		return nil, err
	}
	open, refused := make(map[reportKey][]store.DriftReport), make(map[reportKey][]store.DriftReport)
	var order []reportKey
	for _, one := range reports {
		gone, err := superseded(tx, one)
		if err != nil {
			return nil, err
		}
		if gone {
			if err := tx.AnswerReport(one.ID, store.StatusSuperseded, one.Tried, "", "the device runs a later model"); err != nil {
				return nil, err
			}
			continue
		}
		k := keyOf(one)
		if len(open[k])+len(refused[k]) == 0 {
			order = append(order, k)
		}
		if one.Status == store.StatusOpen {
			open[k] = append(open[k], one)
		} else {
			refused[k] = append(refused[k], one)
		}
	}
	var groups [][]store.DriftReport
	for _, k := range order {
		if len(open[k]) > 0 {
			groups = append(groups, open[k])
		} else {
			groups = append(groups, refused[k])
		}
	}
	return groups, nil
}

// superseded reports whether the device runs a later version of the model by now.
func superseded(tx *store.Tx, report store.DriftReport) (bool, error) {
	device, err := tx.Device(report.Site, report.Device)
	if err != nil || device.Model == "" || device.Model == report.Model {
		return false, err
	}
	now, err := tx.ReleaseOfModel(device.Model)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	then, err := tx.ReleaseOfModel(report.Model)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil && now.Name == then.Name && now.Version > then.Version, err
}

// evidences names what the reports announced.
func evidences(reports []store.DriftReport) []store.EvidenceKey {
	var all []store.EvidenceKey
	for _, one := range reports {
		all = append(all, store.EvidenceKey{Site: one.Site, Device: one.Device, Evidence: one.Evidence})
	}
	return all
}

// counted is how far the evidence of some reports has come.
type counted struct {
	samples, labeled int
	complete         bool      // all of it is there
	waiting          int       // labels since the first report for samples that have not come
	latest           time.Time // when the last part or label came
}

func count(tx *store.Tx, reports []store.DriftReport) (counted, error) {
	c := counted{complete: true}
	for _, one := range reports {
		e, err := tx.CountEvidence(one.Site, one.Device, one.Evidence)
		if err != nil {
			return c, err
		}
		c.samples, c.labeled, c.complete = c.samples+e.Samples, c.labeled+e.Labeled, c.complete && e.Complete
		if e.Latest.After(c.latest) {
			c.latest = e.Latest
		}
	}
	waiting, received, err := tx.WaitingLabels(reports[0].Site, reports[0].Device, reports[0].Received)
	if received.After(c.latest) {
		c.latest = received
	}
	c.waiting = waiting
	return c, err
}

// enough decides whether reports have the labels that a training needs. That is
// so with as many labeled samples as were asked for; with all that there are;
// or when as many labels were given, but some of the samples do not come, because
// the device has dropped them or captures no more. Reports whose new model was no
// better are tried again with twice as many as then; an attempt that failed
// otherwise was no answer, and its reports are as open as before.
func enough(reports []store.DriftReport, c counted, minLabels int, now time.Time) bool {
	latest := reports[len(reports)-1]
	need := minLabels
	if need == 0 {
		need = latest.After
	}
	if need == 0 {
		need = max(latest.Before, 1)
	}
	switch {
	case c.labeled == 0:
		return false
	case latest.Status == store.StatusRefused:
		return c.labeled >= 2*latest.Tried
	case c.labeled >= need, c.complete && c.labeled == c.samples:
		return true
	}
	return c.labeled >= leastLabels && c.labeled+c.waiting >= need && now.Sub(c.latest) >= settled
}
