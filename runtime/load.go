package runtime

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"kedge/runtime/kernel"
	"kedge/runtime/op"
	"kedge/runtime/plan"
	"kedge/runtime/tflite"
)

// maxThreads is more than any board has cores.
const maxThreads = 256

// DefaultMaxArena is the arena's limit where Options names none.
const DefaultMaxArena = 64 << 20

// Options say how a model is loaded. The zero value is right for a board.
type Options struct {
	// MaxArena limits a session's memory for tensors, in bytes. 0 stands for
	// DefaultMaxArena.
	MaxArena int
	// MaxWork limits the steps of one inference as Model.Work counts them, so that
	// no file can keep the board busy for hours. 0 stands for DefaultMaxWork.
	MaxWork int64
	// Kernels names the kernel set. Empty stands for the environment variable
	// KEDGE_KERNELS, and where that is unset for the best set that the processor
	// can run.
	Kernels string
	// Threads is on how many threads sessions compute their longer layers, the
	// caller's included; 0 stands for one. The results are the same. Every thread
	// takes scratch memory of its own, so the arena may grow.
	Threads int
	// Numerics names the arithmetic that results are defined by. Empty stands
	// for "tflm", TensorFlow Lite Micro's reference kernels; so far there is no
	// other.
	Numerics string
}

func (o Options) maxArena() int {
	if o.MaxArena == 0 {
		return DefaultMaxArena
	}
	return o.MaxArena
}

// chooseKernels returns the kernel set of that name, with Options.Kernels'
// meaning of the empty name.
func chooseKernels(name string) (*kernel.Set, error) {
	if name == "" {
		name = os.Getenv("KEDGE_KERNELS")
	}
	return kernel.Choose(name)
}

// KernelSet is the name of the kernel set that Load would use.
func KernelSet(o Options) (string, error) {
	set, err := chooseKernels(o.Kernels)
	if err != nil {
		return "", err
	}
	return set.Name, nil
}

// Load checks and prepares a model. Weights are read in place: file must not
// change as long as the model is in use. All operators that cannot run are
// reported together; errors.Is tells the kinds apart by the package's Err
// variables.
func Load(file []byte, o Options) (*Model, error) {
	m, err := prepare(file, o)
	if err != nil {
		return nil, err
	}
	if err := m.checkWork(); err != nil {
		return nil, err
	}
	if m.shared, err = m.arrange(SessionOptions{}); err != nil {
		return nil, err
	}
	return m, nil
}

// arrange is layOut with one kind of error for an arena that is too large.
func (m *Model) arrange(o SessionOptions) (layout, error) {
	l, err := m.layOut(o)
	if errors.Is(err, plan.ErrTooLarge) {
		err = fmt.Errorf("%w: %w", ErrArena, err)
	}
	return l, err
}

// prepare is Load without the arena. On errors of operators the model is
// returned too, for a report.
func prepare(file []byte, o Options) (*Model, error) {
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		return nil, ErrPlatform
	}
	kernels, err := chooseKernels(o.Kernels)
	if err != nil {
		return nil, err
	}
	numerics, err := op.Known(o.Numerics)
	if err != nil {
		return nil, err
	}
	budget := tflite.NewBudget(len(file))
	decoded, err := tflite.Decode(file, budget)
	if err != nil {
		return nil, err
	}
	if o.Threads < 0 || o.Threads > maxThreads {
		return nil, fmt.Errorf("%w: found %d, want 1 to %d", ErrThreads, o.Threads, maxThreads)
	}
	kernels = kernels.For(len(decoded.Subgraphs[0].Operators))
	kernels.Threads = o.Threads
	m := &Model{kernels: kernels, numerics: numerics, options: o}
	return m.prepare(decoded.Subgraphs, budget)
}
