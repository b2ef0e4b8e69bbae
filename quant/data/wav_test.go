package data

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"kedge/runtime/tensor"
)

// chunk is a part of a RIFF file.
func chunk(name string, content []byte) []byte {
	out := binary.LittleEndian.AppendUint32([]byte(name), uint32(len(content)))
	out = append(out, content...)
	return append(out, make([]byte, len(content)%2)...)
}

func wavFormatOf(format, channels, bits int, rate uint32) []byte {
	le := binary.LittleEndian
	out := le.AppendUint16(nil, uint16(format))
	out = le.AppendUint16(out, uint16(channels))
	out = le.AppendUint32(out, rate)
	out = le.AppendUint32(out, rate*uint32(channels*bits/8))
	out = le.AppendUint16(out, uint16(channels*bits/8))
	return le.AppendUint16(out, uint16(bits))
}

// riff puts chunks into a file.
func riff(chunks ...[]byte) []byte {
	return chunk("RIFF", append([]byte("WAVE"), bytes.Join(chunks, nil)...))
}

func pcm(samples ...int16) []byte {
	var out []byte
	for _, v := range samples {
		out = binary.LittleEndian.AppendUint16(out, uint16(v))
	}
	return out
}

// wavOf is a file as it usually is, of 16,000 samples a second.
func wavOf(samples ...int16) []byte {
	return riff(chunk("fmt ", wavFormatOf(1, 1, 16, 16000)), chunk("data", pcm(samples...)))
}

func TestLoadWAV(t *testing.T) {
	extensible := append(wavFormatOf(0xfffe, 1, 16, 8000), 22, 0, 16, 0, 4, 0, 0, 0)
	extensible = append(extensible, "\x01\x00\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"...)
	unknown := wavOf(1, 2)
	binary.LittleEndian.PutUint32(unknown[40:], 0xffffffff)
	zero := wavOf(1, 2)
	binary.LittleEndian.PutUint32(zero[40:], 0)
	two := tensor.Shape{2}
	for _, c := range []struct {
		name    string
		content []byte
		o       Options
		want    Samples
	}{
		{"one window", wavOf(1, -2), Options{Shape: two}, Samples{X: []float32{1, -2}, Shape: two}},
		{"to one", wavOf(-32768, 16384), Options{Shape: tensor.Shape{1, 2, 1}, Scale: 1. / 32768, Rate: 16000}, Samples{X: []float32{-1, 0.5}, Shape: tensor.Shape{2, 1}}},
		{"two windows", wavOf(1, 2, 3, 4), Options{Shape: two}, Samples{X: []float32{1, 2, 3, 4}, Shape: two}},
		{"the rest is cut off", wavOf(1, 2, 3, 4, 5), Options{Shape: two}, Samples{X: []float32{1, 2, 3, 4}, Shape: two,
			Notes: []string{"sounds whose end does not fill a window, cut off: 1, by 1 samples together"}}},
		{"overlapping", wavOf(1, 2, 3, 4), Options{Shape: two, Step: 1}, Samples{X: []float32{1, 2, 2, 3, 3, 4}, Shape: two}},
		{"gaps", wavOf(1, 2, 3, 4, 5), Options{Shape: two, Step: 3}, Samples{X: []float32{1, 2, 4, 5}, Shape: two}},
		{"short", wavOf(7), Options{Shape: two}, Samples{X: []float32{7, 0}, Shape: two,
			Notes: []string{"sounds shorter than a window of 2 samples, filled up with silence: 1"}}},
		{"other chunks", riff(chunk("LIST", []byte("odd")), chunk("fmt ", append(wavFormatOf(1, 1, 16, 8000), 0, 0)), chunk("fact", make([]byte, 4)), chunk("data", pcm(1, 2)), chunk("LIST", nil)),
			Options{Shape: two}, Samples{X: []float32{1, 2}, Shape: two}},
		{"extensible", riff(chunk("fmt ", extensible), chunk("data", pcm(1, 2))), Options{Shape: two}, Samples{X: []float32{1, 2}, Shape: two}},
		{"size unknown", unknown, Options{Shape: two}, Samples{X: []float32{1, 2}, Shape: two}},
		{"size unknown, 0", zero, Options{Shape: two}, Samples{X: []float32{1, 2}, Shape: two}},
	} {
		for _, name := range []string{"x.wav", "by mark"} {
			loads(t, c.name+", "+name, put(t, t.TempDir(), name, c.content), c.o, c.want)
		}
	}
}

