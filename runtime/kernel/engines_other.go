//go:build !amd64 && !arm64 && !arm && !riscv64

package kernel

// engines lists what this build has beside plain Go, best last.
func engines() []*engine { return nil }
