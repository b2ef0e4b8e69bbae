package op

import (
	"cmp"
	"slices"
)

// suppress orders the boxes by w.scores, from the threshold on, drops each that
// overlaps a kept one, and returns the best of those kept, in w.order.
func (d *detectionPostProcess) suppress(w *detectionWork, most int) []int32 {
	order := w.order[:0]
	for i, score := range w.scores {
		if score >= d.threshold {
			order = append(order, int32(i))
		}
	}
	scores := w.scores
	slices.SortStableFunc(order, func(a, b int32) int { return cmp.Compare(scores[b], scores[a]) })
	const dropped = -1
	kept := 0
	for i, box := range order {
		if box == dropped {
			continue
		}
		if kept == most {
			break
		}
		order[kept] = box // in front of i, or there
		kept++
		for j, other := range order[i+1:] {
			if other != dropped && overlap(w.corners[4*box:], w.corners[4*other:]) > d.overlap {
				order[i+1+j] = dropped
			}
		}
	}
	return order[:kept]
}

// overlap is the intersection of two boxes over their union, 0 where one has no
// area. Every step is rounded to float32.
func overlap(a, b []float32) float32 {
	areaA := float32((a[2] - a[0]) * (a[3] - a[1]))
	areaB := float32((b[2] - b[0]) * (b[3] - b[1]))
	if areaA <= 0 || areaB <= 0 {
		return 0
	}
	height := larger(0, smaller(b[2], a[2])-larger(b[0], a[0]))
	width := larger(0, smaller(b[3], a[3])-larger(b[1], a[1]))
	common := float32(height * width)
	return common / (areaA + areaB - common)
}

// fastNMS takes each box by its best class alone, and puts out the best classes
// of those that are left.
func (d *detectionPostProcess) fastNMS(m *Memory, w *detectionWork) int {
	background := d.columns - d.classes
	for box := range w.scores {
		first := box*d.columns + background
		top := d.score(m, first)
		for c := 1; c < d.classes; c++ {
			if v := d.score(m, first+c); v > top {
				top = v
			}
		}
		w.scores[box] = top
	}
	kept := d.suppress(w, d.most)
	classes := w.found[:min(d.each, d.classes)]
	for i, box := range kept {
		d.best(m, int(box)*d.columns+background, classes)
		for col, class := range classes {
			d.put(m, w, i*d.each+col, int(box), int(class))
		}
	}
	return len(kept)
}

// best lists the classes of the highest scores, highest first, of the box whose
// scores begin at first.
func (d *detectionPostProcess) best(m *Memory, first int, classes []int32) {
	h := worstFirst{classes, func(class int32) float32 { return d.score(m, first+int(class)) }}
	h.fill(d.classes)
	h.sort()
}

// put writes one detection.
func (d *detectionPostProcess) put(m *Memory, w *detectionWork, slot, box, class int) {
	copy(get[float32](m, d.out[0])[4*slot:][:4], w.corners[4*box:])
	get[float32](m, d.out[1])[slot] = float32(class)
	get[float32](m, d.out[2])[slot] = d.score(m, box*d.columns+d.columns-d.classes+class)
}

// regularNMS treats every class by itself and puts out the best of all.
func (d *detectionPostProcess) regularNMS(m *Memory, w *detectionWork) int {
	n := 0
	for class := range d.classes {
		column := d.columns - d.classes + class
		for box := range w.scores {
			w.scores[box] = d.score(m, box*d.columns+column)
		}
		n = w.merge(n, d.suppress(w, d.each), d.columns, column)
		n = min(n, d.most)
	}
	for i, index := range w.found[:n] {
		box := int(index) / d.columns
		d.put(m, w, i, box, int(index)-box*d.columns-(d.columns-d.classes))
	}
	return n
}

// merge puts the boxes kept of one class into the n detections so far, behind
// those of equal score, and returns how many there are then. It works from the
// end, into the room behind both.
func (w *detectionWork) merge(n int, kept []int32, columns, column int) int {
	to := n + len(kept)
	for i := len(kept) - 1; i >= 0; {
		score := w.scores[kept[i]]
		to--
		if at := to - i - 1; at >= 0 && w.values[at] < score {
			w.found[to], w.values[to] = w.found[at], w.values[at]
			continue
		}
		w.found[to], w.values[to] = kept[i]*int32(columns)+int32(column), score
		i--
	}
	return n + len(kept)
}
