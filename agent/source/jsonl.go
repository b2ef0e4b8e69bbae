package source

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// jsonParser reads rows that are JSON values.
type jsonParser struct {
	want int
	x    numbers
}

func (p *jsonParser) expect(features []string) { p.want = len(features) }

func (p *jsonParser) parse(line []byte) (Sample, error) {
	line = bytes.TrimSpace(line)
	if len(line) == 0 {
		return Sample{}, errSkip
	}
	p.x = p.x[:0]
	row := struct {
		X       *numbers `json:"x"`
		Ref     string   `json:"ref"`
		Time    string   `json:"time"`
		Context string   `json:"context"`
	}{X: &p.x}
	var target any = &row
	switch line[0] {
	case '[':
		target = row.X
	case '{':
	default:
		return Sample{}, fmt.Errorf("got %.20s, want an array or an object: %w", line, ErrForm)
	}
	if err := json.Unmarshal(line, target); err != nil {
		return Sample{}, fmt.Errorf("%w: %w", ErrForm, plainJSON(err, len(line)))
	}
	switch {
	case row.X == nil || len(*row.X) != p.want:
		return Sample{}, fmt.Errorf("got %d, want %d: %w", len(p.x), p.want, ErrCount)
	case len(row.Ref) > maxRef:
		return Sample{}, fmt.Errorf("ref of %d bytes, at most %d: %w", len(row.Ref), maxRef, ErrForm)
	}
	if err := checkContext(row.Context); err != nil {
		return Sample{}, err
	}
	at, err := parseTime(row.Time)
	return Sample{Time: at, X: p.x, Ref: row.Ref, Context: row.Context}, err
}

// plainJSON says what is wrong with a value in words of the row: the texts of
// package json speak of Go's types. size is that of the row.
func plainJSON(err error, size int) error {
	var typ *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &typ):
		return fmt.Errorf("%s: got a %s", typ.Field, typ.Value)
	case errors.As(err, &syntax) && syntax.Offset >= int64(size) && strings.HasPrefix(syntax.Error(), "unexpected end"):
		return errors.New("the JSON ends within a value")
	case errors.As(err, &syntax):
		return fmt.Errorf("no JSON at byte %d", syntax.Offset)
	}
	return err
}

// numbers is an array of numbers only: where encoding/json by itself would leave
// a zero for null, this refuses it.
type numbers []float32

// UnmarshalJSON appends to what x holds room for; text is valid JSON.
func (x *numbers) UnmarshalJSON(text []byte) error {
	out := (*x)[:0]
	text = bytes.TrimSpace(text)
	if len(text) < 2 || text[0] != '[' {
		return fmt.Errorf("got %.20s, want an array of numbers: %w", text, ErrForm)
	}
	rest := bytes.TrimSpace(text[1 : len(text)-1])
	for more := len(rest) > 0; more; {
		var item []byte
		item, rest, more = bytes.Cut(rest, []byte{','})
		v, err := strconv.ParseFloat(string(bytes.TrimSpace(item)), 64)
		if err != nil {
			return fmt.Errorf("feature %d: %.20s: %w", len(out)+1, bytes.TrimSpace(item), ErrNumber)
		}
		f, err := feature(v, len(out))
		if err != nil {
			return err
		}
		out = append(out, f)
	}
	*x = out
	return nil
}
