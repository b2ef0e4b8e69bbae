package drift

import (
	"slices"
	"testing"
)

// TestDefaults: zero options are the defaults that the table states, which is what
// users read and replay.
func TestDefaults(t *testing.T) {
	for _, c := range []struct {
		name string
		zero func() (Detector, error)
	}{
		{PageHinkleyRiver, func() (Detector, error) { return NewRiver(RiverOptions{}) }},
		{PageHinkleyMOA, func() (Detector, error) { return NewMOA(MOAOptions{}) }},
		{CUSUM, func() (Detector, error) { return NewCusum(CusumOptions{}) }},
		{ADWIN, func() (Detector, error) { return NewAdwin(AdwinOptions{}) }},
		{DriftDetectionMethod, func() (Detector, error) { return NewDDM(DDMOptions{}) }},
	} {
		zero, err := c.zero()
		if err != nil {
			t.Fatal(err)
		}
		kind, err := KindOf(c.name)
		if err != nil {
			t.Fatal(err)
		}
		stated, err := kind.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := zero.Explain().Parameters, stated.Explain().Parameters; !slices.Equal(got, want) {
			t.Errorf("%s: zero options are %v, the table says %v", c.name, got, want)
		}
	}
}
