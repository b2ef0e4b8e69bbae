package inputs

import (
	"fmt"
	"iter"
)

// Row is a recorded row.
type Row struct {
	Values  []float64 // reused by whoever yields rows
	Context string    // "" for none
}

// ReplayOptions configure [Replay].
type ReplayOptions struct {
	Options
	// ReferenceRows is how many rows, from the first on, are the reference.
	ReferenceRows int
}

// Detection is an alarm during a replay.
type Detection struct {
	Index     int        `json:"index"` // of the row, from 0
	Context   string     `json:"context,omitempty"`
	Moved     []string   `json:"moved"`     // names, the most important first
	Movements []Movement `json:"movements"` // the same with their evidence
}

// Replayed is what a replay found.
type Replayed struct {
	// Detections are the indices of the rows that raised an alarm.
	Detections []int       `json:"detections"`
	Features   []Detection `json:"features"`
	// Unwatched counts rows in contexts of which the reference has too little.
	Unwatched int64 `json:"unwatched,omitempty"`
	// Blind names the features of whose distribution the reference says too little, see
	// [Explanation], in any context.
	Blind []string `json:"blind,omitempty"`
}

// Replay makes a reference of the first rows, one for every context, and watches the
// rest. The latch is off: every alarm is a detection.
func Replay(columns []Column, rows iter.Seq2[Row, error], o ReplayOptions) (Replayed, error) {
	r := Replayed{Detections: []int{}, Features: []Detection{}}
	if o.ReferenceRows < MinReference {
		return r, fmt.Errorf("inputs: %w: %d rows, want at least %d", ErrReference, o.ReferenceRows, MinReference)
	}
	builders, monitors := map[string]*Builder{}, map[string]*Monitor{}
	i := 0
	for row, err := range rows {
		if err != nil {
			return r, err
		}
		if i < o.ReferenceRows {
			b := builders[row.Context]
			if b == nil {
				b = NewBuilder(columns)
				builders[row.Context] = b
			}
			if err := b.Add(row.Values); err != nil {
				return r, fmt.Errorf("row %d: %w", i, err)
			}
		} else {
			if i == o.ReferenceRows {
				if err := monitorsOf(monitors, builders, o.Options); err != nil {
					return r, err
				}
				r.Blind = blind(columns, monitors)
			}
			if err := r.watch(i, row, monitors[row.Context]); err != nil {
				return r, err
			}
		}
		i++
	}
	if i < o.ReferenceRows {
		return r, fmt.Errorf("inputs: %w: %d rows, want the %d asked for", ErrReference, i, o.ReferenceRows)
	}
	return r, nil
}

// monitorsOf makes a monitor for every context whose reference is large enough. At
// least one must be.
func monitorsOf(monitors map[string]*Monitor, builders map[string]*Builder, o Options) error {
	var refused error
	for key, b := range builders {
		ref, err := b.Reference()
		if err != nil {
			refused = err
			continue
		}
		m, err := New(ref, o)
		if err != nil {
			return err
		}
		monitors[key] = m
		delete(builders, key)
	}
	if len(monitors) == 0 {
		return refused
	}
	return nil
}

// blind lists in the order of the columns who is blind in any of the monitors.
func blind(columns []Column, monitors map[string]*Monitor) []string {
	var names []string
	for i, c := range columns {
		for _, m := range monitors {
			if m.watched[i].blind() {
				names = append(names, c.Name)
				break
			}
		}
	}
	return names
}

func (r *Replayed) watch(i int, row Row, m *Monitor) error {
	if m == nil {
		r.Unwatched++
		return nil
	}
	result, err := m.Update(row.Values)
	if err != nil {
		return fmt.Errorf("row %d: %w", i, err)
	}
	if !result.Alarm {
		return nil
	}
	d := Detection{Index: i, Context: row.Context, Movements: m.Moved()}
	for _, v := range d.Movements {
		d.Moved = append(d.Moved, v.Name)
	}
	r.Detections = append(r.Detections, i)
	r.Features = append(r.Features, d)
	return nil
}
