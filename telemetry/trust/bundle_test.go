package trust

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestBundleRoundTrip(t *testing.T) {
	b := testBundle()
	data := encodeBundle(t, b)
	if again := encodeBundle(t, b); !bytes.Equal(data, again) {
		t.Error("equal bundles give different bytes")
	}
	got, err := OpenBundle(data)
	wantError(t, err, nil)
	if !reflect.DeepEqual(got, b) {
		t.Errorf("got %+v, want %+v", got, b)
	}
}

// What Encode refuses and what OpenBundle refuses is the same.
func TestBundleCheck(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Bundle)
		want   error
	}{
		{"good", func(*Bundle) {}, nil},
		{"no labels", func(b *Bundle) { b.Manifest.Labels = nil }, nil},
		{"longest label", func(b *Bundle) { b.Manifest.Labels[0] = long(maxLabel) }, nil},
		{"one sample", func(b *Bundle) { b.Manifest.GoldenSamples = 1 }, nil},
		{"format 2", func(b *Bundle) { b.Manifest.Format = 2 }, ErrBundle},
		{"no name", func(b *Bundle) { b.Manifest.Name = "" }, ErrBundle},
		{"bad name", func(b *Bundle) { b.Manifest.Name = ".." }, ErrBundle},
		{"version 0", func(b *Bundle) { b.Manifest.Version = 0 }, ErrBundle},
		{"label twice", func(b *Bundle) { b.Manifest.Labels[1] = "good" }, ErrBundle},
		{"empty label", func(b *Bundle) { b.Manifest.Labels[1] = "" }, ErrBundle},
		{"label too long", func(b *Bundle) { b.Manifest.Labels[1] = long(maxLabel + 1) }, ErrBundle},
		{"no golden samples", func(b *Bundle) { b.Manifest.GoldenSamples = 0 }, ErrBundle},
		{"golden samples below 0", func(b *Bundle) { b.Manifest.GoldenSamples = -2 }, ErrBundle},
		{"more samples than bytes", func(b *Bundle) { b.Manifest.GoldenSamples = 8 }, ErrBundle},
		{"samples that do not divide the output", func(b *Bundle) { b.Manifest.GoldenSamples = 4 }, ErrBundle},
		{"no model", func(b *Bundle) { b.Model = nil }, ErrBundle},
		{"no features", func(b *Bundle) { b.Features = nil }, ErrBundle},
		{"no reference", func(b *Bundle) { b.Reference = nil }, ErrBundle},
		{"no golden input", func(b *Bundle) { b.GoldenInput = nil }, ErrBundle},
		{"no golden output", func(b *Bundle) { b.GoldenOutput = nil }, ErrBundle},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := testBundle()
			test.change(b)
			data, err := b.Encode()
			wantError(t, err, test.want)
			if err == nil {
				_, err = OpenBundle(data)
				wantError(t, err, nil)
				return
			}
			files := bundleParts(b)
			files[0].data = fmt.Appendf(nil, `{"format":%d,"name":%q,"version":%d,"labels":["%s"],"signal":"top1","golden_samples":%d}`,
				b.Manifest.Format, b.Manifest.Name, b.Manifest.Version, strings.Join(b.Manifest.Labels, `","`), b.Manifest.GoldenSamples)
			got, err := OpenBundle(packZip(t, files))
			wantError(t, err, test.want)
			if got != nil {
				t.Error("a refused bundle was returned")
			}
		})
	}
}

// Both limits, exactly reached and exceeded by one byte, on the way out and in.
func TestBundleLimits(t *testing.T) {
	b := testBundle()
	data := encodeBundle(t, b)
	unpacked := 0
	for _, p := range bundleParts(b) {
		unpacked += len(p.data)
	}
	files, err := readZip(data, bundleFiles, maxUnpacked)
	wantError(t, err, nil)
	unpacked += len(files[FileManifest]) - len(bundleParts(b)[0].data)

	_, err = b.encode(unpacked, len(data))
	wantError(t, err, nil)
	_, err = b.encode(unpacked-1, len(data))
	wantError(t, err, ErrTooLarge)
	_, err = b.encode(unpacked, len(data)-1)
	wantError(t, err, ErrTooLarge)
	_, err = openBundle(data, unpacked)
	wantError(t, err, nil)
	_, err = openBundle(data, unpacked-1)
	wantError(t, err, ErrTooLarge)

	b.Model = make([]byte, maxUnpacked)
	_, err = b.Encode()
	wantError(t, err, ErrTooLarge)
}

func TestReleaseOpen(t *testing.T) {
	b := testBundle()
	data := encodeBundle(t, b)
	release := testRelease(b, data)
	got, err := release.Open(data)
	wantError(t, err, nil)
	if !reflect.DeepEqual(got, b) {
		t.Errorf("got %+v, want %+v", got, b)
	}

	flipped := bytes.Clone(data)
	flipped[len(flipped)/2] ^= 1
	foreign := []byte("PK: no archive")
	tests := []struct {
		name   string
		bundle []byte
		change func(*Release)
		want   error
	}{
		{"one bit", flipped, func(*Release) {}, ErrDigest},
		{"truncated", data[:len(data)-1], func(*Release) {}, ErrDigest},
		{"longer", append(bytes.Clone(data), 0), func(*Release) {}, ErrDigest},
		{"empty", nil, func(*Release) {}, ErrDigest},
		{"other size", data, func(r *Release) { r.Bundle.Size++ }, ErrDigest},
		{"other name", data, func(r *Release) { r.Name = "fan" }, ErrBundle},
		{"other version", data, func(r *Release) { r.Version++ }, ErrBundle},
		{"other model", data, func(r *Release) { r.Model = Digest(nil) }, ErrBundle},
		{"no archive though signed", foreign, func(r *Release) {
			r.Bundle.SHA256, r.Bundle.Size = Digest(foreign), int64(len(foreign))
		}, ErrBundle},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := *release
			test.change(&r)
			_, err := r.Open(test.bundle)
			wantError(t, err, test.want)
		})
	}
}
