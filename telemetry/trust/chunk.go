package trust

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
)

// ChunkBytes is the size of every chunk of a blob but its last, which may be
// shorter. 32 KiB passes every common broker's packet limit.
const ChunkBytes = 32 << 10

// MaxBundle is the largest bundle: as many chunks as an index of one chunk can list.
const MaxBundle = (ChunkBytes / sha256.Size) * ChunkBytes

// Digest returns the lower-case hexadecimal SHA-256 of data.
func Digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// DocumentDigest names a document: the digest of its payload, so that added
// signatures do not change the name.
func DocumentDigest(payload []byte) string { return Digest(payload) }

// Chunks returns how many chunks a blob of size bytes has; 0 for a size that is
// none. Sizes that no release passes count as math.MaxInt32 chunks at most.
func Chunks(size int64) int {
	if size <= 0 {
		return 0
	}
	return int(min((size-1)/ChunkBytes+1, math.MaxInt32))
}

// Chunk returns chunk n of blob, counted from 0; nil if there is none.
func Chunk(blob []byte, n int) []byte {
	if n < 0 || n >= Chunks(int64(len(blob))) {
		return nil
	}
	return blob[n*ChunkBytes : min((n+1)*ChunkBytes, len(blob))]
}

// A ChunkIndex is the concatenation of the 32-byte SHA-256 digests of a blob's
// chunks. Its own digest stands in the signed release, so that every chunk can
// be checked when it arrives.
type ChunkIndex []byte

// NewChunkIndex returns the index of blob.
func NewChunkIndex(blob []byte) ChunkIndex {
	index := make(ChunkIndex, 0, Chunks(int64(len(blob)))*sha256.Size)
	for n := range Chunks(int64(len(blob))) {
		sum := sha256.Sum256(Chunk(blob, n))
		index = append(index, sum[:]...)
	}
	return index
}

// OpenChunkIndex checks data against the signed digest and against the blob's size.
func OpenChunkIndex(data []byte, ref BundleRef) (ChunkIndex, error) {
	if Digest(data) != ref.Index {
		return nil, fmt.Errorf("chunk index: %w", ErrDigest)
	}
	if len(data) != Chunks(ref.Size)*sha256.Size {
		return nil, fmt.Errorf("chunk index of %d bytes for a bundle of %d: %w", len(data), ref.Size, ErrMalformed)
	}
	return ChunkIndex(data), nil
}

// Check reports whether data is chunk n of the indexed blob.
func (x ChunkIndex) Check(n int, data []byte) error {
	if n < 0 || n >= len(x)/sha256.Size {
		return fmt.Errorf("chunk %d of %d: %w", n, len(x)/sha256.Size, ErrMalformed)
	}
	sum := sha256.Sum256(data)
	if !bytes.Equal(sum[:], x[n*sha256.Size:(n+1)*sha256.Size]) {
		return fmt.Errorf("chunk %d: %w", n, ErrDigest)
	}
	return nil
}
