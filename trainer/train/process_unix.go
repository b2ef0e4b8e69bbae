//go:build unix

package train

import (
	"os/exec"
	"syscall"
	"time"
)

// ownGroup starts the command in a process group of its own, so that a shell
// or a data loader's workers stop together with it: asked first (SIGTERM),
// killed after grace.
func ownGroup(cmd *exec.Cmd, grace time.Duration) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	endWithParent(cmd.SysProcAttr)
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = grace
}

// killGroup ends what is left of the group. Its number cannot have passed to
// another group while a member lives; with none left, the call finds nothing.
func killGroup(cmd *exec.Cmd) {
	if cmd.Process != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
}
