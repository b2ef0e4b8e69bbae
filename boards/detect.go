package boards

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Board is what does not change while the machine runs.
type Board struct {
	Model string   `json:"model"` // of the board, as its maker calls it; empty where unknown
	CPUs  []string `json:"cpus"`  // kinds of core, in order, each once
	Cores int      `json:"cores"` // 0 where unknown
}

// Detect looks below root, "/" on a real machine.
func Detect(root string) Board {
	var b Board
	b.Model = model(root)
	for _, core := range cores(text(root, "proc/cpuinfo")) {
		b.Cores++
		if name := coreName(core); name != "" && !slices.Contains(b.CPUs, name) {
			b.CPUs = append(b.CPUs, name)
		}
	}
	return b
}

// model is the device tree's name for the board, or on a PC its firmware's.
func model(root string) string {
	for _, path := range []string{"proc/device-tree/model", "sys/firmware/devicetree/base/model"} {
		if name := text(root, path); name != "" {
			return name
		}
	}
	vendor, product := text(root, "sys/class/dmi/id/sys_vendor"), text(root, "sys/class/dmi/id/product_name")
	return strings.TrimSpace(vendor + " " + product)
}

// text is a small file's content without the space and the NUL around it; empty
// where it cannot be read.
func text(root string, path ...string) string {
	b, err := os.ReadFile(filepath.Join(append([]string{root}, path...)...))
	if err != nil {
		return ""
	}
	return strings.Trim(string(b), "\x00 \t\n")
}

// cores are the fields of every core in /proc/cpuinfo.
func cores(cpuinfo string) []map[string]string {
	var all []map[string]string
	for line := range strings.Lines(cpuinfo) {
		key, value, _ := strings.Cut(line, ":")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		if key == "processor" {
			all = append(all, map[string]string{})
		}
		if len(all) > 0 {
			all[len(all)-1][key] = value
		}
	}
	return all
}

// coreName is what people call a core.
func coreName(core map[string]string) string {
	if core["CPU implementer"] == "0x41" {
		if name := armParts[core["CPU part"]]; name != "" {
			return name
		}
	}
	for _, key := range []string{"model name", "uarch", "isa"} {
		if core[key] != "" {
			return core[key]
		}
	}
	if core["CPU part"] != "" {
		return "implementer " + core["CPU implementer"] + " part " + core["CPU part"]
	}
	return ""
}

// armParts are Arm's own numbers for its cores (the technical reference manuals'
// MIDR).
var armParts = map[string]string{
	"0xb76": "ARM1176", "0xc07": "Cortex-A7", "0xc08": "Cortex-A8", "0xc09": "Cortex-A9", "0xc0f": "Cortex-A15",
	"0xd03": "Cortex-A53", "0xd04": "Cortex-A35", "0xd05": "Cortex-A55", "0xd07": "Cortex-A57", "0xd08": "Cortex-A72",
	"0xd09": "Cortex-A73", "0xd0a": "Cortex-A75", "0xd0b": "Cortex-A76", "0xd0c": "Neoverse N1", "0xd0d": "Cortex-A77",
	"0xd41": "Cortex-A78", "0xd42": "Cortex-A78AE", "0xd46": "Cortex-A510", "0xd47": "Cortex-A710", "0xd49": "Neoverse N2",
}
