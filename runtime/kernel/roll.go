package kernel

// rollRuns is up to how many runs windows may have where the copy rolls.
const rollRuns = 32

// mayRoll turns the copy of bands of a single output row into a ring where they
// overlap: then of every band only those rows are copied that the one before did not
// have. Between its rows there is a margin, which copying a row may overwrite; all
// of them may take spare bytes.
func (s *bands) mayRoll(spare int) {
	if s.direct || s.rows > 1 || s.outH == 1 || s.step > 1 || s.depth != s.inC || s.strideH >= s.reachH ||
		len(s.reach) > rollRuns || s.reachH*margin*s.size > spare {
		return
	}
	line := s.line * s.size
	s.rolls, s.pitch = true, s.line+margin
	for i, at := range s.reach {
		s.reach[i] = at/int32(line)*int32(s.pitch*s.size) + at%int32(line)
	}
	s.scratch = s.reachH*s.pitch*s.size + margin
}

// roll copies the rows of the band of output row y, or if the ring holds the band
// before it, those that are new.
func (s *bands) roll(l *layer, image, scratch []int8, y int, next bool, w *Work) {
	first, i := y*s.strideH, 0
	if next {
		i = s.reachH - s.strideH
	}
	for i < s.reachH {
		at := (first + i) % s.reachH
		n := min(s.reachH-i, s.reachH-at)
		s.copy(l, scratch[at*s.pitch*s.size:], image, first+i-s.padTop, n, 0, w)
		i += n
	}
}

// turned is where the runs of the windows of output row y lie in the ring.
func (s *bands) turned(y int, w *Work) *int32 {
	pitch := s.pitch * s.size
	end := int32(s.reachH * pitch)
	turn := int32(y * s.strideH % s.reachH * pitch)
	for i, at := range s.reach {
		if at += turn; at >= end {
			at -= end
		}
		w.reach[i] = at
	}
	return &w.reach[0]
}
