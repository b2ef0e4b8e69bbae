package op

import "kedge/runtime/kernel"

// For how many bytes another thread is worth while where they are moved one by one,
// and where they are added up; runs of bytes are moved faster, up to mostRun times.
const (
	movedPerPart = 1 << 10
	mostRun      = 16
	addedPerPart = 4 << 10
)

// share computes j, an operator on m of so many bytes, on the session's threads if
// there are at least perPart of them for each.
func (m *Memory) share(j kernel.Job, bytes, perPart int) {
	m.Work.Share(j, bytes/perPart, m)
}

// portion is where part i of n elements in so many parts begins: but for the last
// at a multiple of unit.
func portion(n, i, parts, unit int) int {
	if i == parts {
		return n
	}
	return int(int64(n)*int64(i)/int64(parts)) / unit * unit
}