func TestLoadWAVRefuses(t *testing.T) {
	shaped := Options{Shape: tensor.Shape{2}}
	format := chunk("fmt ", wavFormatOf(1, 1, 16, 16000))
	samples := chunk("data", pcm(1, 2))
	good := wavOf(1, 2)
	for _, c := range []struct {
		name    string
		content []byte
		o       Options
		want    error
		words   string
	}{
		{"no shape", good, Options{}, ErrOptions, "window"},
		{"spectra", good, Options{Shape: tensor.Shape{1, 49, 10, 1}}, ErrOptions, "spectra"},
		{"empty file", nil, shaped, ErrFormat, "ends before"},
		{"no WAV", []byte("RIFF....AVI LIST"), shaped, ErrFormat, "no WAV"},
		{"big-endian", []byte("RIFX....WAVEfmt "), shaped, ErrFormat, "no WAV"},
		{"cut in a chunk", good[:20], shaped, ErrFormat, "ends before"},
		{"cut in the samples", good[:len(good)-1], shaped, ErrFormat, "ends 1 bytes before"},
		{"no samples", riff(format), shaped, ErrFormat, "ends before"},
		{"zero samples", riff(format, chunk("data", nil)), shaped, ErrSamples, "no samples"},
		{"samples first", riff(samples, format), shaped, ErrFormat, "before their format"},
		{"short format", riff(chunk("fmt ", []byte("short")), samples), shaped, ErrFormat, "5 bytes"},
		{"long format", riff(chunk("fmt ", make([]byte, 4096)), samples), shaped, ErrFormat, "4096 bytes"},
		{"stereo", riff(chunk("fmt ", wavFormatOf(1, 2, 16, 16000)), samples), shaped, ErrUnsupported, "2 channels"},
		{"8 bits", riff(chunk("fmt ", wavFormatOf(1, 1, 8, 16000)), samples), shaped, ErrUnsupported, "8 bits"},
		{"float", riff(chunk("fmt ", wavFormatOf(3, 1, 32, 16000)), samples), shaped, ErrUnsupported, "format 3"},
		{"no rate", riff(chunk("fmt ", wavFormatOf(1, 1, 16, 0)), samples), shaped, ErrFormat, "0 samples a second"},
		{"other rate", good, Options{Shape: tensor.Shape{2}, Rate: 8000}, ErrFormat, "16000 samples a second, want 8000"},
		{"limit of the file", wavOf(1, 2, 3, 4, 5), Options{Shape: tensor.Shape{2}, Limit: 8}, ErrTooLarge, "10 bytes"},
		{"limit of the windows", wavOf(1, 2, 3, 4), Options{Shape: tensor.Shape{2}, Limit: 15}, ErrTooLarge, "at most 1"},
		{"limit of overlapping", wavOf(1, 2, 3, 4), Options{Shape: tensor.Shape{2}, Limit: 16, Step: 1}, ErrTooLarge, "at most 2"},
	} {
		refuses(t, c.name, put(t, t.TempDir(), "x.wav", c.content), c.o, c.want, c.words)
	}
}

func TestLoadWAVFolder(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "no/1.wav", wavOf(1, 2, 3, 4, 5))
	put(t, dir, "no/2.wav", wavOf(6))
	put(t, dir, "yes/1.wav", wavOf(7, 8))
	o := Options{Shape: tensor.Shape{2}}
	loads(t, "folder", dir, o, Samples{
		X: []float32{1, 2, 3, 4, 6, 0, 7, 8}, Shape: o.Shape, Y: []int{0, 0, 0, 1}, Classes: []string{"no", "yes"},
		Notes: []string{"sounds shorter than a window of 2 samples, filled up with silence: 1", "sounds whose end does not fill a window, cut off: 1, by 1 samples together"},
	})
	put(t, dir, "yes/2.wav", riff(chunk("fmt ", wavFormatOf(1, 1, 16, 8000)), chunk("data", pcm(1, 2))))
	refuses(t, "rates", dir, o, ErrFormat, "8000 samples a second, the sounds before have 16000")
}

// FuzzWAV: any bytes give samples within the limit or one of the errors.
func FuzzWAV(f *testing.F) {
	f.Add(wavOf(1, 2, 3))
	f.Add(riff(chunk("LIST", []byte("odd")), chunk("fmt ", append(wavFormatOf(0xfffe, 1, 16, 8000), make([]byte, 24)...)), chunk("data", pcm(1))))
	unknown := wavOf(1, 2)
	binary.LittleEndian.PutUint32(unknown[40:], 0xffffffff)
	f.Add(unknown)
	f.Fuzz(func(t *testing.T, content []byte) {
		const limit = 64
		rate, samples, err := readWAV(bytes.NewReader(content), limit)
		if err != nil {
			if !errors.Is(err, ErrFormat) && !errors.Is(err, ErrUnsupported) && !errors.Is(err, ErrTooLarge) {
				t.Fatalf("got %v, want an error of this package", err)
			}
			return
		}
		if rate <= 0 || len(samples)%2 != 0 || len(samples) > limit || !strings.Contains(string(content), string(samples)) {
			t.Fatalf("%d Hz, samples %v of %v", rate, samples, content)
		}
	})
}
