package main

// instruction is one of a straight piece of code, with what decides where in it
// it may stand.
type instruction struct {
	text          string
	unit          unit
	latency       int      // cycles until its results can be read
	reads, writes []string // registers by their names; memory
	address       string   // the one of writes that moves on by a constant, at once
}

// after is how many cycles after the instruction what it wrote can be read.
func (in *instruction) after(written string) int {
	if written == in.address {
		return 1
	}
	return in.latency
}

// unit is the part of a processor that an instruction occupies for a cycle.
type unit int

const (
	vector unit = iota
	memory      // loads and stores
	scalar
)

// issue is how many instructions the processor that is scheduled for begins in
// one cycle, at most one for each unit: that of an in-order core of two ways,
// which gains most. The others find their own order.
const issue = 2

// schedule reorders a straight piece of code so that results are there when they
// are read: cycle by cycle it takes, of the instructions whose arguments are
// ready, those that most depends on.
func schedule(code []instruction) []instruction {
	after := dependents(code)
	height := make([]int, len(code)) // cycles from its start to the end of all
	waits := make([]int, len(code))  // instructions that must come before
	for i := len(code) - 1; i >= 0; i-- {
		height[i] = code[i].latency
		for _, d := range after[i] {
			height[i] = max(height[i], d.distance+height[d.index])
			waits[d.index]++
		}
	}
	ready := make([]int, len(code)) // cycle from which on it may begin
	done := make([]bool, len(code))
	out := make([]instruction, 0, len(code))
	for cycle := 0; len(out) < len(code); cycle++ {
		var busy [scalar + 1]bool
		for range issue {
			best := -1
			for i := range code {
				if !done[i] && waits[i] == 0 && ready[i] <= cycle && !busy[code[i].unit] &&
					(best < 0 || height[i] > height[best]) {
					best = i
				}
			}
			if best < 0 {
				break
			}
			done[best], busy[code[best].unit] = true, true
			out = append(out, code[best])
			for _, d := range after[best] {
				waits[d.index]--
				ready[d.index] = max(ready[d.index], cycle+d.distance)
			}
		}
	}
	return out
}

// dependence says that an instruction comes so many cycles after another.
type dependence struct{ index, distance int }

// dependents lists for every instruction those that must come after it: readers
// of its results, who wait for them, and those that overwrite what it reads or
// writes.
func dependents(code []instruction) [][]dependence {
	after := make([][]dependence, len(code))
	writer := map[string]int{}
	readers := map[string][]int{}
	for i, in := range code {
		for _, r := range in.reads {
			if w, ok := writer[r]; ok {
				after[w] = append(after[w], dependence{i, code[w].after(r)})
			}
		}
		for _, r := range in.writes {
			if w, ok := writer[r]; ok {
				after[w] = append(after[w], dependence{i, 1})
			}
			for _, reader := range readers[r] {
				if reader != i {
					after[reader] = append(after[reader], dependence{i, 0})
				}
			}
		}
		for _, r := range in.reads {
			readers[r] = append(readers[r], i)
		}
		for _, r := range in.writes {
			writer[r], readers[r] = i, nil
		}
	}
	return after
}
