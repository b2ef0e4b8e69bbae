package source

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// ErrSound: the bytes are no sound of one channel with 16-bit samples.
var ErrSound = errors.New("unsuitable sound")

// WAV reads a RIFF WAVE file of one channel with 16-bit PCM samples, from its
// beginning to its end; it need not be seekable. It belongs to one goroutine.
type WAV struct {
	Rate int // samples in a second
	r    io.Reader
	left int64 // bytes of samples to come; unknown if negative
	buf  [4096]byte
}

// OpenWAV reads up to the samples. Errors that are not of r wrap ErrSound.
func OpenWAV(r io.Reader) (*WAV, error) {
	w := &WAV{r: r}
	head := w.buf[:12]
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, short(err)
	}
	if string(head[:4]) != "RIFF" || string(head[8:]) != "WAVE" {
		return nil, fmt.Errorf("%w: not a WAV file", ErrSound)
	}
	for {
		chunk := w.buf[:8]
		if _, err := io.ReadFull(r, chunk); err != nil {
			return nil, short(err)
		}
		name, size := string(chunk[:4]), int64(binary.LittleEndian.Uint32(chunk[4:]))
		if name == "data" {
			if w.Rate == 0 {
				return nil, fmt.Errorf("%w: samples without a format", ErrSound)
			}
			// Who writes into a pipe does not know the size, and puts 0 or the largest
			// number there.
			if w.left = size; size == 0 || size >= math.MaxInt32 {
				w.left = -1
			}
			return w, nil
		}
		if err := w.chunk(name, size+size%2); err != nil {
			return nil, err
		}
	}
}

// short names the end of the file as what it is here.
func short(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: the file ends before its samples", ErrSound)
	}
	return err
}

// chunk reads the format and passes over everything else.
func (w *WAV) chunk(name string, size int64) error {
	if name == "fmt " {
		format := w.buf[:16]
		if size < int64(len(format)) {
			return fmt.Errorf("%w: a format of %d bytes", ErrSound, size)
		}
		if _, err := io.ReadFull(w.r, format); err != nil {
			return short(err)
		}
		size -= int64(len(format))
		const pcm, extensible = 1, 0xfffe
		kind, channels := binary.LittleEndian.Uint16(format), binary.LittleEndian.Uint16(format[2:])
		rate, bits := binary.LittleEndian.Uint32(format[4:]), binary.LittleEndian.Uint16(format[14:])
		if kind != pcm && kind != extensible || channels != 1 || bits != 16 || rate == 0 || rate > 1<<20 {
			return fmt.Errorf("%w: found format %d, %d channels, %d bits, %d Hz, want PCM, 1 channel, 16 bits", ErrSound, kind, channels, bits, rate)
		}
		w.Rate = int(rate)
	}
	if _, err := io.CopyN(io.Discard, w.r, size); err != nil {
		return short(err)
	}
	return nil
}

// Read fills samples as far as there are any and returns how many; io.EOF when
// none is left. A file that ends before all that it announced is an error which
// wraps ErrSound.
func (w *WAV) Read(samples []int16) (int, error) {
	want := min(int64(len(samples))*2, int64(len(w.buf)))
	if w.left >= 0 {
		want = min(want, w.left&^1)
	}
	if want == 0 {
		return 0, io.EOF
	}
	n, err := io.ReadFull(w.r, w.buf[:want])
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return 0, err
	}
	for i := range n / 2 {
		samples[i] = int16(binary.LittleEndian.Uint16(w.buf[2*i:]))
	}
	switch {
	case w.left >= 0 && int64(n) < want:
		return n / 2, fmt.Errorf("%w: the file ends %d bytes before its last sample", ErrSound, w.left-int64(n))
	case w.left >= 0:
		w.left -= int64(n)
	case n < 2:
		return 0, io.EOF
	}
	return n / 2, nil
}
