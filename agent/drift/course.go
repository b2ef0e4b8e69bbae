package drift

// Sizes of the evidence that a monitor keeps.
const (
	recentSize   = 100 // samples in the recent mean
	courseSize   = 64  // points in the course
	courseStride = 4   // samples per point, at least
	maxDetectors = 7   // as many as there are makers, and the other side of two
)

// window is the recent part of the signal, as lattice steps with an exact sum.
type window struct {
	steps [recentSize]uint8
	n     int // filled
	next  int
	sum   int64
}

func (w *window) add(q uint8) {
	if w.n == recentSize {
		w.sum -= int64(w.steps[w.next])
	} else {
		w.n++
	}
	w.steps[w.next] = q
	w.sum += int64(q)
	w.next = (w.next + 1) % recentSize
}

// mean is that of the lattice values, 0 when empty.
func (w *window) mean() float64 {
	if w.n == 0 {
		return 0
	}
	return float64(w.sum) / float64(w.n) / LatticeSize
}

// coursePoint is a CoursePoint without a slice. Single precision is enough to draw.
type coursePoint struct {
	n          int64
	mean       float32
	statistics [maxDetectors]float32
}

// course keeps every stride-th moment, the last courseSize of them: at the default
// the last 256 samples, which is how a drift builds up.
type course struct {
	stride int
	n      int64
	sum    float64 // of the samples since the last point
	count  int
	ring   [courseSize]coursePoint
	filled int
	next   int
	width  int // detectors
}

func newCourse(block, detectors int) course {
	return course{stride: max(courseStride, block), width: detectors}
}

// add takes a sample; now asks for a point at once, so that an alarm is never
// between two points.
func (c *course) add(x float64, all []watched, now bool) {
	c.n++
	c.sum += x
	c.count++
	if c.count < c.stride && !now {
		return
	}
	p := coursePoint{n: c.n, mean: float32(c.sum / float64(c.count))}
	for i := range all {
		p.statistics[i] = float32(all[i].Statistic())
	}
	c.ring[c.next] = p
	c.next = (c.next + 1) % courseSize
	c.filled = min(c.filled+1, courseSize)
	c.sum, c.count = 0, 0
}

// points lists the course, oldest first.
func (c *course) points() []CoursePoint {
	points := make([]CoursePoint, 0, c.filled)
	for i := range c.filled {
		p := c.ring[(c.next-c.filled+i+courseSize)%courseSize]
		s := make([]float64, c.width)
		for j := range s {
			s[j] = float64(p.statistics[j])
		}
		points = append(points, CoursePoint{N: p.n, Mean: float64(p.mean), Statistics: s})
	}
	return points
}
