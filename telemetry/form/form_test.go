package form

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

// forms are the same as regular expressions.
var forms = []struct {
	name    string
	is      func(s string) bool
	regular *regexp.Regexp
	like    []string // what strings are made of that are nearly so
}{
	{"name", Name, regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`), []string{"a", "Z", "0", ".", "-", "_", "é", "/", "\n", strings.Repeat("x", 63)}},
	{"digest", Digest, regexp.MustCompile(`^[0-9a-f]{64}$`), []string{strings.Repeat("0f", 31), "a", "f", "9", "g", "A", "\n"}},
	{"number of 9 digits", func(s string) bool { return Number(s, 9) }, regexp.MustCompile(`^(0|[1-9][0-9]{0,8})$`), []string{"0", "1", "9", "12345678", "x", "-", "\n"}},
	{"version", Version, regexp.MustCompile(`^(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})$`), []string{"0", "1", ".", "20", ".3", "2147483647", "v", "\n"}},
	{"sample", Sample, regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}/[A-Za-z0-9][A-Za-z0-9._-]{0,63}/(0|[1-9][0-9]{0,19})$`), []string{"a", "pump-1/", "b2/", "/", "0", "17", "99999999999999999999", "\n"}},
}

func TestForms(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, f := range forms {
		matched := 0
		for range 20000 {
			var s strings.Builder
			for range r.IntN(6) {
				s.WriteString(f.like[r.IntN(len(f.like))])
			}
			want := f.regular.MatchString(s.String())
			if got := f.is(s.String()); got != want {
				t.Fatalf("%s %q: got %v, want %v", f.name, s.String(), got, want)
			}
			if want {
				matched++
			}
		}
		if matched == 0 {
			t.Errorf("%s: no string was one", f.name)
		}
	}
}
