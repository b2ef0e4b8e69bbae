package data

import (
	"fmt"
	"strconv"
	"strings"

	"kedge/runtime/tensor"
)

// header is the dictionary in front of a .npy array.
type header struct {
	descr   string
	fortran bool
	shape   tensor.Shape
}

// parseHeader reads the subset of Python literals that numpy writes: a
// dictionary of a string, a boolean and a tuple of whole numbers.
func parseHeader(text string) (header, error) {
	p := &literal{rest: text}
	h, err := p.header()
	if err != nil {
		return header{}, fmt.Errorf("%w: .npy header %.80q: %w", ErrFormat, text, err)
	}
	return h, nil
}

type literal struct {
	rest string
}

func (p *literal) header() (h header, err error) {
	if err = p.expect("{"); err != nil {
		return h, err
	}
	seen := map[string]bool{}
	for !p.accept("}") {
		key, err := p.quoted()
		if err != nil {
			return h, err
		}
		if seen[key] {
			return h, fmt.Errorf("key %q twice", key)
		}
		seen[key] = true
		if err := p.expect(":"); err != nil {
			return h, err
		}
		switch key {
		case "descr":
			h.descr, err = p.quoted()
		case "fortran_order":
			h.fortran, err = p.boolean()
		case "shape":
			h.shape, err = p.tuple()
		default:
			err = fmt.Errorf("unknown key %q", key)
		}
		if err != nil {
			return h, err
		}
		if !p.accept(",") {
			if err := p.expect("}"); err != nil {
				return h, err
			}
			break
		}
	}
	if len(seen) != 3 {
		return h, fmt.Errorf("%d keys, want descr, fortran_order and shape", len(seen))
	}
	return h, nil
}

func (p *literal) accept(token string) bool {
	p.rest = strings.TrimLeft(p.rest, " \t\n\r")
	rest, ok := strings.CutPrefix(p.rest, token)
	if ok {
		p.rest = rest
	}
	return ok
}

func (p *literal) expect(token string) error {
	if !p.accept(token) {
		return fmt.Errorf("want %q at %.20q", token, p.rest)
	}
	return nil
}

func (p *literal) quoted() (string, error) {
	for _, quote := range []string{"'", `"`} {
		if p.accept(quote) {
			s, rest, ok := strings.Cut(p.rest, quote)
			if !ok || strings.Contains(s, `\`) {
				return "", fmt.Errorf("bad string at %.20q", p.rest)
			}
			p.rest = rest
			return s, nil
		}
	}
	return "", fmt.Errorf("want a string at %.20q", p.rest)
}

func (p *literal) boolean() (bool, error) {
	switch {
	case p.accept("True"):
		return true, nil
	case p.accept("False"):
		return false, nil
	}
	return false, fmt.Errorf("want True or False at %.20q", p.rest)
}

// maxRank is numpy's own limit on dimensions.
const maxRank = 32

func (p *literal) tuple() (tensor.Shape, error) {
	shape := tensor.Shape{}
	if err := p.expect("("); err != nil {
		return nil, err
	}
	for !p.accept(")") {
		p.accept(" ")
		n := len(p.rest) - len(strings.TrimLeft(p.rest, "0123456789"))
		v, err := strconv.ParseInt(p.rest[:n], 10, 32)
		if err != nil {
			return nil, fmt.Errorf("want a dimension below 2^31 at %.20q", p.rest)
		}
		p.rest = p.rest[n:]
		p.accept("L") // Python 2 wrote long integers so
		if shape = append(shape, int(v)); len(shape) > maxRank {
			return nil, fmt.Errorf("more than %d dimensions", maxRank)
		}
		if !p.accept(",") {
			return shape, p.expect(")")
		}
	}
	return shape, nil
}
