//go:build !unix

package train

import (
	"os/exec"
	"time"
)

// ownGroup stops only the command itself: there are no process groups here.
func ownGroup(cmd *exec.Cmd, grace time.Duration) { cmd.WaitDelay = grace }

func killGroup(*exec.Cmd) {}
