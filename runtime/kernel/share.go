package kernel

// Job is an operator without kernels of its own, in parts that can be computed
// apart. Operands are what was given to Share.
type Job interface {
	// Part computes part i of n.
	Part(i, n int, operands any)
}

// Share computes j in up to n parts on the threads of w's team; without one, in one
// part.
func (w *Work) Share(j Job, n int, operands any) {
	if w.Team != nil {
		n = min(n, w.Team.size())
	}
	if w.Team == nil || n < 2 {
		j.Part(0, 1, operands)
		return
	}
	w.foreign = foreign{j, operands}
	w.Team.run(&w.foreign, n, nil, nil, nil, nil, w)
	w.foreign = foreign{} // keep no memory alive
}

// foreign is a Job as a job.
type foreign struct {
	Job
	operands any
}

func (f *foreign) compute(first, end int, t *task, _ []int8, _ *Work) {
	for i := first; i < end; i++ {
		f.Part(i, t.parts, f.operands)
	}
}
