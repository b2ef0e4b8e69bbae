package data

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"kedge/runtime/tensor"
)

// sound adds the windows of a sound. One that is shorter than a window is filled
// up with silence; of a longer one what does not fill a window at the end is cut off.
func (b *builder) sound(f *os.File, _ int64) error {
	shape, err := soundShape(b.o.Shape)
	if err != nil {
		return err
	}
	if err := b.setShape(shape); err != nil {
		return err
	}
	rate, samples, err := readWAV(bufio.NewReader(f), b.o.Limit)
	if err != nil {
		return err
	}
	if err := b.checkRate(rate); err != nil {
		return err
	}
	if len(samples) == 0 {
		return fmt.Errorf("%w: the sound has no samples", ErrSamples)
	}
	return b.windows(samples)
}

// soundShape takes a declared shape for a window of one channel. What has two axes
// takes spectra, and sound in it would be nonsense.
func soundShape(s tensor.Shape) (tensor.Shape, error) {
	long := 0
	for _, d := range s {
		if d != 1 {
			long++
		}
	}
	if len(s) == 0 || long > 1 {
		return nil, fmt.Errorf("%w: shape %v for sounds, want the number of samples of a window; spectra and other features of sounds have to be computed before", ErrOptions, s)
	}
	for len(s) > 1 && s[0] == 1 {
		s = s[1:]
	}
	return s, nil
}

// checkRate wants the same rate of all sounds.
func (b *builder) checkRate(rate int) error {
	if b.rate == 0 {
		b.rate = b.o.Rate
	}
	if b.rate == 0 {
		b.rate = rate
	}
	if rate != b.rate {
		whose := "the sounds before have"
		if b.o.Rate != 0 {
			whose = "want"
		}
		return fmt.Errorf("%w: %d samples a second, %s %d", ErrFormat, rate, whose, b.rate)
	}
	return nil
}

// windows cuts a sound.
func (b *builder) windows(samples []byte) error {
	n, step := len(samples)/2, b.o.Step
	if step == 0 {
		step = b.size
	}
	count := 1
	if n >= b.size {
		count += (n - b.size) / step
	}
	if err := b.room(int64(count)); err != nil {
		return err
	}
	for w := range count {
		clear(b.row)
		for i := range min(b.size, n-w*step) {
			b.row[i] = float32(int16(binary.LittleEndian.Uint16(samples[2*(w*step+i):])))
		}
		if err := b.add(); err != nil {
			return fmt.Errorf("window %d: %w", w, err)
		}
	}
	if missing := b.size - n; missing > 0 {
		b.padded, b.paddedTo = b.padded+1, b.size
	} else if rest := n - b.size - (count-1)*step; rest > 0 {
		b.cut, b.spare = b.cut+1, b.spare+rest
	}
	return nil
}

// noteSounds says what was done to sounds to make windows of them.
func (b *builder) noteSounds() {
	if b.padded > 0 {
		b.Notes = append(b.Notes, fmt.Sprintf("sounds shorter than a window of %d samples, filled up with silence: %d", b.paddedTo, b.padded))
	}
	if b.cut > 0 {
		b.Notes = append(b.Notes, fmt.Sprintf("sounds whose end does not fill a window, cut off: %d, by %d samples together", b.cut, b.spare))
	}
}

// Formats of samples in a WAV file.
const (
	wavPCM        = 1
	wavExtensible = 0xfffe // the format proper stands in the first bytes of a GUID
)

// maxChunk bounds the chunk that describes the format; the others are passed over.
const maxChunk = 1 << 10

// readWAV reads a RIFF WAVE file of one channel with 16-bit PCM samples and gives
// their rate in Hz and their bytes, at most limit.
func readWAV(r io.Reader, limit int64) (rate int, samples []byte, err error) {
	var head [12]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, endsEarly(err)
	}
	if string(head[:4]) != "RIFF" || string(head[8:]) != "WAVE" {
		return 0, nil, fmt.Errorf("%w: no WAV file", ErrFormat)
	}
	for {
		if _, err := io.ReadFull(r, head[:8]); err != nil {
			return 0, nil, endsEarly(err)
		}
		size := int64(binary.LittleEndian.Uint32(head[4:]))
		switch string(head[:4]) {
		case "fmt ":
			if rate, err = wavFormat(r, size); err != nil {
				return 0, nil, err
			}
			continue
		case "data":
			if rate == 0 {
				return 0, nil, fmt.Errorf("%w: samples before their format", ErrFormat)
			}
			samples, err = wavSamples(r, size, limit)
			return rate, samples, err
		}
		if _, err := io.CopyN(io.Discard, r, size+size%2); err != nil {
			return 0, nil, endsEarly(err)
		}
	}
}

// endsEarly names the end of the file as what it is here.
func endsEarly(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: the file ends before its samples", ErrFormat)
	}
	return err
}

// wavFormat reads the chunk that describes the samples.
func wavFormat(r io.Reader, size int64) (rate int, err error) {
	if size < 16 || size > maxChunk {
		return 0, fmt.Errorf("%w: a format of %d bytes", ErrFormat, size)
	}
	p := make([]byte, size+size%2)
	if _, err := io.ReadFull(r, p); err != nil {
		return 0, endsEarly(err)
	}
	le := binary.LittleEndian
	format, channels, hertz, bits := le.Uint16(p), le.Uint16(p[2:]), le.Uint32(p[4:]), le.Uint16(p[14:])
	if format == wavExtensible && size >= 26 {
		format = le.Uint16(p[24:])
	}
	if format != wavPCM || channels != 1 || bits != 16 {
		return 0, fmt.Errorf("%w: format %d with %d channels of %d bits, want PCM (format 1), 1 channel, 16 bits", ErrUnsupported, format, channels, bits)
	}
	if hertz == 0 || hertz > math.MaxInt32 {
		return 0, fmt.Errorf("%w: %d samples a second", ErrFormat, hertz)
	}
	return int(hertz), nil
}

// wavSamples reads the samples. Who writes into a pipe does not know their number
// and puts 0 or the largest size there: then they go on to the end of the file.
func wavSamples(r io.Reader, size, limit int64) ([]byte, error) {
	known := size != 0 && size < math.MaxInt32
	if known && size > limit {
		return nil, fmt.Errorf("%w: %d bytes of samples, limit %d bytes", ErrTooLarge, size, limit)
	}
	most := size
	if !known {
		most = min(limit, math.MaxInt64-1) + 1
	}
	var p bytes.Buffer // grows by what really arrives
	n, err := io.Copy(&p, io.LimitReader(r, most))
	switch {
	case err != nil:
		return nil, err
	case n > limit:
		return nil, fmt.Errorf("%w: more samples than the limit of %d bytes", ErrTooLarge, limit)
	case known && n < size:
		return nil, fmt.Errorf("%w: the file ends %d bytes before its last sample", ErrFormat, size-n)
	}
	return p.Bytes()[:n&^1], nil
}
