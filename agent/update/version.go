package update

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// version is MAJOR.MINOR.PATCH.
type version [3]uint64

// parseVersion reads "1.2.3", "v1.2.3" and either with a suffix after "-" or
// "+", which does not count: what a build from the commits after a tag adds
// ("v1.2.3-4-gabcdef") makes it newer, not older as in Semantic Versioning.
func parseVersion(s string) (version, error) {
	numbers, _, _ := strings.Cut(strings.TrimPrefix(s, "v"), "-")
	numbers, _, _ = strings.Cut(numbers, "+")
	parts := strings.Split(numbers, ".")
	var v version
	if len(parts) != len(v) {
		return v, fmt.Errorf("version %.32q: want MAJOR.MINOR.PATCH", s)
	}
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 10, 64)
		if err != nil {
			return v, fmt.Errorf("version %.32q: want MAJOR.MINOR.PATCH", s)
		}
		v[i] = n
	}
	return v, nil
}

func (v version) compare(w version) int {
	return cmp.Or(cmp.Compare(v[0], w[0]), cmp.Compare(v[1], w[1]), cmp.Compare(v[2], w[2]))
}

// newEnough reports whether an agent meets a release's minimum. An agent built
// from commits without a release ("devel", a bare commit id, Go's 0.0.0
// pseudo-versions) counts as newest: who runs one knows what is in it. An
// unreadable minimum is met by none.
func newEnough(agent, minimum string) bool {
	if minimum == "" {
		return true
	}
	m, err := parseVersion(minimum)
	if err != nil {
		return false
	}
	a, err := parseVersion(agent)
	return err != nil || a == version{} || a.compare(m) >= 0
}
