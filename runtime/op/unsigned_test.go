package op

import "testing"

func TestFlip(t *testing.T) {
	for offset := range 9 {
		for n := range 40 {
			all := make([]byte, 64)
			for i := range all {
				all[i] = byte(i * 7)
			}
			flip(all[offset : offset+n])
			for i, got := range all {
				want := byte(i * 7)
				if i >= offset && i < offset+n {
					want ^= 0x80
				}
				if got != want {
					t.Fatalf("%d bytes from %d: byte %d: got %#x, want %#x", n, offset, i, got, want)
				}
			}
		}
	}
}
