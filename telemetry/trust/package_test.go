package trust

import (
	"bytes"
	"testing"
)

func TestPackageRoundTrip(t *testing.T) {
	b := testBundle()
	bundle := encodeBundle(t, b)
	p := &Package{Release: sign(t, TypeRelease, testRelease(b, bundle), 10), Bundle: bundle}
	data, err := p.Encode()
	wantError(t, err, nil)
	again, err := p.Encode()
	if err != nil || !bytes.Equal(data, again) {
		t.Errorf("equal packages give different bytes (%v)", err)
	}
	got, err := OpenPackage(data)
	wantError(t, err, nil)
	if !bytes.Equal(got.Release, p.Release) || !bytes.Equal(got.Bundle, p.Bundle) {
		t.Error("the package came back changed")
	}
	release, _, err := openTestRoot(t).VerifyRelease(got.Release)
	wantError(t, err, nil)
	_, err = release.Open(got.Bundle)
	wantError(t, err, nil)
}

func TestOpenPackage(t *testing.T) {
	release, bundle := part{filePackageRelease, []byte("r")}, part{filePackageBundle, []byte("b")}
	tests := []struct {
		name  string
		parts []part
		want  error
	}{
		{"good", []part{release, bundle}, nil},
		{"further entries", []part{bundle, release, {"README.txt", nil}}, nil},
		{"no release", []part{bundle}, ErrBundle},
		{"no bundle", []part{release}, ErrBundle},
		{"release twice", []part{release, bundle, release}, ErrBundle},
		{"bundle twice", []part{release, bundle, bundle}, ErrBundle},
		{"bomb", []part{release, {filePackageBundle, make([]byte, maxPackage+1)}}, ErrTooLarge},
		{"directory bomb", append(make([]part, maxEntries), release, bundle), ErrTooLarge},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := OpenPackage(packZip(t, test.parts))
			wantError(t, err, test.want)
		})
	}
	t.Run("no archive", func(t *testing.T) {
		_, err := OpenPackage([]byte("PK\x03\x04"))
		wantError(t, err, ErrBundle)
	})
}

func TestPackageTooLarge(t *testing.T) {
	for _, p := range []*Package{
		{Release: make([]byte, maxEnvelope+1), Bundle: []byte("b")},
		{Release: []byte("r"), Bundle: make([]byte, MaxBundle+1)},
	} {
		_, err := p.Encode()
		wantError(t, err, ErrTooLarge)
	}
}
