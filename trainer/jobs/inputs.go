package jobs

import (
	"kedge/agent/drift/inputs"
	"kedge/trainer/dataset"
	"kedge/trainer/release"
)

// inputsOf is what the rows of a table look like, for devices to notice when theirs no
// longer do. order says in which order they count as taken.
func inputsOf(t *dataset.Table, order []int) (*inputs.Reference, error) {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Name
	}
	return release.NewInputs(names, func(yield func([]float64) bool) {
		for _, i := range order {
			if !yield(t.Wide(i)) {
				return
			}
		}
	})
}

// inOrder counts to n.
func inOrder(n int) []int {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	return order
}
