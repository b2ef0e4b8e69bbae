package data

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"kedge/runtime/tensor"
)

func pngOf(t *testing.T, m image.Image) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := png.Encode(&buf, m); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func jpegOf(t *testing.T, m image.Image) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := jpeg.Encode(&buf, m, &jpeg.Options{Quality: 100}); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// gray makes an image of rows of values.
func gray(rows ...[]byte) *image.Gray {
	m := image.NewGray(image.Rect(0, 0, len(rows[0]), len(rows)))
	for y, row := range rows {
		copy(m.Pix[y*m.Stride:], row)
	}
	return m
}

// painted sets every pixel of an image to one color.
func painted(m interface {
	image.Image
	Set(x, y int, c color.Color)
}, c color.Color) image.Image {
	for y := m.Bounds().Min.Y; y < m.Bounds().Max.Y; y++ {
		for x := m.Bounds().Min.X; x < m.Bounds().Max.X; x++ {
			m.Set(x, y, c)
		}
	}
	return m
}

func TestLoadImage(t *testing.T) {
	box := image.Rect(0, 0, 2, 1)
	orange := color.NRGBA{R: 255, G: 128, B: 0, A: 255}
	clear := color.NRGBA{R: 255, G: 128, B: 0, A: 0}
	for _, c := range []struct {
		name  string
		image image.Image
		o     Options
		want  []float32
	}{
		{"gray", gray([]byte{0, 7, 255}, []byte{1, 2, 3}), Options{Shape: tensor.Shape{2, 3, 1}}, []float32{0, 7, 255, 1, 2, 3}},
		{"rank 2", gray([]byte{0, 7}), Options{Shape: tensor.Shape{1, 2}}, []float32{0, 7}},
		{"batch axis, scaled", gray([]byte{0, 255}), Options{Shape: tensor.Shape{1, 1, 2, 1}, Scale: 1. / 255, Offset: -0.5}, []float32{-0.5, 0.5}},
		{"gray as RGB", gray([]byte{0, 7}), Options{Shape: tensor.Shape{1, 2, 3}}, []float32{0, 0, 0, 7, 7, 7}},
		{"color", painted(image.NewRGBA(box), orange), Options{Shape: tensor.Shape{1, 2, 3}}, []float32{255, 128, 0, 255, 128, 0}},
		// 0.299·255 + 0.587·128 = 151.4
		{"color as gray", painted(image.NewRGBA(box), orange), Options{Shape: tensor.Shape{1, 2, 1}}, []float32{151, 151}},
		{"white as gray", painted(image.NewRGBA(box), color.White), Options{Shape: tensor.Shape{1, 2, 1}}, []float32{255, 255}},
		{"transparent", painted(image.NewNRGBA(box), clear), Options{Shape: tensor.Shape{1, 2, 3}}, []float32{255, 128, 0, 255, 128, 0}},
		{"palette", painted(image.NewPaletted(box, color.Palette{color.Black, orange}), orange), Options{Shape: tensor.Shape{1, 2, 3}}, []float32{255, 128, 0, 255, 128, 0}},
		{"16 bits", painted(image.NewGray16(box), color.Gray16{0x80ff}), Options{Shape: tensor.Shape{1, 2, 1}}, []float32{128, 128}},
	} {
		shape := c.o.Shape
		switch len(shape) {
		case 4:
			shape = shape[1:]
		case 2:
			shape = tensor.Shape{shape[0], shape[1], 1}
		}
		loads(t, c.name, put(t, t.TempDir(), "x.png", pngOf(t, c.image)), c.o, Samples{X: c.want, Shape: shape, Pixels: true})
	}
}

// TestLoadJPEG: the format loses a little; a plain color comes near.
func TestLoadJPEG(t *testing.T) {
	orange := color.RGBA{R: 250, G: 130, B: 20, A: 255}
	content := jpegOf(t, painted(image.NewRGBA(image.Rect(0, 0, 40, 24)), orange))
	for _, name := range []string{"x.jpg", "x.JPEG", "misnamed.png", "by mark"} {
		s, err := Load(put(t, t.TempDir(), name, content), Options{Shape: tensor.Shape{5, 5, 3}})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for i, v := range s.X {
			if want := []float32{250, 130, 20}[i%3]; math.Abs(float64(v-want)) > 3 {
				t.Errorf("%s: value %d: got %v, want %v ± 3", name, i, v, want)
				break
			}
		}
	}
}

