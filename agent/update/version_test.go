package update

import "testing"

func TestNewEnough(t *testing.T) {
	for _, c := range []struct {
		agent, minimum string
		want           bool
	}{
		{"0.3.0", "", true},
		{"0.3.0", "0.3.0", true},
		{"0.2.9", "0.3.0", false},
		{"0.10.0", "0.9.9", true},
		{"1.0.0", "0.99.99", true},
		{"v0.3.1-4-gabcdef", "0.3.1", true},
		{"v0.3.1+dirty", "0.3.2", false},
		{"devel", "99.0.0", true},
		{"(devel)", "99.0.0", true},
		{"b93139dc0ffe-dirty", "99.0.0", true},
		{"v0.0.0-20260101000000-b93139dc0ffe", "99.0.0", true},
		{"0.3.0", "soon", false},
		{"18446744073709551615.0.0", "18446744073709551616.0.0", false},
	} {
		if got := newEnough(c.agent, c.minimum); got != c.want {
			t.Errorf("agent %s, minimum %s: got %v, want %v", c.agent, c.minimum, got, c.want)
		}
	}
}
