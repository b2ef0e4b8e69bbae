package dataset

import (
	"fmt"

	"kedge/telemetry/wire"
	"kedge/trainer/store"
)

// A FieldSet is what devices captured and somebody labeled, by the alarm that
// it was captured for.
type FieldSet struct {
	Table
	IDs      []string // of the rows' samples
	Answered []int    // per row: the class that the device answered, -1 for one that the model no longer has
	Evidence []string // per row
	// Quarantine says of the samples that are not in the table why they are not.
	Quarantine map[string]string
	Report     Report
}

// Reasons for quarantine.
const (
	ReasonShape    = "other number of features than the model has"
	ReasonClass    = "label is no class of the model"
	ReasonConflict = "equal input with another label"
	ReasonOutlier  = "outlier among the samples of its alarm"
)

// Field makes a table of labeled samples, as the base set's columns and classes
// say. Rows that repeat an earlier one are dropped; those that do not fit are
// quarantined. Outliers are looked for among the samples of one alarm only:
// against the base set all of a drifted stream would be one. Samples that are in
// quarantine already stay there unless it was for their label, which may have been
// corrected since: they are judged anew.
func Field(base *Table, samples []store.Sample) (*FieldSet, error) {
	f := &FieldSet{Table: Table{Columns: base.Columns, Classes: base.Classes}, Quarantine: make(map[string]string)}
	class := indexOf(base.Classes)
	for _, s := range samples {
		x, err := wire.Float32s(s.X).Unpack()
		if err != nil {
			return nil, fmt.Errorf("sample %s: %w", s.ID, err)
		}
		y, known := class[s.Label]
		switch {
		case s.Quarantine != "" && s.Quarantine != ReasonClass && s.Quarantine != ReasonConflict:
			f.Quarantine[s.ID] = s.Quarantine
			f.Report.Quarantined++
		case len(x) != len(base.Columns):
			f.Quarantine[s.ID] = ReasonShape
			f.Report.Malformed++
		case !known:
			f.Quarantine[s.ID] = ReasonClass
			f.Report.Malformed++
		default:
			answered, ok := class[s.Answered]
			if !ok {
				answered = -1
			}
			f.X, f.Y = append(f.X, x...), append(f.Y, y)
			f.IDs, f.Evidence = append(f.IDs, s.ID), append(f.Evidence, s.Device+"/"+s.Evidence)
			f.Answered = append(f.Answered, answered)
		}
	}
	f.clean()
	return f, nil
}

func (f *FieldSet) clean() {
	keep, duplicates, conflicts := distinct(f.Len(), f.Row, func(i int) int { return f.Y[i] })
	f.Report.Duplicates, f.Report.Conflicts = duplicates, len(conflicts)
	for _, i := range conflicts {
		f.Quarantine[f.IDs[i]] = ReasonConflict
	}
	groups := make(map[string][]int)
	for _, i := range keep {
		groups[f.Evidence[i]] = append(groups[f.Evidence[i]], i)
	}
	odd := make(map[int]bool)
	for _, group := range groups {
		for i := range outliers(&f.Table, group) {
			odd[i] = true
		}
	}
	var index []int
	for _, i := range keep {
		if odd[i] {
			f.Quarantine[f.IDs[i]] = ReasonOutlier
			f.Report.Quarantined++
		} else {
			index = append(index, i)
		}
	}
	f.pick(index)
	f.Report.Rows = f.Len()
}

// pick keeps the rows of the index only.
func (f *FieldSet) pick(index []int) {
	f.Table = *f.Select(index)
	ids, answered, evidence := f.IDs, f.Answered, f.Evidence
	f.IDs, f.Answered, f.Evidence = nil, nil, nil
	for _, i := range index {
		f.IDs, f.Answered, f.Evidence = append(f.IDs, ids[i]), append(f.Answered, answered[i]), append(f.Evidence, evidence[i])
	}
}
