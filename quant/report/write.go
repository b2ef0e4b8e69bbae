package report

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"math"
	"strconv"
)

// WriteJSON writes the report as one indented JSON object and a newline.
func (r *Report) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}

//go:embed report.html
var page string

// WriteHTML writes the report as a page of its own: styles and drawings are in it,
// names from the models are escaped.
func (r *Report) WriteHTML(w io.Writer) error {
	t, err := template.New("report").Funcs(functions).Parse(page)
	if err != nil {
		return err
	}
	return t.Execute(w, r)
}

// functions are what the page calls.
var functions = template.FuncMap{
	"bytes":     func(n int) string { return grouped(int64(n)) },
	"size":      sizeText,
	"grouped":   grouped,
	"percent":   percent,
	"share":     share,
	"db":        decibels,
	"gain":      gainText,
	"number":    number,
	"count":     countText,
	"short":     short,
	"shape":     shapeText,
	"ratio":     ratio,
	"operators": operatorRows,
	"layers":    (*Report).sqnrChart,
	"gains":     (*Report).gainChart,
	"histogram": drawHistogram,
	"channels":  drawChannels,
	"add":       func(a, b int) int { return a + b },
	"int64":     func(n int) int64 { return int64(n) },
	"deref":     func(n *int) int { return *n },
	"whole":     func(share float64) string { return fmt.Sprintf("%.0f %%", 100*share) },
	"at":        at,
}

// sizeText is a number of bytes as people say it.
func sizeText(n int) string {
	switch {
	case n >= 10_000_000:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	case n >= 1000:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%d B", n)
}

// grouped puts thin spaces between thousands.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "\u202f" + s[i:]
	}
	return s
}

// none stands for what was not measured.
const none = "–"

func percent(v *float64) string {
	if v == nil {
		return none
	}
	return fmt.Sprintf("%.2f %%", 100**v)
}

// share is percent for what is nearly 0 as a rule.
func share(v *float64) string {
	switch {
	case v == nil:
		return none
	case *v == 0:
		return "0"
	case *v < 0.00001:
		return "< 0.001 %"
	}
	return fmt.Sprintf("%.3f %%", 100**v)
}

func decibels(v *float64) string {
	if v == nil {
		return none
	}
	return fmt.Sprintf("%.1f dB", *v)
}

func gainText(v *float64) string {
	if v == nil {
		return none
	}
	return fmt.Sprintf("%+.2f dB", *v)
}

// number formats with four digits what the page has as a value or a pointer.
func number(v any) string {
	switch v := v.(type) {
	case *float64:
		if v == nil {
			return none
		}
		return number(*v)
	case *float32:
		if v == nil {
			return none
		}
		return number(float64(*v))
	case float32:
		return number(float64(v))
	case float64:
		return strconv.FormatFloat(v, 'g', 4, 64)
	case *int32:
		if v == nil {
			return none
		}
		return strconv.Itoa(int(*v))
	}
	return fmt.Sprint(v)
}

// countText is a great number of instructions.
func countText(v float64) string {
	switch {
	case v >= 1e9:
		return fmt.Sprintf("%.2f G", v/1e9)
	case v >= 1e6:
		return fmt.Sprintf("%.2f M", v/1e6)
	case v >= 1e3:
		return fmt.Sprintf("%.1f k", v/1e3)
	}
	return strconv.FormatFloat(math.Round(v), 'f', 0, 64)
}

// nameLength is how much of a name lists show; converters join the names of all
// operators that they fused, the last one being the result's.
const nameLength = 44

func short(name string) string {
	if r := []rune(name); len(r) > nameLength {
		return "…" + string(r[len(r)-nameLength+1:])
	}
	return name
}

func at(list []float64, i int) string {
	if i >= len(list) {
		return none
	}
	return countText(list[i])
}

func shapeText(s []int) string {
	text := ""
	for i, d := range s {
		if i > 0 {
			text += " × "
		}
		text += strconv.Itoa(d)
	}
	return text
}

// ratio is b in parts of a.
func ratio(a, b int64) string {
	if a == 0 {
		return none
	}
	return fmt.Sprintf("%.0f %%", 100*float64(b)/float64(a))
}

// operatorRow is an operator in both models.
type operatorRow struct {
	Name          string
	Before, After int
}

func operatorRows(r *Report) []operatorRow {
	var rows []operatorRow
	a, b := r.Before.Operators, r.After.Operators
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(b) == 0 || len(a) > 0 && a[0].Name < b[0].Name:
			rows = append(rows, operatorRow{a[0].Name, a[0].Count, 0})
			a = a[1:]
		case len(a) == 0 || b[0].Name < a[0].Name:
			rows = append(rows, operatorRow{b[0].Name, 0, b[0].Count})
			b = b[1:]
		default:
			rows = append(rows, operatorRow{a[0].Name, a[0].Count, b[0].Count})
			a, b = a[1:], b[1:]
		}
	}
	return rows
}
