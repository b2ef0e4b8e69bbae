package store

import (
	"errors"
	"time"
)

// A Device is what the centre knows of one.
type Device struct {
	Site, Device string
	Boot         string
	Session      uint64
	Online       bool
	Seen         time.Time // latest message, by the centre's clock
	Model        string    // SHA-256 of the model in service, empty if unknown
	Release      string    // its release's digest, empty if unknown
	Reported     []byte    // its latest account of itself, JSON; nil if none came
}

const deviceColumns = "site, device, boot, session, online, seen, model, release_, reported"

func scanDevice(s scanner) (Device, error) {
	var d Device
	var seen, session int64
	err := s.Scan(&d.Site, &d.Device, &d.Boot, &session, &d.Online, &seen, &d.Model, &d.Release, &d.Reported)
	d.Seen, d.Session = fromNano(seen), uint64(session)
	return d, err
}

// Device returns one device.
func (t *Tx) Device(site, device string) (Device, error) {
	all, err := rows(t, "device "+device, scanDevice,
		"SELECT "+deviceColumns+" FROM devices WHERE site = ? AND device = ?", site, device)
	if err == nil && len(all) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Device{}, err
	}
	return all[0], nil
}

// Devices returns all devices, by site and name.
func (t *Tx) Devices() ([]Device, error) {
	return rows(t, "devices", scanDevice, "SELECT "+deviceColumns+" FROM devices ORDER BY site, device")
}

// SeeDevice notes a sign of life and makes the device known.
func (t *Tx) SeeDevice(site, device string, now time.Time) error {
	_, err := t.exec("device "+device, `INSERT INTO devices (site, device, seen) VALUES (?, ?, ?)
		ON CONFLICT (site, device) DO UPDATE SET seen = excluded.seen`, site, device, nano(now))
	return err
}

// SetDeviceState notes that a device came or went. It reports false, and does
// nothing, if the news is older than what is known: of a boot that the device
// has left behind, or of an earlier session of its present boot.
func (t *Tx) SetDeviceState(site, device, boot string, session uint64, online bool) (bool, error) {
	have, err := t.Device(site, device)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return false, err
	}
	if have.Boot == boot && session < have.Session {
		return false, nil
	}
	if have.Boot != boot && have.Boot != "" {
		var old int
		err := t.row("old boots", "SELECT COUNT(*) FROM old_boots WHERE site = ? AND device = ? AND boot = ?", []any{site, device, boot}, &old)
		if err != nil || old > 0 {
			return false, err
		}
		_, err = t.exec("old boots", `INSERT INTO old_boots (site, device, boot) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`,
			site, device, have.Boot)
		if err != nil {
			return false, err
		}
	}
	_, err = t.exec("device "+device, `UPDATE devices SET boot = ?, session = ?, online = ? WHERE site = ? AND device = ?`,
		boot, int64(session), online, site, device)
	return true, err
}

// SetDeviceReport keeps a device's account of itself.
func (t *Tx) SetDeviceReport(site, device string, report []byte) error {
	_, err := t.exec("device "+device, "UPDATE devices SET reported = ? WHERE site = ? AND device = ?", report, site, device)
	return err
}

// SetDeviceModel notes which model a device has in service.
func (t *Tx) SetDeviceModel(site, device, model, release string) error {
	_, err := t.exec("device "+device, "UPDATE devices SET model = ?, release_ = ? WHERE site = ? AND device = ?",
		model, release, site, device)
	return err
}
