package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
)

// table holds instructions by model and processor.
type table map[string]map[string]int64

// tolerance is by how much a count may grow, as a fraction of what the committed
// table says.
const tolerance = 0.02

const head = `# Instructions of one inference

In thousands, all operators counted, under QEMU: on boards that were not at hand
it is the measure that does not depend on the machine. ` + "`make insns`" + ` counts again and
fails where a model needs 2 % more than here; ` + "`make insns-update`" + ` writes this file.
"rv64 V 128" has vectors of 128 bits, "rv64" none.

`

// text is the table for a terminal, in thousands.
func (t table) text(models []string, columns []cpu) string {
	var b strings.Builder
	tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(tw, "thousands of instructions\t%s\t\n", strings.Join(cpuNames(columns), "\t"))
	for _, m := range models {
		fmt.Fprintf(tw, "%s\t%s\t\n", m, strings.Join(t.cells(m, columns), "\t"))
	}
	tw.Flush()
	return b.String()
}

func (t table) cells(model string, columns []cpu) []string {
	cells := make([]string, len(columns))
	for i, c := range columns {
		cells[i] = "-"
		if n, ok := t[model][c.name]; ok {
			cells[i] = strconv.FormatFloat(float64(n)/1e3, 'f', 1, 64)
		}
	}
	return cells
}

// over is t, and what base has beside it.
func (t table) over(base table) table {
	both := table{}
	for _, from := range []table{base, t} {
		for m, row := range from {
			if both[m] == nil {
				both[m] = map[string]int64{}
			}
			for c, n := range row {
				both[m][c] = n
			}
		}
	}
	return both
}

// worse says which counts are above what base allows.
func (t table) worse(base table) []string {
	var found []string
	for _, m := range models {
		for _, c := range cpus {
			was, known := base[m][c.name]
			n, counted := t[m][c.name]
			if known && counted && float64(n) > float64(was)*(1+tolerance) {
				found = append(found, fmt.Sprintf("%s on %s: %d instructions, %.1f %% more than %d",
					m, c.name, n, 100*(float64(n)/float64(was)-1), was))
			}
		}
	}
	return found
}

func (t table) write(path string) error {
	b := strings.Builder{}
	b.WriteString(head + "| model | " + strings.Join(cpuNames(cpus), " | ") + " |\n|---|" + strings.Repeat("---:|", len(cpus)) + "\n")
	for _, m := range models {
		b.WriteString("| " + m + " | " + strings.Join(t.cells(m, cpus), " | ") + " |\n")
	}
	return os.WriteFile(path, []byte(b.String()), 0o644)
}

// readTable reads what write wrote.
func readTable(path string) (table, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	t := table{}
	var columns []string
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if !strings.HasPrefix(line, "| ") {
			continue
		}
		name := strings.TrimSpace(cells[0])
		if columns == nil {
			columns = cells
			continue
		}
		if len(cells) != len(columns) {
			return nil, fmt.Errorf("%s: %d cells, want %d: %s", path, len(cells), len(columns), line)
		}
		t[name] = map[string]int64{}
		for i, cell := range cells[1:] {
			cell = strings.TrimSpace(cell)
			if cell == "-" {
				continue
			}
			v, err := strconv.ParseFloat(cell, 64)
			if err != nil {
				return nil, fmt.Errorf("%s: %s: %q: not a number", path, name, cell)
			}
			t[name][strings.TrimSpace(columns[i+1])] = int64(v*1e3 + 0.5)
		}
	}
	return t, nil
}
