// Testsummary reads the output of `go test -json` and prints what a person
// wants to know of it: a line for every package, the whole output of what
// failed, every skipped test with its reason, and the counts.
//
// With -no-skips a skipped test is a failure, as it is where everything that
// tests need has been installed.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
)

// An event is a line of `go test -json` (go doc test2json).
type event struct {
	Action     string
	Package    string
	ImportPath string
	Test       string
	Elapsed    float64
	Output     string
}

type summary struct {
	passed, failed, skipped int
	output                  map[string][]string // by package and test
	failing                 map[string]bool     // packages with a failed test
	skips                   []string
}

func main() {
	noSkips := flag.Bool("no-skips", false, "count a skipped test as a failure")
	flag.Parse()
	s := summary{output: make(map[string][]string), failing: make(map[string]bool)}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<24)
	for in.Scan() {
		var e event
		if json.Unmarshal(in.Bytes(), &e) != nil {
			fmt.Println(in.Text())
			continue
		}
		s.add(e)
	}
	if err := in.Err(); err != nil {
		fmt.Fprintln(os.Stderr, "testsummary:", err)
		os.Exit(1)
	}
	for _, skip := range s.skips {
		fmt.Println("skipped:", skip)
	}
	fmt.Printf("%d passed, %d failed, %d skipped\n", s.passed, s.failed, s.skipped)
	if s.failed > 0 || s.passed == 0 || *noSkips && s.skipped > 0 {
		os.Exit(1)
	}
}

func (s *summary) add(e event) {
	name := e.Package
	if e.Test != "" {
		name += " " + e.Test
	}
	switch e.Action {
	case "output":
		s.output[name] = append(s.output[name], e.Output)
	case "build-output":
		fmt.Print(e.Output)
	case "pass":
		s.count(e, &s.passed)
		delete(s.output, name)
	case "skip":
		s.count(e, &s.skipped)
		if e.Test != "" {
			s.skips = append(s.skips, name+": "+reason(s.output[name]))
		}
	case "fail":
		s.count(e, &s.failed)
		if e.Test != "" {
			s.failing[e.Package] = true
		} else if !s.failing[e.Package] {
			s.failed++ // it did not build, or ended outside of any test
		}
		fmt.Printf("FAIL %s\n%s", name, strings.Join(s.output[name], ""))
	}
}

// count counts tests, and prints packages.
func (s *summary) count(e event, n *int) {
	if e.Test != "" {
		*n++
	} else if e.Action == "pass" {
		fmt.Printf("ok   %s %.1fs\n", e.Package, e.Elapsed)
	}
}

// reason is what a test said before it skipped, without the frame that go test puts round it.
func reason(output []string) string {
	var said []string
	for _, line := range output {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "===") && !strings.HasPrefix(line, "---") {
			said = append(said, line)
		}
	}
	return strings.Join(said, " ")
}
