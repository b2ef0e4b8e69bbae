package event

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Invariants of the catalogue that its readers rely on.
func TestCatalogue(t *testing.T) {
	form := regexp.MustCompile(`^K0[1-9]\d\d$`)
	if !slices.IsSortedFunc(Catalogue(), func(a, b Entry) int { return strings.Compare(string(a.Code), string(b.Code)) }) {
		t.Error("catalogue is not sorted by code")
	}
	seen := make(map[Code]bool)
	for _, e := range Catalogue() {
		if !form.MatchString(string(e.Code)) || seen[e.Code] {
			t.Errorf("%s: bad or repeated code", e.Code)
		}
		seen[e.Code] = true
		if e.Text == "" || strings.HasSuffix(e.Text, ".") {
			t.Errorf("%s: text %q, want a sentence without full stop", e.Code, e.Text)
		}
		if (e.Do == "") != (e.Severity == Info) {
			t.Errorf("%s: severity %s with advice %q, want advice exactly on W and E", e.Code, e.Severity, e.Do)
		}
		if got := Lookup(e.Code); got != e {
			t.Errorf("Lookup(%s): got %+v, want %+v", e.Code, got, e)
		}
	}
}

func TestLookupUnknown(t *testing.T) {
	if got := Lookup("K9999"); got.Severity != Error || got.Do == "" {
		t.Errorf("got %+v, want an error with advice", got)
	}
}
