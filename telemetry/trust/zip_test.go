package trust

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"testing"
)

// A part is one entry of an archive that a test packs by hand.
type part struct {
	name string
	data []byte
}

func bundleParts(b *Bundle) []part {
	return []part{
		{FileManifest, []byte(`{"format":1,"name":"pump","version":7,"labels":["good","worn"],"signal":"top1","golden_samples":2}`)},
		{FileFeatures, b.Features}, {FileReference, b.Reference},
		{FileGoldenInput, b.GoldenInput}, {FileGoldenOutput, b.GoldenOutput}, {FileModel, b.Model},
	}
}

func packZip(t testing.TB, parts []part) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	w.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) { return flate.NewWriter(out, flate.BestSpeed) })
	for _, p := range parts {
		if err := addFile(w, p.name, p.data, zip.Deflate); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestOpenBundleArchives(t *testing.T) {
	parts := bundleParts(testBundle())
	edit := func(change func([]part) []part) []byte { return packZip(t, change(slices.Clone(parts))) }
	good := packZip(t, parts)
	tests := []struct {
		name string
		data []byte
		want error
	}{
		{"good", good, nil},
		{"other order", edit(func(p []part) []part { slices.Reverse(p); return p }), nil},
		{"further entries", edit(func(p []part) []part {
			return append(p, part{"golden/", nil}, part{"../../etc/passwd", []byte("x")}, part{"MODEL.TFLITE", nil}, part{"./model.tflite", nil})
		}), nil},
		{"most entries", edit(func(p []part) []part { return append(p, make([]part, maxEntries-len(p))...) }), nil},
		{"too many entries", edit(func(p []part) []part { return append(p, make([]part, maxEntries-len(p)+1)...) }), ErrTooLarge},
		{"model twice", edit(func(p []part) []part { return append(p, part{FileModel, []byte("another model")}) }), ErrBundle},
		{"manifest twice, alike", edit(func(p []part) []part { return append(p, p[0]) }), ErrBundle},
		{"manifest is no JSON", edit(func(p []part) []part { p[0].data = []byte("format: 1"); return p }), ErrBundle},
		{"manifest with a member twice", edit(func(p []part) []part {
			p[0].data = bytes.Replace(p[0].data, []byte(`{`), []byte(`{"format":1,`), 1)
			return p
		}), ErrBundle},
		{"manifest with a member in capitals", edit(func(p []part) []part {
			p[0].data = bytes.Replace(p[0].data, []byte(`"format"`), []byte(`"Format"`), 1)
			return p
		}), ErrBundle},
		{"bomb", edit(func(p []part) []part { p[5].data = make([]byte, maxUnpacked+1); return p }), ErrTooLarge},
		{"empty", nil, ErrBundle},
		{"no archive", []byte("kedge"), ErrBundle},
		{"end record alone", append([]byte("PK\x05\x06"), make([]byte, 18)...), ErrBundle},
	}
	for i, p := range parts {
		tests = append(tests, struct {
			name string
			data []byte
			want error
		}{"without " + p.name, edit(func(p []part) []part { return slices.Delete(p, i, i+1) }), ErrBundle})
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := OpenBundle(test.data)
			wantError(t, err, test.want)
			if err != nil {
				wantError(t, err, ErrBundle)
			}
		})
	}
}

// Every prefix of an archive is refused, and no changed byte brings a panic or
// another model.
func TestDamagedArchive(t *testing.T) {
	b := testBundle()
	good := encodeBundle(t, b)
	for n := range good {
		_, err := OpenBundle(good[:n])
		wantError(t, err, ErrBundle)
	}
	for i := range good {
		for _, flip := range []byte{0x01, 0x80, 0xff} {
			data := bytes.Clone(good)
			data[i] ^= flip
			if got, err := OpenBundle(data); err == nil && !bytes.Equal(got.Model, b.Model) {
				t.Fatalf("byte %d ^ %#x: got model %q", i, flip, got.Model)
			}
		}
	}
}

// The sizes in an archive's directory are claims; what counts is what comes out.
func TestClaimedSizes(t *testing.T) {
	// Offsets within a directory entry: compressed and uncompressed size (APPNOTE 4.3.12).
	const compressed, uncompressed = 20, 24
	good := packZip(t, bundleParts(testBundle()))
	first := bytes.Index(good, zipDirectorySignature)
	for _, field := range []int{compressed, uncompressed} {
		for _, claim := range []uint32{0, 1, 1 << 30, 0xfffffffe, 0xffffffff} {
			t.Run(fmt.Sprintf("offset %d, %#x", field, claim), func(t *testing.T) {
				data := bytes.Clone(good)
				binary.LittleEndian.PutUint32(data[first+field:], claim)
				_, err := OpenBundle(data)
				wantError(t, err, ErrBundle)
			})
		}
	}
}

// Two entries of the directory may point at the same bytes; each still counts in full.
func TestOverlappingEntries(t *testing.T) {
	const offset, size = 42, 100 << 10 // of the local header, within a directory entry
	parts := bundleParts(testBundle())
	parts[4].data, parts[5].data = make([]byte, size), make([]byte, size)
	data := packZip(t, parts)
	var entries []int
	for at := bytes.Index(data, zipDirectorySignature); at < len(data); {
		entries = append(entries, at)
		next := bytes.Index(data[at+4:], zipDirectorySignature)
		if next < 0 {
			break
		}
		at += 4 + next
	}
	if len(entries) != len(parts) {
		t.Fatalf("got %d directory entries, want %d", len(entries), len(parts))
	}
	copy(data[entries[5]+offset:][:4], data[entries[4]+offset:][:4])
	_, err := openBundle(data, 2*size-1)
	wantError(t, err, ErrTooLarge)
	_, err = openBundle(data, 3*size)
	wantError(t, err, nil)
}

// zip64 records with sizes of 64 bits are read, and bounded like all others.
func TestZip64(t *testing.T) {
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for _, p := range bundleParts(testBundle()) {
		// The sizes below go into a zip64 extra field, which the data contradicts.
		h := &zip.FileHeader{Name: p.name, Method: zip.Store, UncompressedSize64: 1 << 40, CompressedSize64: 1 << 40}
		f, err := w.CreateRaw(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(p.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := OpenBundle(buf.Bytes())
	wantError(t, err, ErrBundle)
}
