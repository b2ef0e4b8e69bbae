package boards

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// board unpacks the files that a board's Linux shows.
func board(t *testing.T, name string) string {
	t.Helper()
	a, err := txtar.ParseFile(filepath.Join("../testdata/boards", name+".txtar"))
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	for _, f := range a.Files {
		path := filepath.Join(root, f.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestDetect(t *testing.T) {
	tests := []struct {
		name string
		want Board
	}{
		{"raspberry-pi-4", Board{"Raspberry Pi 4 Model B Rev 1.4", []string{"Cortex-A72"}, 4}},
		{"big-little", Board{"Example RK3399 Board", []string{"Cortex-A53", "Cortex-A72"}, 3}},
		{"pc", Board{"Example Inc. Workbench 7", []string{"Example CPU @ 2.60GHz"}, 2}},
		{"riscv", Board{"Example RISC-V Board", []string{"sifive,u74-mc"}, 2}},
	}
	for _, tt := range tests {
		if got := Detect(board(t, tt.name)); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: got %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

func TestRead(t *testing.T) {
	root := board(t, "raspberry-pi-4")
	want := State{
		Zones:    []Zone{{"cpu-thermal", 61.345}},
		Clocks:   []Clock{{"policy0", "ondemand", 600000, 1500000, 1500000}},
		Throttle: []Counter{{"cpufreq-cpu0", 0}},
	}
	got := Read(root)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got.Throttled() {
		t.Error("got throttled, want not: nothing limits the clock")
	}
	for _, hot := range []struct{ path, content string }{
		{"sys/devices/system/cpu/cpufreq/policy0/scaling_max_freq", "1000000\n"},
		{"sys/class/thermal/cooling_device0/cur_state", "2\n"},
	} {
		root := board(t, "raspberry-pi-4")
		if err := os.WriteFile(filepath.Join(root, hot.path), []byte(hot.content), 0o600); err != nil {
			t.Fatal(err)
		}
		if s := Read(root); !s.Throttled() {
			t.Errorf("%s is %q: got %+v not throttled", hot.path, hot.content, s)
		}
	}
}

// A machine that shows nothing is described by nothing.
func TestNothing(t *testing.T) {
	root := t.TempDir()
	if got := Detect(root); !reflect.DeepEqual(got, Board{}) {
		t.Errorf("got %+v, want nothing", got)
	}
	if got := Read(root); !reflect.DeepEqual(got, State{}) || got.Throttled() {
		t.Errorf("got %+v, want nothing", got)
	}
}
