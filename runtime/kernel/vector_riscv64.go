package kernel

import (
	"errors"
	"fmt"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// hardwareVector reports whether the kernel says in AT_HWCAP that it lets
// programs use vectors.
func hardwareVector() bool {
	const hwcap, v = 16, 1 << ('V' - 'A')
	auxv, err := unix.Auxv()
	if err != nil {
		return false
	}
	for _, entry := range auxv {
		if entry[0] == hwcap {
			return entry[1]&v != 0
		}
	}
	return false
}

// vectorLanes is the number of 32-bit elements in a group of eight vector
// registers, or an error where the processor does not have the extension of
// version 1.0: drafts of it, which are in use, have the same instructions with
// other meanings, and do not accept a vtype of the standard.
//
// The first instruction is illegal where there are no vectors at all, and nothing
// else tells so on every system that runs them (an emulator may have them and
// announce none). So it is tried with a handler that skips illegal instructions,
// for the whole process, in place of that of Go's runtime, which would end it.
var vectorLanes = sync.OnceValues(testVectors)

func testVectors() (int, error) {
	var before signalAction
	if err := setIllegal(&signalAction{handler: skipHandler(), flags: saSiginfo | saOnstack}, &before); err != nil {
		return 0, fmt.Errorf("kernel set \"rvv\": testing the processor: %w", err)
	}
	lanes := tryVLEN()
	if err := setIllegal(&before, nil); err != nil {
		return 0, fmt.Errorf("kernel set \"rvv\": testing the processor: %w", err)
	}
	if lanes < 32 {
		return 0, errors.New("kernel set \"rvv\": this processor has no vector extension 1.0 with at least 128 bits")
	}
	return lanes, nil
}

// signalAction is the kernel's struct sigaction. Its last field is none of the
// kernel's, but emulators write it.
type signalAction struct {
	handler, flags uintptr
	mask           uint64
	restorer       uintptr
}

const (
	saSiginfo = 4
	saOnstack = 0x08000000
)

// setIllegal sets what happens at an illegal instruction.
func setIllegal(to, before *signalAction) error {
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(unix.SIGILL), uintptr(unsafe.Pointer(to)),
		uintptr(unsafe.Pointer(before)), unsafe.Sizeof(to.mask), 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// tryVLEN is the number of lanes, or 0 where an instruction was skipped or did
// not do what the standard says.
func tryVLEN() int

// skipHandler is the address of a signal handler that skips the instruction.
func skipHandler() uintptr
