package store

import (
	"fmt"
	"time"
)

// A Reference is a signed reference for one device.
type Reference struct {
	ID           int64 // rises with every reference
	Site, Device string
	Model        string // SHA-256
	Sequence     uint64
	Envelope     []byte
	Created      time.Time
}

const referenceColumns = "id, site, device, model, sequence, envelope, created"

func scanReference(s scanner) (Reference, error) {
	var r Reference
	var sequence, created int64
	err := s.Scan(&r.ID, &r.Site, &r.Device, &r.Model, &sequence, &r.Envelope, &created)
	r.Sequence, r.Created = uint64(sequence), fromNano(created)
	return r, err
}

// NextReference returns the sequence that the device's next reference gets.
func (t *Tx) NextReference(site, device string) (uint64, error) {
	var last int64
	err := t.row("references of "+device, "SELECT COALESCE(MAX(sequence), 0) FROM device_references WHERE site = ? AND device = ?",
		[]any{site, device}, &last)
	return uint64(last) + 1, err
}

// AddReference keeps a signed reference; ErrExists if the device has that sequence.
func (t *Tx) AddReference(r Reference) error {
	n, err := t.exec("reference of "+r.Device, `INSERT INTO device_references (site, device, model, sequence, envelope, created)
		VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		r.Site, r.Device, r.Model, int64(r.Sequence), r.Envelope, nano(r.Created))
	if err == nil && n == 0 {
		err = fmt.Errorf("store: reference %d of %s: %w", r.Sequence, r.Device, ErrExists)
	}
	return err
}

// Reference returns the newest reference of a device for the model.
func (t *Tx) Reference(site, device, model string) (Reference, error) {
	return one(t, "reference of "+device, scanReference, "SELECT "+referenceColumns+` FROM device_references
		WHERE site = ? AND device = ? AND model = ? ORDER BY sequence DESC LIMIT 1`, site, device, model)
}

// ReferencesAfter returns the newest reference of every device whose ID is above last, ascending.
func (t *Tx) ReferencesAfter(last int64) ([]Reference, error) {
	return rows(t, "references", scanReference, "SELECT "+referenceColumns+` FROM device_references a
		WHERE id > ? AND sequence = (SELECT MAX(sequence) FROM device_references b
			WHERE b.site = a.site AND b.device = a.device) ORDER BY id`, last)
}