func TestLoadImageRefuses(t *testing.T) {
	good := pngOf(t, gray([]byte{0, 7}))
	shaped := Options{Shape: tensor.Shape{1, 2, 1}}
	huge := slices.Clone(good) // announces 2³¹−1 × 2³¹−1 pixels
	binary.BigEndian.PutUint32(huge[16:], math.MaxInt32)
	binary.BigEndian.PutUint32(huge[20:], math.MaxInt32)
	binary.BigEndian.PutUint32(huge[29:], crc32.ChecksumIEEE(huge[12:29]))
	large := slices.Clone(good)
	binary.BigEndian.PutUint32(large[16:], 9000)
	binary.BigEndian.PutUint32(large[20:], 12000)
	binary.BigEndian.PutUint32(large[29:], crc32.ChecksumIEEE(large[12:29]))
	for _, c := range []struct {
		name    string
		content []byte
		o       Options
		want    error
		words   string
	}{
		{"no shape", good, Options{}, ErrOptions, "height, width"},
		{"flat shape", good, Options{Shape: tensor.Shape{784}}, ErrOptions, "[784]"},
		{"two channels", good, Options{Shape: tensor.Shape{1, 2, 2}}, ErrOptions, "1 or 3"},
		{"batch of two", good, Options{Shape: tensor.Shape{2, 1, 2, 1}}, ErrOptions, "[2,1,2,1]"},
		{"no height", good, Options{Shape: tensor.Shape{0, 2, 1}}, ErrSamples, "[0,2,1]"},
		{"huge shape", good, Options{Shape: tensor.Shape{1 << 20, 1 << 20, 3}}, ErrTooLarge, "limit"},
		{"cut", good[:len(good)-20], shaped, ErrFormat, "x.png: "},
		{"text", []byte("GIF89a.........."), shaped, ErrFormat, "neither PNG nor JPEG"},
		{"empty", nil, shaped, ErrFormat, "neither"},
		{"announces too much", huge, shaped, ErrFormat, ""},
		{"more than the limit", large, shaped, ErrTooLarge, "9000 × 12000"},
	} {
		refuses(t, c.name, put(t, t.TempDir(), "x.png", c.content), c.o, c.want, c.words)
	}
}

// TestResize has its values from the definition: output i of n lies at
// (i+½)·size/n − ½ of the source.
func TestResize(t *testing.T) {
	for _, c := range []struct {
		name          string
		from          *image.Gray
		height, width int
		want          []float32
	}{
		{"twice as wide", gray([]byte{0, 100}), 1, 4, []float32{0, 25, 75, 100}},
		{"twice as high", gray([]byte{0}, []byte{100}), 4, 1, []float32{0, 25, 75, 100}},
		{"half", gray([]byte{0, 10, 20, 30}), 1, 2, []float32{5, 25}},
		// Centers 1 and 4: of three pixels each the middle one alone.
		{"a third, no antialiasing", gray([]byte{9, 100, 9, 9, 200, 9}), 1, 2, []float32{100, 200}},
		{"both ways", gray([]byte{0, 100}, []byte{100, 200}), 1, 1, []float32{100}},
		{"a point", gray([]byte{42}), 2, 3, []float32{42, 42, 42, 42, 42, 42}},
		// −⅙ is beyond the first center, ½ and 1⅙ likewise.
		{"two to three", gray([]byte{0, 120}), 1, 3, []float32{0, 60, 120}},
	} {
		got := make([]float32, c.height*c.width)
		resize(got, c.height, c.width, source{c.from, c.from.Bounds(), 1})
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

// TestResizePart: images need not begin at 0, 0, and the channels stay apart.
func TestResizePart(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	whole := image.NewRGBA(image.Rect(0, 0, 9, 8))
	for i := range whole.Pix {
		whole.Pix[i] = byte(rng.IntN(256)) | byte(255*(i%4/3))
	}
	part := whole.SubImage(image.Rect(2, 3, 7, 6)).(*image.RGBA)
	got := make([]float32, 3*5*3)
	resize(got, 3, 5, source{part, part.Bounds(), 3})
	for y := range 3 {
		for x := range 5 {
			c := whole.RGBAAt(2+x, 3+y)
			if at := (y*5 + x) * 3; got[at] != float32(c.R) || got[at+1] != float32(c.G) || got[at+2] != float32(c.B) {
				t.Fatalf("pixel %d, %d: got %v, want %v", x, y, got[at:at+3], c)
			}
		}
	}
}

func TestLoadImageFolder(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "dark/a.png", pngOf(t, gray([]byte{10, 20})))
	put(t, dir, "bright/b.png", pngOf(t, gray([]byte{200, 220}, []byte{200, 220})))
	put(t, dir, "bright/a.jpg", jpegOf(t, painted(image.NewGray(image.Rect(0, 0, 8, 8)), color.Gray{Y: 255})))
	loads(t, "folder", dir, Options{Shape: tensor.Shape{1, 2, 1}}, Samples{
		X: []float32{255, 255, 200, 220, 10, 20}, Shape: tensor.Shape{1, 2, 1}, Pixels: true, Y: []int{0, 0, 1}, Classes: []string{"bright", "dark"},
	})
	broken := put(t, dir, "dark/b.png", []byte("no image"))
	refuses(t, "broken", dir, Options{Shape: tensor.Shape{1, 2, 1}}, ErrFormat, broken+": ")
}

// FuzzImage: any bytes give an image within the limit or an error.
func FuzzImage(f *testing.F) {
	var buf bytes.Buffer
	m := painted(image.NewRGBA(image.Rect(0, 0, 3, 2)), color.White)
	if err := png.Encode(&buf, m); err != nil {
		f.Fatal(err)
	}
	f.Add(slices.Clone(buf.Bytes()))
	buf.Reset()
	if err := jpeg.Encode(&buf, m, nil); err != nil {
		f.Fatal(err)
	}
	f.Add(buf.Bytes())
	f.Fuzz(func(t *testing.T, content []byte) {
		const limit = 1 << 16
		m, err := decodeImage(bytes.NewReader(content), limit)
		if err != nil {
			return
		}
		b := m.Bounds()
		if b.Empty() || b.Dx()*b.Dy() > limit/pixelBytes {
			t.Fatalf("an image of %v", b)
		}
		out := make([]float32, 2*2*3)
		resize(out, 2, 2, source{m, b, 3})
		for i, v := range out {
			if !(v >= 0 && v <= 255) {
				t.Fatalf("value %d is %v", i, v)
			}
		}
	})
}
