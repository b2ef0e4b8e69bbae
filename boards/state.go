package boards

import (
	"path/filepath"
	"strconv"
)

// State is how a machine is doing at one moment.
type State struct {
	Zones    []Zone    `json:"temperatures"`
	Clocks   []Clock   `json:"clocks"`
	Throttle []Counter `json:"throttle"`
}

// Zone is one temperature sensor.
type Zone struct {
	Name    string  `json:"name"`
	Celsius float64 `json:"celsius"`
}

// Clock is the clock of one group of cores.
type Clock struct {
	Name     string `json:"name"`
	Governor string `json:"governor"`
	Now      int    `json:"khz"`
	Limit    int    `json:"limit_khz"` // that the system allows now
	Max      int    `json:"max_khz"`   // that the processor can
}

// Counter is something that the kernel counts when it slows the machine down: a
// cooling device's step, or how often a core was too hot.
type Counter struct {
	Name  string `json:"name"`
	Value int    `json:"value"`
}

// Throttled reports whether the state says that the machine is being slowed down
// now: a limit below what the processor can, or a cooling device at work.
func (s *State) Throttled() bool {
	for _, c := range s.Clocks {
		if c.Limit < c.Max {
			return true
		}
	}
	for _, c := range s.Throttle {
		if c.Value > 0 {
			return true
		}
	}
	return false
}

// Read looks below root, "/" on a real machine.
func Read(root string) State {
	var s State
	for _, dir := range folders(root, "sys/class/thermal/thermal_zone*") {
		if milli, ok := number(dir, "temp"); ok {
			s.Zones = append(s.Zones, Zone{text(dir, "type"), float64(milli) / 1000})
		}
	}
	for _, dir := range folders(root, "sys/devices/system/cpu/cpufreq/policy*") {
		c := Clock{Name: filepath.Base(dir), Governor: text(dir, "scaling_governor")}
		var ok bool
		if c.Max, ok = number(dir, "cpuinfo_max_freq"); !ok {
			continue
		}
		c.Now, _ = number(dir, "scaling_cur_freq")
		if c.Limit, ok = number(dir, "scaling_max_freq"); !ok {
			c.Limit = c.Max
		}
		s.Clocks = append(s.Clocks, c)
	}
	for _, dir := range folders(root, "sys/class/thermal/cooling_device*") {
		name := text(dir, "type")
		// Fans cool without slowing anything down; idle states of PCs are no limits.
		if ok, _ := filepath.Match("*cpufreq*", name); !ok {
			continue
		}
		if step, ok := number(dir, "cur_state"); ok {
			s.Throttle = append(s.Throttle, Counter{name, step})
		}
	}
	return s
}

func folders(root, pattern string) []string {
	dirs, _ := filepath.Glob(filepath.Join(root, pattern)) // the pattern is well-formed
	return dirs
}

func number(dir, name string) (int, bool) {
	n, err := strconv.Atoi(text(dir, name))
	return n, err == nil
}
