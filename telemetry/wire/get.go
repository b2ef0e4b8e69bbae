package wire

import "kedge/telemetry/form"

// GetWindow is the number of chunks that one Get can ask for.
const GetWindow = 16

// Get asks the centre for chunks of a blob: those chunks First+i for which
// bit i of Want is set. The centre answers each on its own topic, in any
// order, or not at all; the device asks again for what is missing.
type Get struct {
	V     int    `json:"v"`
	Blob  string `json:"blob"`  // SHA-256, hexadecimal
	First int    `json:"first"` // from 0
	Want  uint16 `json:"want"`
}

// Check implements Message.
func (g *Get) Check() error {
	if g.V != Version || !form.Digest(g.Blob) || g.First < 0 || g.First > 1<<20 || g.Want == 0 {
		return malformed("version %d, blob %.80q, first %d, want %#x", g.V, g.Blob, g.First, g.Want)
	}
	return nil
}

// Chunks returns the numbers of the chunks that are asked for, ascending.
func (g *Get) Chunks() []int {
	var ns []int
	for i := range GetWindow {
		if g.Want&(1<<i) != 0 {
			ns = append(ns, g.First+i)
		}
	}
	return ns
}
