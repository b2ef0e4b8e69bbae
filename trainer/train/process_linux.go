package train

import "syscall"

// endWithParent has the kernel end the command when this process is killed and
// cannot do it itself. The signal comes with the end of the thread that started
// the command (prctl(2), PR_SET_PDEATHSIG), so that thread has to stay: see execute.
// What the command has started itself gets no signal.
func endWithParent(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGKILL }
