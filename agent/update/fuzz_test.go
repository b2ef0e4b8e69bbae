package update

import (
	"testing"
)

// FuzzHandle hands anything to a device in every phase of an update. Nothing
// that is not signed may change what is in service.
func FuzzHandle(f *testing.F) {
	// Of one chunk, which is faster.
	small := func(r *recipe) { r.bundle.Reference = []byte("{}") }
	one, two := makeRelease(f, 1, small), makeRelease(f, 2, small)
	three := makeRelease(f, 3, small, func(r *recipe) { r.by = 11 })
	first, second := assign(f, 1, one), assign(f, 2, two)
	for kind := range uint8(16) {
		f.Add(kind, second, uint16(0))
		f.Add(kind, one.envelope, uint16(1))
		f.Add(kind, three.envelope, uint16(2))
		f.Add(kind, rootEnvelope(f, 2, 11, 21, 3), uint16(3))
		f.Add(kind, []byte(two.index), uint16(0))
		f.Add(kind, two.bundle[:100], uint16(1))
		f.Add(kind, []byte(`{"payloadType":"","payload":"","signatures":[]}`), uint16(65535))
	}
	f.Fuzz(func(t *testing.T, kind uint8, data []byte, n uint16) {
		b := newBench(t, one)
		b.u.HandleAssign(first)
		b.settle()
		// In three of four phases an update is under way: waiting for its release
		// document, for its index, or for its chunks.
		if phase := kind / 4 % 4; phase > 0 {
			if phase > 1 {
				b.center.releases[two.digest] = two.envelope
			}
			if phase > 2 {
				b.center.blobs[two.release.Bundle.Index] = two.index
			}
			b.u.HandleAssign(second)
			b.settle()
		}
		switch kind % 4 {
		case 0:
			b.u.HandleAssign(data)
		case 1:
			b.u.HandleRelease(data)
		case 2:
			b.u.HandleRoot(data)
		case 3:
			b.u.HandleChunk(two.release.Bundle.Index, int(n), data)
			b.u.HandleChunk(two.release.Bundle.SHA256, int(n), data)
		}
		b.settle()
		if got := b.version(); got != 1 {
			t.Errorf("got version %d in service, want 1", got)
		}
		if got := b.u.Root().Version(); got != 1 {
			t.Errorf("got root version %d, want 1", got)
		}
	})
}

// FuzzStaging resumes a download from a damaged head and map: whatever they
// say, the device comes to the signed model.
func FuzzStaging(f *testing.F) {
	one := makeRelease(f, 1, func(r *recipe) { r.bundle.Reference = r.bundle.Reference[:60<<10] })
	f.Add([]byte("{}"), []byte{0xff})
	f.Add([]byte(`{"release":"e30=","index":""}`), []byte{})
	f.Add([]byte(nil), []byte{0x05})
	first := assign(f, 1, one)
	f.Fuzz(func(t *testing.T, head, claims []byte) {
		b := newBench(t, one)
		delete(b.center.blobs, one.release.Bundle.SHA256)
		b.u.HandleAssign(first)
		b.settle()
		if len(head) > 0 {
			b.fs.files["/state/slots/a/staging.json"] = &inode{data: head}
		}
		b.fs.files["/state/slots/a/staging.map"] = &inode{data: claims}
		b.center.blobs[one.release.Bundle.SHA256] = one.bundle
		b.open()
		b.settle()
		b.want(1, "committed", "")
	})
}
