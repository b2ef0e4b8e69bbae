package source

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// riff writes a WAV file out of chunks: a name and the content in turn. The size
// of each is the content's, plus more.
func riff(more int, chunks ...string) string {
	s := "RIFF\x00\x00\x00\x00WAVE"
	for i := 0; i < len(chunks); i += 2 {
		s += chunks[i] + string(binary.LittleEndian.AppendUint32(nil, uint32(len(chunks[i+1])+more))) + chunks[i+1]
		if len(chunks[i+1])%2 != 0 {
			s += "\x00"
		}
	}
	return s
}

// format is a chunk's content for PCM of so many channels, Hz and bits.
func format(kind, channels, rate, bits int) string {
	b := binary.LittleEndian.AppendUint16(nil, uint16(kind))
	b = binary.LittleEndian.AppendUint16(b, uint16(channels))
	b = binary.LittleEndian.AppendUint32(b, uint32(rate))
	b = append(b, make([]byte, 6)...)
	return string(binary.LittleEndian.AppendUint16(b, uint16(bits)))
}

// hear reads a whole file.
func hear(file string) ([]int16, int, error) {
	w, err := OpenWAV(iotest.OneByteReader(strings.NewReader(file)))
	if err != nil {
		return nil, 0, err
	}
	var all []int16
	for buf := make([]int16, 3); ; {
		n, err := w.Read(buf)
		all = append(all, buf[:n]...)
		if errors.Is(err, io.EOF) {
			return all, w.Rate, nil
		} else if err != nil {
			return all, w.Rate, err
		}
	}
}

func TestWAV(t *testing.T) {
	good := format(1, 1, 16000, 16)
	for _, c := range []struct {
		name, file string
		want       []int16
		err        string
	}{
		{"samples", riff(0, "fmt ", good, "data", "\x01\x00\xff\xff\x00\x80\xff\x7f"), []int16{1, -1, -32768, 32767}, ""},
		{"other chunks", riff(0, "LIST", "odd", "fmt ", good+"more", "fact", "1234", "data", "\x01\x00", "tail", "\x02\x00"), []int16{1}, ""},
		{"extensible", riff(0, "fmt ", format(0xfffe, 1, 16000, 16), "data", "\x05\x00"), []int16{5}, ""},
		{"half a sample", riff(0, "fmt ", good, "data", "\x05\x00\x01"), []int16{5}, ""},
		{"piped without a size", riff(0, "fmt ", good, "data", "") + "\x05\x00\x06\x00\x07", []int16{5, 6}, ""},
		{"piped with the largest size", riff(0, "fmt ", good) + "data\xff\xff\xff\xff\x05\x00", []int16{5}, ""},
		{"empty", "", nil, "ends before its samples"},
		{"text", "hello, this is no sound", nil, "not a WAV file"},
		{"no samples", riff(0, "fmt ", good), nil, "ends before its samples"},
		{"no format", riff(0, "data", "\x05\x00"), nil, "samples without a format"},
		{"short format", riff(0, "fmt ", good[:14], "data", "\x05\x00"), nil, "a format of 14 bytes"},
		{"cut in the format", riff(0, "fmt ", good)[:30], nil, "ends before its samples"},
		{"stereo", riff(0, "fmt ", format(1, 2, 16000, 16), "data", "\x05\x00"), nil, "found format 1, 2 channels, 16 bits, 16000 Hz, want PCM, 1 channel, 16 bits"},
		{"8 bits", riff(0, "fmt ", format(1, 1, 16000, 8), "data", "\x05\x00"), nil, "8 bits"},
		{"float", riff(0, "fmt ", format(3, 1, 16000, 16), "data", "\x05\x00"), nil, "found format 3"},
		{"no rate", riff(0, "fmt ", format(1, 1, 0, 16), "data", "\x05\x00"), nil, "0 Hz"},
		{"cut in the samples", riff(0, "fmt ", good) + riff(6, "data", "\x05\x00")[12:], []int16{5}, "ends 6 bytes before its last sample"},
		{"endless chunk", riff(0, "fmt ", good) + "LIST\xff\xff\xff\xffabc", nil, "ends before its samples"},
	} {
		got, rate, err := hear(c.file)
		if c.err != "" {
			if !errors.Is(err, ErrSound) || !strings.Contains(err.Error(), c.err) || !slices.Equal(got, c.want) {
				t.Errorf("%s: got %v, %v, want %v, %v and %q", c.name, got, err, c.want, ErrSound, c.err)
			}
			continue
		}
		if err != nil || !slices.Equal(got, c.want) || rate != 16000 {
			t.Errorf("%s: got %v, %d Hz, %v, want %v, 16000 Hz", c.name, got, rate, err, c.want)
		}
	}
	broken := errors.New("broken")
	if _, err := OpenWAV(iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("got %v, want the reader's error", err)
	}
}

// FuzzWAV reads any bytes.
func FuzzWAV(f *testing.F) {
	f.Add([]byte(riff(0, "LIST", "odd", "fmt ", format(1, 1, 16000, 16), "data", "\x01\x00\x02\x00")))
	f.Fuzz(func(t *testing.T, file []byte) {
		w, err := OpenWAV(bytes.NewReader(file))
		total := 0
		for samples := make([]int16, 100); err == nil; {
			var n int
			n, err = w.Read(samples)
			total += n
		}
		if !errors.Is(err, ErrSound) && !errors.Is(err, io.EOF) || 2*total > len(file) {
			t.Errorf("got %v after %d samples of %d bytes", err, total, len(file))
		}
	})
}
