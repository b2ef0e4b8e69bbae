package source

import (
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
)

// csvParser reads CSV rows. The first line decides about the header.
type csvParser struct {
	features []string
	begun    bool
	header   []string // nil without one
	columns  []int    // by feature, into a row; nil: by position
	missing  []string // features without a column, where others have one
	log      *slog.Logger
	said     bool // that columns count by position, since the last expect
	ref      int  // column, or -1
	time     int
	context  int
	fields   []string
	x        []float32
}

func (p *csvParser) expect(features []string) {
	p.features = slices.Clone(features)
	p.x = make([]float32, len(features))
	p.said = false
	p.match()
}

// match finds the features' columns in the header. A header that names some of them
// is one of names: to take its columns by position would mix them up.
func (p *csvParser) match() {
	p.columns, p.missing, p.ref, p.time, p.context = nil, nil, -1, -1, -1
	if p.header == nil {
		return
	}
	columns := make([]int, len(p.features))
	var missing []string
	for i, name := range p.features {
		columns[i] = slices.Index(p.header, name)
		if columns[i] < 0 {
			missing = append(missing, name)
		}
	}
	switch {
	case len(missing) == len(p.features):
		p.sayPosition()
		return
	case len(missing) > 0:
		p.missing = missing
		return
	}
	p.columns = columns
	for _, special := range []struct {
		name   string
		column *int
	}{{"ref", &p.ref}, {"time", &p.time}, {"context", &p.context}} {
		if !slices.Contains(p.features, special.name) {
			*special.column = slices.Index(p.header, special.name)
		}
	}
}

// sayPosition says once for a model that its features' names are not in the header.
func (p *csvParser) sayPosition() {
	if !p.said && len(p.features) > 0 {
		p.log.Warn("no feature of the model stands in the CSV header, columns count by position",
			slog.Any("header", p.header), slog.Any("features", p.features))
	}
	p.said = true
}

// restart forgets the header, for the next pass over a file.
func (p *csvParser) restart() { p.begun, p.header = false, nil }

func (p *csvParser) parse(line []byte) (Sample, error) {
	if len(line) == 0 {
		return Sample{}, errSkip
	}
	first := !p.begun
	p.begun = true
	fields, err := splitCSV(string(line), p.fields[:0])
	p.fields = fields
	if err != nil {
		return Sample{}, err
	}
	if first && slices.ContainsFunc(fields, notNumber) {
		p.header = make([]string, len(fields))
		for i, f := range fields {
			p.header[i] = strings.TrimPrefix(f, "\ufeff") // spreadsheets put a mark at the front
		}
		p.match()
		return Sample{}, errSkip
	}
	return p.row(fields)
}

func notNumber(field string) bool {
	_, err := strconv.ParseFloat(field, 64)
	return err != nil
}

func (p *csvParser) row(fields []string) (Sample, error) {
	switch {
	case p.missing != nil:
		return Sample{}, fmt.Errorf("the header has no column %s: %w", nameList(p.missing), ErrForm)
	case p.columns == nil && len(fields) != len(p.features):
		return Sample{}, fmt.Errorf("got %d columns, want %d: %w", len(fields), len(p.features), ErrCount)
	case p.columns != nil && len(fields) != len(p.header):
		return Sample{}, fmt.Errorf("got %d columns, the header has %d: %w", len(fields), len(p.header), ErrForm)
	}
	for i := range p.x {
		column := i
		if p.columns != nil {
			column = p.columns[i]
		}
		v, err := strconv.ParseFloat(fields[column], 64)
		if err != nil {
			return Sample{}, fmt.Errorf("column %d: %.40q: %w", column+1, fields[column], ErrNumber)
		}
		if p.x[i], err = feature(v, i); err != nil {
			return Sample{}, err
		}
	}
	s := Sample{X: p.x}
	if p.ref >= 0 {
		s.Ref = fields[p.ref]
		if len(s.Ref) > maxRef {
			return Sample{}, fmt.Errorf("ref of %d bytes, at most %d: %w", len(s.Ref), maxRef, ErrForm)
		}
	}
	if p.context >= 0 {
		s.Context = fields[p.context]
		if err := checkContext(s.Context); err != nil {
			return Sample{}, err
		}
	}
	if p.time < 0 {
		return s, nil
	}
	var err error
	s.Time, err = parseTime(fields[p.time])
	return s, err
}

// maxNames bounds how many names an error lists.
const maxNames = 8

// nameList quotes names for an error, which stays readable if there are many.
func nameList(names []string) string {
	var b strings.Builder
	for i, name := range names[:min(len(names), maxNames)] {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%.40q", name)
	}
	if more := len(names) - maxNames; more > 0 {
		fmt.Fprintf(&b, " and %d more", more)
	}
	return b.String()
}

// splitCSV appends the fields of a line. A field in quotes may hold commas, and
// doubled quotes for one.
func splitCSV(line string, fields []string) ([]string, error) {
	for {
		if strings.HasPrefix(strings.TrimLeft(line, " \t"), `"`) {
			field, rest, err := quotedField(strings.TrimLeft(line, " \t")[1:])
			if err != nil {
				return fields, err
			}
			fields = append(fields, field)
			if rest == "" {
				return fields, nil
			}
			line = rest[1:]
			continue
		}
		field, rest, more := strings.Cut(line, ",")
		fields = append(fields, strings.TrimSpace(field))
		if !more {
			return fields, nil
		}
		line = rest
	}
}

// quotedField reads a field behind its opening quote; rest is empty or begins
// with the comma.
func quotedField(s string) (field, rest string, err error) {
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '"')
		if i < 0 {
			return "", "", fmt.Errorf("a quote is not closed: %w", ErrForm)
		}
		b.WriteString(s[:i])
		s = s[i+1:]
		if strings.HasPrefix(s, `"`) {
			b.WriteByte('"')
			s = s[1:]
			continue
		}
		if rest = strings.TrimLeft(s, " \t"); rest != "" && rest[0] != ',' {
			return "", "", fmt.Errorf("%.20q behind a closing quote: %w", rest, ErrForm)
		}
		return b.String(), rest, nil
	}
}
