package store

import "time"

// FirstSight notes a device's event and reports whether it is new. Devices send
// an event again until it is acknowledged; the note and what the event causes
// belong into the same transaction.
func (t *Tx) FirstSight(site, device, id string, now time.Time) (bool, error) {
	n, err := t.exec("event "+id, `INSERT INTO seen_events (site, device, id, seen) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		site, device, id, nano(now))
	return n == 1, err
}

// ForgetEvents drops the notes of events first seen before the time.
func (t *Tx) ForgetEvents(before time.Time) error {
	_, err := t.exec("seen events", "DELETE FROM seen_events WHERE seen < ?", nano(before))
	return err
}

// An Update is one step of an update on a device.
type Update struct {
	Site, Device, Event string
	Time                time.Time
	Release             string
	State, Code, Reason string
	Bytes               int64
}

// AddUpdate keeps an update event.
func (t *Tx) AddUpdate(u Update) error {
	_, err := t.exec("update event "+u.Event, `INSERT INTO update_events
		(site, device, event, time, release_, state, code, reason, bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		u.Site, u.Device, u.Event, nano(u.Time), u.Release, u.State, u.Code, u.Reason, u.Bytes)
	return err
}

// Updates returns a device's update events in the order in which they came.
func (t *Tx) Updates(site, device string) ([]Update, error) {
	scan := func(s scanner) (Update, error) {
		u := Update{Site: site, Device: device}
		var at int64
		err := s.Scan(&u.Event, &at, &u.Release, &u.State, &u.Code, &u.Reason, &u.Bytes)
		u.Time = fromNano(at)
		return u, err
	}
	return rows(t, "updates of "+device, scan, `SELECT event, time, release_, state, code, reason, bytes
		FROM update_events WHERE site = ? AND device = ? ORDER BY id`, site, device)
}
