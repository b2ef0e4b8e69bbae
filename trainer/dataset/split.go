package dataset

import "math/rand/v2"

// Split divides the rows into two parts, of which the second gets the share
// (0 to 1) of every class, rounded. A class of at least two rows is in both parts
// unless the share is 0 or 1. Equal arguments give equal parts.
func Split(y []int, share float64, seed uint64) (first, second []int) {
	classes := 0
	for _, c := range y {
		classes = max(classes, c+1)
	}
	members := make([][]int, classes)
	for i, c := range y {
		members[c] = append(members[c], i)
	}
	rng := rand.New(rand.NewPCG(seed, 0x73706c6974)) // second word: any constant
	inSecond := make([]bool, len(y))
	for _, rows := range members {
		rng.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		n := int(share*float64(len(rows)) + 0.5)
		if len(rows) >= 2 && share > 0 && share < 1 {
			n = min(max(n, 1), len(rows)-1)
		}
		for _, i := range rows[:n] {
			inSecond[i] = true
		}
	}
	for i, in := range inSecond {
		if in {
			second = append(second, i)
		} else {
			first = append(first, i)
		}
	}
	return first, second
}
