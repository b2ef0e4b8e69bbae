package cli

import "runtime/debug"

// Version is stamped by the linker (-X kedge/cmd/internal/cli.Version=v1.2.3);
// nothing writes it at run time. BuildVersion reads it.
var Version string

// BuildVersion is the version that the binary was stamped with, else what the
// go tool recorded of the module or the commit, else "unknown".
func BuildVersion() string {
	if Version != "" {
		return Version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	revision, dirty := "unknown", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value[:min(len(s.Value), 12)]
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "-dirty"
		}
	}
	return revision + dirty
}
