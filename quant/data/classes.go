package data

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// maxClasses bounds how many different classes a set may have: a column with more
// of them is no class.
const maxClasses = 1 << 16

// checkClasses refuses names that stand for two numbers.
func checkClasses(names []string) error {
	seen := make(map[string]bool, len(names))
	for i, name := range names {
		if seen[name] {
			return fmt.Errorf("%w: class %d: the name %.40q stands there twice", ErrOptions, i, name)
		}
		seen[name] = true
	}
	return nil
}

// classRange says in words what numbers of classes may be.
func (b *builder) classRange() string {
	if b.o.Classes == nil {
		return "whole numbers from 0"
	}
	return fmt.Sprintf("0 to %d, as %d classes are named", len(b.o.Classes)-1, len(b.o.Classes))
}

// labels collects the classes of samples as they are written.
type labels struct {
	numbers map[string]int // of each text, in the order of appearance
	texts   []string
	lines   []int // where each text appeared first
	y       []int // index into texts, for each sample
}

// add takes the label of the next sample.
func (l *labels) add(text string, line int) error {
	i, ok := l.numbers[text]
	if !ok {
		if i = len(l.texts); i == maxClasses {
			return fmt.Errorf("%w: more than %d different labels, they are no classes", ErrTooLarge, maxClasses)
		}
		if l.numbers == nil {
			l.numbers = map[string]int{}
		}
		text = strings.Clone(text) // it would keep a whole line in memory
		l.numbers[text] = i
		l.texts, l.lines = append(l.texts, text), append(l.lines, line)
	}
	l.y = append(l.y, i)
	return nil
}

// settle decides what the labels are, all of them alike: names out of
// Options.Classes; class numbers; or names in the order of their bytes.
func (b *builder) settle(l *labels) error {
	if len(l.y) == 0 {
		return nil
	}
	names := make(map[string]int, len(b.o.Classes))
	for i, name := range b.o.Classes {
		names[name] = i
	}
	number := make([]int, len(l.texts)) // by text
	stranger, numeric := -1, true
	for i, text := range l.texts {
		known := false
		if number[i], known = names[text]; !known && stranger < 0 {
			stranger = i
		}
		numeric = numeric && !notNumber(text)
	}
	b.Classes = b.o.Classes
	switch {
	case stranger < 0:
	case numeric:
		for i, text := range l.texts {
			v, ok := classNumber(text)
			if !ok || b.o.Classes != nil && v >= len(b.o.Classes) {
				return fmt.Errorf("line %d: %w: class %.40q, want %s", l.lines[i], ErrFormat, text, b.classRange())
			}
			number[i] = v
		}
	case b.o.Classes != nil:
		return fmt.Errorf("line %d: %w: class %.40q is none of the %d that are named", l.lines[stranger], ErrFormat, l.texts[stranger], len(b.o.Classes))
	default:
		b.Classes = slices.Sorted(slices.Values(l.texts))
		for i, text := range l.texts {
			number[i], _ = slices.BinarySearch(b.Classes, text)
		}
	}
	b.Y = make([]int, len(l.y))
	for i, text := range l.y {
		b.Y[i] = number[text]
	}
	return nil
}

// classNumber reads a whole number from 0; other programs write 3 as 3.0 too.
func classNumber(text string) (int, bool) {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || v != math.Trunc(v) || v < 0 || v > math.MaxInt32 {
		return 0, false
	}
	return int(v), true
}
