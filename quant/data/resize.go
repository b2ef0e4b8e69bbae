package data

import "math"

// resize fills to, height × width × channels, with the whole of an image by
// bilinear interpolation, whatever its proportions. Pixels are squares whose
// centers lie at half numbers, so that both images cover the same area: TFLite's
// RESIZE_BILINEAR with half_pixel_centers. Where it makes an image smaller it takes
// the four nearest pixels and no more (no antialiasing), as TensorFlow's resizing
// does by default. Values are not rounded; at the same size they do not change.
func resize(to []float32, height, width int, from source) {
	columns := taps(width, from.bounds.Dx())
	channels := from.channels
	var corners [4][3]float32
	for y, row := range taps(height, from.bounds.Dy()) {
		for x, column := range columns {
			from.pixel(corners[0][:], column.low, row.low)
			from.pixel(corners[1][:], column.high, row.low)
			from.pixel(corners[2][:], column.low, row.high)
			from.pixel(corners[3][:], column.high, row.high)
			at := (y*width + x) * channels
			for c := range channels {
				top := mix(corners[0][c], corners[1][c], column.share)
				bottom := mix(corners[2][c], corners[3][c], column.share)
				to[at+c] = mix(top, bottom, row.share)
			}
		}
	}
}

// tap says between which two places of the source a place of the result lies.
type tap struct {
	low, high int
	share     float32 // of high, 0 to 1
}

// taps maps n places onto size of them. Beyond the outermost centers the value is
// that of the outermost place.
func taps(n, size int) []tap {
	out := make([]tap, n)
	for i := range out {
		center := float64((float64(i)+0.5)*float64(size))/float64(n) - 0.5
		center = min(max(center, 0), float64(size-1))
		low := math.Floor(center)
		out[i] = tap{int(low), min(int(low)+1, size-1), float32(center - low)}
	}
	return out
}

// mix rounds every step, so that all machines give the same.
func mix(a, b, share float32) float32 { return a + float32(float32(b-a)*share) }
