package store

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"
)

// A Sample is one input that a device sent as evidence.
type Sample struct {
	ID           string // device/boot/sequence
	Site, Device string
	Time         time.Time
	Model        string // SHA-256 of the model that answered
	X            []byte // little-endian float32, before any transform
	Answered     string
	Confidence   float64
	Evidence     string
	Label        string // the true class; empty while it is not known
	Quarantine   string // why it is not trained on; empty if it is
}

const sampleColumns = "id, site, device, time, model, x, answered, confidence, evidence, label, quarantine"

func scanSample(s scanner) (Sample, error) {
	var v Sample
	var at int64
	err := s.Scan(&v.ID, &v.Site, &v.Device, &at, &v.Model, &v.X, &v.Answered, &v.Confidence, &v.Evidence, &v.Label, &v.Quarantine)
	v.Time = fromNano(at)
	return v, err
}

// AddSample keeps a sample and joins it with a label that came before it, if
// one did, and reports whether it now has one. A sample that is there already
// changes nothing but is then also part of the later evidence.
func (t *Tx) AddSample(s Sample, tolerance time.Duration) (labeled bool, err error) {
	n, err := t.exec("sample "+s.ID, `INSERT INTO samples
		(id, site, device, time, model, x, answered, confidence, evidence) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		s.ID, s.Site, s.Device, nano(s.Time), s.Model, s.X, s.Answered, s.Confidence, s.Evidence)
	if err != nil {
		return false, err
	}
	if n == 0 {
		_, err := t.exec("sample "+s.ID, "UPDATE samples SET evidence = ? WHERE id = ? AND site = ?", s.Evidence, s.ID, s.Site)
		return false, err
	}
	return t.claim(s, tolerance)
}

// AddPart notes that a part of an evidence arrived; last says that none follows.
// It reports whether the part came for the first time.
func (t *Tx) AddPart(site, device, evidence string, part int, last bool, now time.Time) (first bool, err error) {
	n, err := t.exec("evidence "+evidence, `INSERT INTO evidence_parts (site, device, evidence, part, last, arrived)
		VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`, site, device, evidence, part, last, nano(now))
	return n == 1, err
}

// An EvidenceCount says how far an evidence has come.
type EvidenceCount struct {
	Samples  int
	Labeled  int       // samples with a label
	Complete bool      // all parts are there
	Latest   time.Time // when the latest part came; zero if none did
}

// CountEvidence counts the samples of an evidence.
func (t *Tx) CountEvidence(site, device, evidence string) (EvidenceCount, error) {
	var c EvidenceCount
	var parts, want int
	var latest int64
	key := []any{site, device, evidence}
	err := t.row("evidence "+evidence, `SELECT COUNT(*), COALESCE(SUM(CASE WHEN label <> '' THEN 1 ELSE 0 END), 0)
		FROM samples WHERE site = ? AND device = ? AND evidence = ?`, key, &c.Samples, &c.Labeled)
	if err != nil {
		return c, err
	}
	err = t.row("evidence "+evidence, `SELECT COUNT(*), COALESCE(MAX(CASE WHEN last <> 0 THEN part + 1 ELSE 0 END), 0), COALESCE(MAX(arrived), 0)
		FROM evidence_parts WHERE site = ? AND device = ? AND evidence = ?`, key, &parts, &want, &latest)
	c.Complete, c.Latest = want > 0 && parts >= want, fromNano(latest)
	return c, err
}

// An EvidenceKey names an evidence.
type EvidenceKey struct{ Site, Device, Evidence string }

// LabelState condenses which samples of the evidences have which labels. It is
// another one as soon as a label comes, goes or is corrected.
func (t *Tx) LabelState(evidences ...EvidenceKey) (string, error) {
	scan := func(s scanner) (pair [2]string, err error) {
		err = s.Scan(&pair[0], &pair[1])
		return pair, err
	}
	h := sha256.New()
	for _, e := range evidences {
		labeled, err := rows(t, "labels of evidence "+e.Evidence, scan, `SELECT id, label FROM samples
			WHERE site = ? AND device = ? AND evidence = ? AND label <> '' ORDER BY id`, e.Site, e.Device, e.Evidence)
		if err != nil {
			return "", err
		}
		for _, pair := range labeled {
			fmt.Fprintf(h, "%q %q\n", pair[0], pair[1])
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// EvidenceSamples returns the samples of an evidence, oldest first.
func (t *Tx) EvidenceSamples(site, device, evidence string) ([]Sample, error) {
	return rows(t, "evidence "+evidence, scanSample, "SELECT "+sampleColumns+` FROM samples
		WHERE site = ? AND device = ? AND evidence = ? ORDER BY time, id`, site, device, evidence)
}

// LabeledSamples returns all labeled samples that models of the name answered,
// oldest first, quarantined ones among them.
func (t *Tx) LabeledSamples(name string) ([]Sample, error) {
	return rows(t, "samples of "+name, scanSample, "SELECT "+sampleColumns+` FROM samples
		WHERE label <> '' AND model IN (SELECT model FROM releases WHERE name = ?) ORDER BY time, id`, name)
}

// Sample returns one sample.
func (t *Tx) Sample(id string) (Sample, error) {
	return one(t, "sample "+id, scanSample, "SELECT "+sampleColumns+" FROM samples WHERE id = ?", id)
}

// Quarantine sets why samples are not trained on; an empty reason releases them.
func (t *Tx) Quarantine(reason string, ids ...string) error {
	for _, id := range ids {
		n, err := t.exec("sample "+id, "UPDATE samples SET quarantine = ? WHERE id = ?", reason, id)
		if err != nil {
			return err
		}
		if n == 0 {
			return fmt.Errorf("store: sample %s: %w", id, ErrNotFound)
		}
	}
	return nil
}
