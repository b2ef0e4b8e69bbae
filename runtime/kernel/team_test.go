package kernel

import (
	"math/rand/v2"
	"slices"
	"testing"

	"kedge/runtime/fixed"
)

// TestTeam: any number of threads gives the bytes of one.
func TestTeam(t *testing.T) {
	for _, e := range append(portable(), engines()...) {
		if !e.detected() {
			continue
		}
		t.Run(e.name, func(t *testing.T) {
			r := values{rand.New(rand.NewPCG(5, 6))}
			eager := *e
			eager.pace = 0
			for i := range 6 {
				w := r.window()
				w.InH, w.InW = 8+r.IntN(20), 8+r.IntN(40)
				w.OutH, w.OutW = (w.InH-1)/w.StrideH+1, (w.InW-1)/w.StrideW+1
				c := Conv{Window: w, InC: 16, OutC: 1 + r.IntN(90), Groups: 1, InZero: 3}
				c.Weights = r.int8s(c.OutC * c.KernelH * c.KernelW * c.InC)
				c.Bias, c.Output = r.bias(c.OutC), r.output(c.OutC)
				d := Depthwise{Window: w, InC: 40, OutC: 40, Multiplier: 1, InZero: 3, Weights: r.int8s(w.KernelH * w.KernelW * 40)}
				d.Output = r.output(40)
				in := r.int8s(c.Batch * c.InH * c.InW * d.InC)
				var want [2][]int8
				for _, threads := range []int{1, 2, 3, 5} {
					s := (&Set{Name: e.name, engine: &eager}).For(20)
					s.Threads = threads
					c, d := c, d
					s.PrepareConv(&c, granted)
					s.PrepareDepthwise(&d, granted)
					team := NewTeam(threads)
					work := Work{Team: team}
					got := [2][]int8{make([]int8, c.Batch*c.OutH*c.OutW*c.OutC), make([]int8, c.Batch*c.OutH*c.OutW*d.OutC)}
					for range 2 { // the second time late helpers of the first may still be about
						team.Begin()
						c.Run(in[:c.Batch*c.InH*c.InW*c.InC], got[0], scratch(c.Scratch), &work)
						d.Run(in, got[1], scratch(d.Scratch), &work)
						team.End()
					}
					if threads == 1 {
						want = got
					}
					if !slices.Equal(got[0], want[0]) || !slices.Equal(got[1], want[1]) {
						t.Fatalf("run %d, %d threads: %+v: other bytes than on one", i, threads, w)
					}
				}
			}
		})
	}
}

// TestTeamJobs: sums, and operators that are no layers, on any number of threads.
func TestTeamJobs(t *testing.T) {
	r := values{rand.New(rand.NewPCG(7, 8))}
	set, err := Choose("")
	if err != nil {
		t.Fatal(err)
	}
	half := fixed.Multiplier{M: 1 << 30}
	for _, threads := range []int{1, 2, 3, 8} {
		s := set.For(20)
		s.Threads = threads
		a := Add{X: Addend{Zero: 3, Factor: half}, Y: Addend{Zero: -9, Factor: half}, Output: fixed.Multiplier{M: 1 << 30, Shift: -17}, Min: -128, Max: 127}
		s.PrepareAdd(&a)
		w := Work{Team: NewTeam(threads)}
		for _, n := range []int{1, 63, 2 * sumsPerPart, 3*sumsPerPart + 77, 20*sumsPerPart - 1} {
			x, y, got, want := r.int8s(n), r.int8s(n), make([]int8, n), make([]int8, n)
			addGeneric(&a, x, y, want)
			w.Team.Begin()
			a.RunShared(x, y, got, &w)
			counted := make(counts, n)
			w.Share(counted, n, counted)
			w.Team.End()
			if !slices.Equal(got, want) {
				t.Errorf("%d sums on %d threads: other bytes than one by one", n, threads)
			}
			for i, c := range counted {
				if c != 1 {
					t.Fatalf("%d elements on %d threads: element %d was done %d times, want 1", n, threads, i, c)
				}
			}
		}
	}
}

// counts is a Job that counts how often elements are done.
type counts []int

func (c counts) Part(i, n int, operands any) {
	for k := len(c) * i / n; k < len(c)*(i+1)/n; k++ {
		operands.(counts)[k]++
	}
}
