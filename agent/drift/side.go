package drift

import (
	"fmt"
	"strings"
)

// Side says to which side of the reference a change of the mean is drift.
type Side uint8

// The sides. The zero value fits a signal in which lower is worse.
const (
	// FallingSide: the mean has fallen.
	FallingSide Side = iota
	// RisingSide: the mean has risen.
	RisingSide
	// BothSides: either, and the promise is shared. A confidence that rises may be that
	// of a model that is sure of what it never saw.
	BothSides
)

// risingSuffix ends the name of a detector that watches for a rise.
const risingSuffix = "-rising"

// sided reports whether a detector is told its sides by the monitor; the others have
// directions among their parameters. They are those that promise something.
func sided(name string) bool { return name == PageHinkley || name == EDetector }

// sides lists whether each set of detectors watches for a rise.
func (o Options) sides() []bool {
	return [...][]bool{FallingSide: {false}, RisingSide: {true}, BothSides: {false, true}}[o.Sides]
}

// promising is how many detectors share the promise.
func (o Options) promising() int {
	n := 0
	for _, name := range o.Detectors {
		if sided(name) {
			n += len(o.sides())
		}
	}
	return n
}

// Names lists what runs, in the order of [Monitor.Detector].
func (o Options) Names() []string {
	var all []string
	for side, rising := range o.sides() {
		for _, name := range o.Detectors {
			if side == 0 || sided(name) {
				all = append(all, sideName(name, rising && sided(name)))
			}
		}
	}
	return all
}

func sideName(name string, rising bool) string {
	if rising {
		return name + risingSuffix
	}
	return name
}

// name is the detector's, with the side.
func (w *watched) name() string { return sideName(w.Name(), w.rising) }

// ParseSide reads "down", "up" or "both".
func ParseSide(word string) (Side, error) {
	for side, name := range sideWords {
		if word == name {
			return Side(side), nil
		}
	}
	return 0, fmt.Errorf("drift: %w: got %q as sides, want %s", ErrParameter, word, strings.Join(sideWords[:], ", "))
}

var sideWords = [...]string{FallingSide: "down", RisingSide: "up", BothSides: "both"}

// mirror turns the lattice around: what watches for a fall finds a rise.
func mirror(q uint8) uint8 { return LatticeSize - 1 - q }

// mirrored is the reference of the signal with its lattice turned around.
func (r Reference) mirrored() Reference {
	next := Reference{Counts: make([]int64, len(r.Counts)), N: r.N, Lags: r.Lags, Blocks: r.Blocks}
	for q, c := range r.Counts {
		next.Counts[len(r.Counts)-1-q] = c
	}
	if r.Contexts != nil {
		next.Contexts = make(map[string]Reference, len(r.Contexts))
	}
	for name, c := range r.Contexts {
		next.Contexts[name] = c.mirrored()
	}
	return next
}
