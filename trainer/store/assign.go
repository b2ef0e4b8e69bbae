package store

import (
	"fmt"
	"time"
)

// Kinds of targets of an assignment.
const (
	TargetDevice = "device"
	TargetGroup  = "group"
)

// A Target is a device or a group of a site.
type Target struct {
	Site string
	Kind string // TargetDevice or TargetGroup
	Name string
}

// An Assignment says which release a target is to run.
type Assignment struct {
	ID       int64 // rises with every assignment
	Target   Target
	Release  string
	Sequence uint64
	Envelope []byte
	Issued   time.Time
}

const assignColumns = "id, site, kind, target, release_, sequence, envelope, issued"

func scanAssignment(s scanner) (Assignment, error) {
	var a Assignment
	var sequence, issued int64
	err := s.Scan(&a.ID, &a.Target.Site, &a.Target.Kind, &a.Target.Name, &a.Release, &sequence, &a.Envelope, &issued)
	a.Sequence, a.Issued = uint64(sequence), fromNano(issued)
	return a, err
}

// NextSequence returns the sequence that the target's next assignment gets.
// The database holds the write lock until the transaction ends, so that no
// other process can get the same.
func (t *Tx) NextSequence(target Target) (uint64, error) {
	var last int64
	err := t.row("assignments", "SELECT COALESCE(MAX(sequence), 0) FROM assignments WHERE site = ? AND kind = ? AND target = ?",
		[]any{target.Site, target.Kind, target.Name}, &last)
	return uint64(last) + 1, err
}

// AddAssignment keeps an assignment; ErrExists if the target has that sequence.
func (t *Tx) AddAssignment(a Assignment) error {
	n, err := t.exec("assignment to "+a.Target.Name, `INSERT INTO assignments (site, kind, target, release_, sequence, envelope, issued)
		VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		a.Target.Site, a.Target.Kind, a.Target.Name, a.Release, int64(a.Sequence), a.Envelope, nano(a.Issued))
	if err == nil && n == 0 {
		err = fmt.Errorf("store: assignment %d to %s: %w", a.Sequence, a.Target.Name, ErrExists)
	}
	return err
}

// Assignment returns a target's assignment in force.
func (t *Tx) Assignment(target Target) (Assignment, error) {
	return one(t, "assignment of "+target.Name, scanAssignment, "SELECT "+assignColumns+` FROM assignments
		WHERE site = ? AND kind = ? AND target = ? ORDER BY sequence DESC LIMIT 1`, target.Site, target.Kind, target.Name)
}

// AssignmentsAfter returns the assignments in force with an ID above last, ascending.
func (t *Tx) AssignmentsAfter(last int64) ([]Assignment, error) {
	return rows(t, "assignments", scanAssignment, "SELECT "+assignColumns+` FROM assignments a
		WHERE id > ? AND sequence = (SELECT MAX(sequence) FROM assignments b
			WHERE b.site = a.site AND b.kind = a.kind AND b.target = a.target) ORDER BY id`, last)
}
