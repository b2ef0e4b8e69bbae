package data

import (
	"bufio"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"os"

	"kedge/runtime/tensor"
)

// What the files of the two formats begin with.
const (
	pngMark  = "\x89PNG\r\n\x1a\n"
	jpegMark = "\xff\xd8\xff"
)

// decoder is a format of images.
type decoder struct {
	mark   string
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
}

// decoders are asked by the content: files with the other's extension are frequent.
var decoders = []decoder{{pngMark, png.DecodeConfig, png.Decode}, {jpegMark, jpeg.DecodeConfig, jpeg.Decode}}

// pixelBytes is more than what decoding takes for each pixel: 16 for the
// coefficients of a progressive JPEG of four components, 8 for a PNG of 16 bits.
const pixelBytes = 24

// image adds an image of values 0 to 255. Colors are as they are stored: no
// profile, gamma or orientation is applied, and transparency is left out.
func (b *builder) image(f *os.File, _ int64) error {
	height, width, channels, err := imageShape(b.o.Shape)
	if err != nil {
		return err
	}
	if err := b.setShape(tensor.Shape{height, width, channels}); err != nil {
		return err
	}
	m, err := decodeImage(f, b.o.Limit)
	if err != nil {
		return err
	}
	b.Pixels = true
	resize(b.row, height, width, source{m, m.Bounds(), channels})
	return b.add()
}

// imageShape takes a declared shape for H × W × C.
func imageShape(s tensor.Shape) (height, width, channels int, err error) {
	given := s
	if len(s) == 4 && s[0] == 1 {
		s = s[1:]
	}
	if len(s) == 2 {
		s = tensor.Shape{s[0], s[1], 1}
	}
	if len(s) != 3 || s[2] != 1 && s[2] != 3 {
		return 0, 0, 0, fmt.Errorf("%w: shape %v for images, want height, width and 1 or 3 channels", ErrOptions, given)
	}
	return s[0], s[1], s[2], nil
}

// decodeImage reads the size first: a few bytes may announce any number of pixels.
func decodeImage(f io.ReadSeeker, limit int64) (image.Image, error) {
	r := bufio.NewReader(f)
	head, _ := r.Peek(len(pngMark))
	for _, d := range decoders {
		if len(head) < len(d.mark) || string(head[:len(d.mark)]) != d.mark {
			continue
		}
		c, err := d.config(r)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrFormat, err)
		}
		if c.Width <= 0 || c.Height <= 0 {
			return nil, fmt.Errorf("%w: an image of %d × %d pixels", ErrFormat, c.Width, c.Height)
		}
		if int64(c.Height) > limit/pixelBytes/int64(c.Width) {
			return nil, fmt.Errorf("%w: an image of %d × %d pixels, %d bytes each, limit %d bytes", ErrTooLarge, c.Width, c.Height, pixelBytes, limit)
		}
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return nil, err
		}
		m, err := d.decode(bufio.NewReader(f))
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrFormat, err)
		}
		return m, nil
	}
	return nil, fmt.Errorf("%w: neither PNG nor JPEG", ErrFormat)
}

// source gives the pixels of an image in 1 or 3 channels.
type source struct {
	image    image.Image
	bounds   image.Rectangle
	channels int
}

// pixel reads the channels at x, y, counted from the upper left corner.
func (s source) pixel(to []float32, x, y int) {
	c := color.NRGBAModel.Convert(s.image.At(s.bounds.Min.X+x, s.bounds.Min.Y+y)).(color.NRGBA)
	if s.channels == 1 {
		to[0] = float32(luma(c))
		return
	}
	to[0], to[1], to[2] = float32(c.R), float32(c.G), float32(c.B)
}

// luma is ITU-R BT.601's 0.299 R + 0.587 G + 0.114 B, rounded to a whole number,
// with weights in 1/65536.
func luma(c color.NRGBA) uint32 {
	return (19595*uint32(c.R) + 38470*uint32(c.G) + 7471*uint32(c.B) + 1<<15) >> 16
}
