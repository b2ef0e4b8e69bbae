package update

import (
	"encoding/json"
	"errors"
	"fmt"

	"kedge/telemetry/trust"
	"kedge/telemetry/wire"
)

var errDuplicate = errors.New("duplicate chunk")

// stagingHead says of which release a slot's bundle is a part. The index
// is kept with it, so that a download can go on without asking for either.
type stagingHead struct {
	Release []byte `json:"release"` // envelope
	Index   []byte `json:"index"`
}

// staging is a bundle on its way into a slot.
//
// The map of chunks in the file is a claim: it may be newer than the data that
// the power cut left. What it claims is hashed again before it is believed.
type staging struct {
	d       disk
	slot    string
	rel     *trust.Release
	index   trust.ChunkIndex
	file    File
	have    []byte // bit n%8 of byte n/8: chunk n is in bundle.zip
	missing int
}

// createStaging empties the slot and begins a download in it.
func (d disk) createStaging(slot string, rel *trust.Release, release []byte, index trust.ChunkIndex) (*staging, error) {
	head, err := json.Marshal(stagingHead{Release: release, Index: index})
	if err != nil {
		return nil, err
	}
	if err := d.empty(slot); err != nil {
		return nil, err
	}
	s := newStaging(d, slot, rel, index)
	if err := s.open(); err != nil {
		return nil, err
	}
	if err := replaceFile(d.files, d.slot(slot, fileStagingHead), head); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func newStaging(d disk, slot string, rel *trust.Release, index trust.ChunkIndex) *staging {
	n := trust.Chunks(rel.Bundle.Size)
	return &staging{d: d, slot: slot, rel: rel, index: index, have: make([]byte, (n+7)/8), missing: n}
}

// readHead returns what the slot holds a part of, if it is the release with that digest.
func (d disk) readHead(slot string, root *trust.Root, digest string) (head stagingHead, rel *trust.Release) {
	content, err := d.files.ReadFile(d.slot(slot, fileStagingHead))
	if err != nil || json.Unmarshal(content, &head) != nil {
		return stagingHead{}, nil
	}
	rel, got, err := root.VerifyRelease(head.Release)
	if err != nil || got != digest {
		return stagingHead{}, nil
	}
	return head, rel
}

// readStaged returns a release document of which the slot holds a part.
func (d disk) readStaged(slot string, root *trust.Root, digest string) (*trust.Release, []byte) {
	head, rel := d.readHead(slot, root, digest)
	return rel, head.Release
}

// readWhole returns a release document of which the slot holds all, from an earlier update.
func (d disk) readWhole(slot string, root *trust.Root, digest string) (*trust.Release, []byte) {
	envelope, err := d.files.ReadFile(d.slot(slot, fileRelease))
	if err != nil {
		return nil, nil
	}
	rel, got, err := root.VerifyRelease(envelope)
	if err != nil || got != digest {
		return nil, nil
	}
	return rel, envelope
}

// resumeStaging goes on with a download of the release with that digest; if the
// slot holds no part of it, it returns nil.
func (d disk) resumeStaging(slot string, root *trust.Root, digest string) (*staging, error) {
	head, rel := d.readHead(slot, root, digest)
	if rel == nil {
		return nil, nil
	}
	index, err := trust.OpenChunkIndex(head.Index, rel.Bundle)
	if err != nil {
		return nil, nil // damaged: fetched anew
	}
	s := newStaging(d, slot, rel, index)
	if err := s.open(); err != nil {
		return nil, err
	}
	claims, err := d.files.ReadFile(d.slot(slot, fileStagingMap))
	if err == nil && len(claims) == len(s.have) {
		s.believe(claims)
	}
	return s, nil
}

func (s *staging) open() error {
	f, err := s.d.files.OpenFile(s.d.slot(s.slot, fileBundle))
	if err != nil {
		return err
	}
	if err := f.Truncate(s.rel.Bundle.Size); err != nil {
		return errors.Join(err, f.Close())
	}
	s.file = f
	return nil
}

// believe hashes the chunks that claims names and takes those that are right for had.
func (s *staging) believe(claims []byte) {
	s.have = make([]byte, len(claims))
	s.missing = s.chunks()
	buf := make([]byte, trust.ChunkBytes)
	for n := range s.chunks() {
		if claims[n/8]&(1<<(n%8)) == 0 {
			continue
		}
		part := buf[:s.size(n)]
		if _, err := s.file.ReadAt(part, s.offset(n)); err == nil && s.index.Check(n, part) == nil {
			s.mark(n)
		}
	}
}

func (s *staging) chunks() int        { return trust.Chunks(s.rel.Bundle.Size) }
func (s *staging) offset(n int) int64 { return int64(n) * trust.ChunkBytes }
func (s *staging) size(n int) int {
	return int(min(trust.ChunkBytes, s.rel.Bundle.Size-s.offset(n)))
}
func (s *staging) has(n int) bool { return s.have[n/8]&(1<<(n%8)) != 0 }
func (s *staging) mark(n int) {
	s.have[n/8] |= 1 << (n % 8)
	s.missing--
}

// bytes is how much of the bundle is in the file.
func (s *staging) bytes() int64 {
	var total int64
	for n := range s.chunks() {
		if s.has(n) {
			total += int64(s.size(n))
		}
	}
	return total
}

// put writes a chunk if it is the signed one. errDuplicate means that it is
// there already; an error of package trust, that it is another.
func (s *staging) put(n int, data []byte) error {
	if err := s.index.Check(n, data); err != nil {
		return err
	}
	if s.has(n) {
		return errDuplicate
	}
	if len(data) != s.size(n) {
		return fmt.Errorf("chunk %d of %d bytes, want %d: %w", n, len(data), s.size(n), trust.ErrMalformed)
	}
	if _, err := s.file.WriteAt(data, s.offset(n)); err != nil {
		return err
	}
	s.mark(n)
	return nil
}

// want returns the next chunks to ask for: the first that is missing and those
// after it within a window.
func (s *staging) want() wire.Get {
	get := wire.Get{V: wire.Version, Blob: s.rel.Bundle.SHA256}
	first := 0
	for first < s.chunks() && s.has(first) {
		first++
	}
	get.First = first
	for i := 0; i < wire.GetWindow && first+i < s.chunks(); i++ {
		if !s.has(first + i) {
			get.Want |= 1 << i
		}
	}
	return get
}

// save makes what has arrived survive a restart: first the data, then the claim.
func (s *staging) save() error {
	if err := s.file.Sync(); err != nil {
		return err
	}
	name := s.d.slot(s.slot, fileStagingMap)
	if err := writeSynced(s.d.files, name+".new", s.have); err != nil {
		return err
	}
	return s.d.files.Rename(name+".new", name)
}

func (s *staging) close() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	s.file = nil
	return err
}
