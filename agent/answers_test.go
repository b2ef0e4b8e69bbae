package agent

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTornAnswer: half a line that a run left behind does not spoil the first
// answer of the next.
func TestTornAnswer(t *testing.T) {
	for _, tt := range []struct{ name, before, want string }{
		{"torn", "{\"id\":\"a\"}\n{\"id\":", "{\"id\":\"a\"}\n{\"id\":\n{\"error\":\"x\"}\n"},
		{"whole", "{\"id\":\"a\"}\n", "{\"id\":\"a\"}\n{\"error\":\"x\"}\n"},
		{"new", "", "{\"error\":\"x\"}\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := DefaultConfig()
			c.Output.Answers = filepath.Join(t.TempDir(), "answers.jsonl")
			if tt.before != "" {
				if err := os.WriteFile(c.Output.Answers, []byte(tt.before), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			a, err := openAnswers(c, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := a.write(refusal{Error: "x"}); err != nil {
				t.Fatal(err)
			}
			if err := a.close(); err != nil {
				t.Fatal(err)
			}
			if got, err := os.ReadFile(c.Output.Answers); err != nil || string(got) != tt.want {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}

// TestTornByFullDisk: after a line of which the disk took a part the next one begins anew.
func TestTornByFullDisk(t *testing.T) {
	c := DefaultConfig()
	c.Output.Answers = filepath.Join(t.TempDir(), "answers.jsonl")
	a, err := openAnswers(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.w.WriteString(`{"id":`); err != nil { // what fitted
		t.Fatal(err)
	}
	if err := a.flush(); err != nil {
		t.Fatal(err)
	}
	a.torn = true
	for range 2 {
		if err := a.write(refusal{Error: "x"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.close(); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(c.Output.Answers); err != nil || !strings.HasSuffix(string(got), "{\"id\":\n{\"error\":\"x\"}\n{\"error\":\"x\"}\n") {
		t.Errorf("got %q, %v, want the torn line ended once", got, err)
	}
}

// TestBrokenOutputSaidOnce: nobody reads two lines about one closed pipe.
func TestBrokenOutputSaidOnce(t *testing.T) {
	c := testConfig(t)
	install(t, c, testRelease(t, 1))
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	defer w.Close()
	err = Run(t.Context(), c, Options{Stdin: strings.NewReader(sound + "\n" + sound + "\n"), Stdout: w})
	if want := "standard output: broken pipe"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestCountsOfThisRun: the end of the input tells what this input came to.
func TestCountsOfThisRun(t *testing.T) {
	c := testConfig(t)
	install(t, c, testRelease(t, 1))
	for range 2 {
		d := startDevice(t, c)
		d.sample(sound)
		d.sample(sound)
		d.line("[1]")
		d.finish()
		if want := `"code":"K0702","inferences":2,"rejected":1}`; !strings.Contains(d.logs.String(), want) {
			t.Errorf("want %s in the log", want)
		}
	}
}
