package store

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"
)

// A Column is one feature of a base set.
type Column struct {
	Name      string `json:"name"`
	Transform string `json:"transform"`
}

// A BaseSet is the labeled data that a model was first trained on.
type BaseSet struct {
	Name    string
	Columns []Column
	Classes []string
	X       []byte   // rows of len(Columns) little-endian float32
	Y       []uint16 // per row, index into Classes
	Created time.Time
}

// PutBaseSet keeps the set, in place of an earlier one of that name.
func (t *Tx) PutBaseSet(b BaseSet) error {
	columns, err := json.Marshal(b.Columns)
	if err != nil {
		return fmt.Errorf("store: base set %s: %w", b.Name, err)
	}
	classes, err := json.Marshal(b.Classes)
	if err != nil {
		return fmt.Errorf("store: base set %s: %w", b.Name, err)
	}
	y := make([]byte, 0, 2*len(b.Y))
	for _, v := range b.Y {
		y = binary.LittleEndian.AppendUint16(y, v)
	}
	_, err = t.exec("base set "+b.Name, `
		INSERT INTO base_sets (name, columns, classes, x, y, created) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET columns = excluded.columns, classes = excluded.classes,
			x = excluded.x, y = excluded.y, created = excluded.created`,
		b.Name, string(columns), string(classes), append([]byte{}, b.X...), y, nano(b.Created)) // an empty set is no null
	return err
}

// BaseSet returns the set of that name.
func (t *Tx) BaseSet(name string) (BaseSet, error) {
	b := BaseSet{Name: name}
	var columns, classes string
	var y []byte
	var created int64
	err := t.row("base set "+name, "SELECT columns, classes, x, y, created FROM base_sets WHERE name = ?",
		[]any{name}, &columns, &classes, &b.X, &y, &created)
	if err != nil {
		return BaseSet{}, err
	}
	if err := json.Unmarshal([]byte(columns), &b.Columns); err != nil {
		return BaseSet{}, fmt.Errorf("store: base set %s: columns: %w", name, err)
	}
	if err := json.Unmarshal([]byte(classes), &b.Classes); err != nil {
		return BaseSet{}, fmt.Errorf("store: base set %s: classes: %w", name, err)
	}
	for ; len(y) >= 2; y = y[2:] {
		b.Y = append(b.Y, binary.LittleEndian.Uint16(y))
	}
	b.Created = fromNano(created)
	return b, nil
}
