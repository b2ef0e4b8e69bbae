package agent

import (
	"fmt"
	"strings"
)

// A Problem is one thing that is wrong with a configuration file.
type Problem struct {
	Line   int    `json:"line,omitempty"` // from 1; 0 if the key is absent
	Column int    `json:"column,omitempty"`
	Key    string `json:"key,omitempty"` // dotted: mqtt.broker
	Found  string `json:"found"`
	Want   string `json:"want,omitempty"`
}

func (p Problem) text(file string) string {
	var b strings.Builder
	b.WriteString(file)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
	}
	if p.Key != "" {
		b.WriteString(": " + p.Key)
	}
	b.WriteString(": " + p.Found)
	if p.Want != "" {
		b.WriteString(", want " + p.Want)
	}
	return b.String()
}

// A ConfigError lists everything that is wrong with a configuration file, in
// the order of its lines.
type ConfigError struct {
	File     string
	Problems []Problem
}

// Error gives one line for each problem: file:line:column: key: found, want.
func (e *ConfigError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.text(e.File)
	}
	return strings.Join(lines, "\n")
}
