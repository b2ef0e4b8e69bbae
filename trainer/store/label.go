package store

import (
	"errors"
	"strings"
	"time"
)

// A Label is the true class of one sample, named by its id or by device and time.
type Label struct {
	Site, Source string
	Sample       string
	Device       string
	Time         time.Time
	Label        string
	Received     time.Time
}

// A Joining says what a label did to the samples.
type Joining int

// What a label can do.
const (
	JoinedNothing Joining = iota // it waits for its sample, or says what is known
	JoinedNew                    // a sample got a label that it did not have
	JoinedChanged                // a sample's label was corrected
)

// AddLabel keeps a label and joins it with its sample if that is there: the one
// with its id, or the one of its device that is nearest in time within the
// tolerance.
// A later label for the same sample corrects the earlier one.
func (t *Tx) AddLabel(l Label, tolerance time.Duration) (Joining, error) {
	if l.Sample != "" {
		l.Device, l.Time = "", time.Time{} // the id alone is the key
	}
	_, err := t.exec("label", `INSERT INTO labels (site, source, sample, device, time, label, received) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (site, sample, device, time) DO UPDATE SET source = excluded.source, label = excluded.label, received = excluded.received`,
		l.Site, l.Source, l.Sample, l.Device, nano(l.Time), l.Label, nano(l.Received))
	if err != nil {
		return JoinedNothing, err
	}
	kept, err := one(t, "label", scanLabel, "SELECT "+labelColumns+` FROM labels
		WHERE site = ? AND sample = ? AND device = ? AND time = ?`, l.Site, l.Sample, l.Device, nano(l.Time))
	if err != nil {
		return JoinedNothing, err
	}
	sample, distance, err := t.findSample(l, tolerance)
	if errors.Is(err, ErrNotFound) {
		return JoinedNothing, nil // it may come yet
	}
	if err != nil {
		return JoinedNothing, err
	}
	return t.join(kept, sample, distance)
}

// WaitingLabels counts the labels that were received since a time for samples
// of a device that have not come, and says when the latest label since then for
// one of its samples, come or not, was received.
func (t *Tx) WaitingLabels(site, device string, since time.Time) (n int, latest time.Time, err error) {
	var at int64
	err = t.row("labels of "+device, `SELECT COALESCE(SUM(CASE WHEN joined = '' THEN 1 ELSE 0 END), 0), COALESCE(MAX(received), 0)
		FROM labels WHERE site = ? AND received >= ? AND (device = ? OR sample LIKE ? ESCAPE '!')`,
		[]any{site, nano(since), device, strings.ReplaceAll(device, "_", "!_") + "/%"}, &n, &at)
	return n, fromNano(at), err
}

// keptLabel is a row of labels.
type keptLabel struct {
	id       int64
	time     int64
	byID     bool
	label    string
	joined   string
	distance int64
}

const labelColumns = "id, time, sample <> '', label, joined, distance"

func scanLabel(s scanner) (keptLabel, error) {
	var k keptLabel
	err := s.Scan(&k.id, &k.time, &k.byID, &k.label, &k.joined, &k.distance)
	return k, err
}

// labelTarget is a sample as far as joining cares.
type labelTarget struct {
	id       string
	label    string
	distance int64
}

func scanTarget(s scanner) (labelTarget, error) {
	var v labelTarget
	err := s.Scan(&v.id, &v.label, &v.distance)
	return v, err
}

func (t *Tx) findSample(l Label, tolerance time.Duration) (labelTarget, int64, error) {
	if l.Sample != "" {
		// Truth of one site says nothing about another's samples.
		v, err := one(t, "sample "+l.Sample, scanTarget, "SELECT id, label, label_distance FROM samples WHERE id = ? AND site = ?", l.Sample, l.Site)
		return v, 0, err
	}
	at := nano(l.Time)
	var v labelTarget
	var when int64
	err := t.row("sample of "+l.Device, `SELECT id, label, label_distance, time FROM samples
		WHERE site = ? AND device = ? AND time BETWEEN ? AND ? ORDER BY ABS(time - ?), id LIMIT 1`,
		[]any{l.Site, l.Device, at - int64(tolerance), at + int64(tolerance), at}, &v.id, &v.label, &v.distance, &when)
	return v, max(when-at, at-when), err
}

// join gives the sample the label unless it has a nearer one, and takes the
// label from the sample that it was on before.
func (t *Tx) join(k keptLabel, sample labelTarget, distance int64) (Joining, error) {
	if sample.label != "" && !k.byID && sample.distance < distance {
		return JoinedNothing, nil
	}
	if k.joined != "" && k.joined != sample.id {
		if _, err := t.exec("sample "+k.joined, "UPDATE samples SET label = '', label_distance = 0 WHERE id = ?", k.joined); err != nil {
			return JoinedNothing, err
		}
	}
	if _, err := t.exec("sample "+sample.id, "UPDATE samples SET label = ?, label_distance = ? WHERE id = ?", k.label, distance, sample.id); err != nil {
		return JoinedNothing, err
	}
	_, err := t.exec("label", "UPDATE labels SET joined = ?, distance = ? WHERE id = ?", sample.id, distance, k.id)
	switch sample.label {
	case "":
		return JoinedNew, err
	case k.label:
		return JoinedNothing, err
	}
	return JoinedChanged, err
}

// claim looks for labels that wait for a new sample, or that are on one which
// is farther from them in time.
func (t *Tx) claim(s Sample, tolerance time.Duration) (bool, error) {
	byID, err := rows(t, "labels", scanLabel, "SELECT "+labelColumns+" FROM labels WHERE site = ? AND sample = ?", s.Site, s.ID)
	if err != nil {
		return false, err
	}
	if len(byID) > 0 {
		joined, err := t.join(byID[0], labelTarget{id: s.ID}, 0)
		return joined == JoinedNew, err
	}
	at := nano(s.Time)
	near, err := rows(t, "labels", scanLabel, "SELECT "+labelColumns+` FROM labels
		WHERE site = ? AND sample = '' AND device = ? AND time BETWEEN ? AND ? ORDER BY ABS(time - ?), id`,
		s.Site, s.Device, at-int64(tolerance), at+int64(tolerance), at)
	if err != nil {
		return false, err
	}
	for _, k := range near {
		distance := max(k.time-at, at-k.time)
		if k.joined == "" || distance < k.distance {
			joined, err := t.join(k, labelTarget{id: s.ID}, distance)
			return joined == JoinedNew, err
		}
	}
	return false, nil
}
