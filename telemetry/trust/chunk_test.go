package trust

import (
	"bytes"
	"crypto/sha256"
	"math"
	"testing"
)

// SHA-256 of "abc", from FIPS 180-2.
func TestDigest(t *testing.T) {
	const want = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	if got := Digest([]byte("abc")); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestChunks(t *testing.T) {
	tests := []struct {
		size int64
		want int
	}{
		{math.MinInt64, 0}, {-1, 0}, {0, 0}, {1, 1}, {ChunkBytes, 1}, {ChunkBytes + 1, 2},
		{MaxBundle, 1024}, {math.MaxInt64, math.MaxInt32},
	}
	for _, test := range tests {
		if got := Chunks(test.size); got != test.want {
			t.Errorf("Chunks(%d): got %d, want %d", test.size, got, test.want)
		}
	}
	if got := Chunks(MaxBundle) * sha256.Size; got > ChunkBytes {
		t.Errorf("the index of the largest bundle has %d bytes, more than a chunk", got)
	}
}

func TestChunk(t *testing.T) {
	blob := make([]byte, 2*ChunkBytes+5)
	for i := range blob {
		blob[i] = byte(i % 251)
	}
	for n, want := range map[int]int{-1: 0, 0: ChunkBytes, 1: ChunkBytes, 2: 5, 3: 0, math.MaxInt32: 0} {
		if got := Chunk(blob, n); len(got) != want {
			t.Errorf("chunk %d: got %d bytes, want %d", n, len(got), want)
		}
	}
	var joined []byte
	for n := range Chunks(int64(len(blob))) {
		joined = append(joined, Chunk(blob, n)...)
	}
	if !bytes.Equal(joined, blob) {
		t.Error("the chunks joined are not the blob")
	}
	if Chunk(nil, 0) != nil {
		t.Error("an empty blob has a chunk")
	}
}

func TestChunkIndex(t *testing.T) {
	blob := make([]byte, 2*ChunkBytes+5)
	blob[ChunkBytes] = 1
	index := NewChunkIndex(blob)
	ref := BundleRef{SHA256: Digest(blob), Size: int64(len(blob)), Index: Digest(index)}
	opened, err := OpenChunkIndex(index, ref)
	wantError(t, err, nil)

	tests := []struct {
		name string
		n    int
		data []byte
		want error
	}{
		{"first", 0, Chunk(blob, 0), nil},
		{"last", 2, Chunk(blob, 2), nil},
		{"another chunk's bytes", 1, Chunk(blob, 0), ErrDigest},
		{"truncated", 2, Chunk(blob, 2)[:4], ErrDigest},
		{"longer", 2, append(bytes.Clone(Chunk(blob, 2)), 0), ErrDigest},
		{"empty", 0, nil, ErrDigest},
		{"below 0", -1, Chunk(blob, 0), ErrMalformed},
		{"behind the last", 3, Chunk(blob, 0), ErrMalformed},
		{"far behind", math.MaxInt32, nil, ErrMalformed},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { wantError(t, opened.Check(test.n, test.data), test.want) })
	}

	short := index[:len(index)-1]
	for _, test := range []struct {
		name string
		data []byte
		ref  BundleRef
		want error
	}{
		{"tampered", append([]byte{index[0] ^ 1}, index[1:]...), ref, ErrDigest},
		{"truncated", short, ref, ErrDigest},
		{"truncated though signed", short, BundleRef{Size: ref.Size, Index: Digest(short)}, ErrMalformed},
		{"of a larger bundle", index, BundleRef{Size: 3*ChunkBytes + 1, Index: ref.Index}, ErrMalformed},
		{"of no size", index, BundleRef{Size: math.MaxInt64, Index: ref.Index}, ErrMalformed},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := OpenChunkIndex(test.data, test.ref)
			wantError(t, err, test.want)
		})
	}
}
