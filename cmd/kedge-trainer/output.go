package main

import "os"

// checkOutput refuses, before long work, an --output that cannot be written or
// would replace one of the files that are read.
func checkOutput(path string, inputs ...string) error {
	if path == "" {
		return missing("output")
	}
	if err := checkFolder("output", path); err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return nil
	}
	for _, in := range inputs {
		if other, err := os.Stat(in); err == nil && os.SameFile(info, other) {
			return usage("give it a file of its own", "flag --output: %s is the same file as %s", path, in)
		}
	}
	return nil
}
