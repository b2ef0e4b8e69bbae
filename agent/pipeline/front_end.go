package pipeline

import (
	"encoding/binary"
	"fmt"
	"math"

	"kedge/runtime"
)

// FrontEndOptions say what stands in front of a model that hears.
type FrontEndOptions struct {
	FrontEnd runtime.Invoker // from one frame of int16 samples to one row of features
	Model    runtime.Invoker // its input is filled with the latest rows
	Step     int             // samples from the beginning of one frame to that of the next
	Every    int             // rows from one filled input to the next; 0 stands for all of an input
}

// A FrontEnd makes the input of a model out of a stream of sound: frames that may
// overlap, each of which another model turns into a row of features, and the
// latest rows stacked. Both models keep their state from frame to frame. It
// belongs to one goroutine, and allocates nothing after NewFrontEnd.
type FrontEnd struct {
	frontEnd, model runtime.Invoker
	frame           []int16
	step, skip      int    // skip is how many samples to leave out before the frame goes on
	samples         int    // in frame
	rows            []byte // the latest, oldest first
	row             int    // bytes
	every, missing  int    // rows until the input is full
	heard           int64  // samples in all
}

// NewFrontEnd checks that the models fit together; its errors wrap ErrModel. The
// features' bytes become the model's as they are, so that their types and, where
// both have any, their quantizations are equal.
func NewFrontEnd(o FrontEndOptions) (*FrontEnd, error) {
	in, out, into := o.FrontEnd.Inputs(), o.FrontEnd.Outputs(), o.Model.Inputs()
	switch {
	case len(in) != 1 || in[0].Type != runtime.Int16 || in[0].Bytes == 0:
		return nil, fmt.Errorf("front end with %s, want one of int16 samples: %w", described("inputs", in), ErrModel)
	case len(out) != 1 || out[0].Bytes == 0:
		return nil, fmt.Errorf("front end with %s, want one row of features: %w", described("outputs", out), ErrModel)
	case len(into) != 1 || into[0].Type != out[0].Type || into[0].Bytes == 0 || into[0].Bytes%out[0].Bytes != 0:
		return nil, fmt.Errorf("model with %s, want one of rows like the front end's %s: %w", described("inputs", into), described("outputs", out), ErrModel)
	case !sameQuantization(out[0], into[0]):
		return nil, fmt.Errorf("features with scale %v, zero point %v for a model that takes %v, %v: %w",
			out[0].Scales, out[0].ZeroPoints, into[0].Scales, into[0].ZeroPoints, ErrModel)
	case o.Step < 1 || o.Step > math.MaxInt32 || o.Every < 0 || o.Every > math.MaxInt32:
		return nil, fmt.Errorf("step of %d samples, every %d rows: %w", o.Step, o.Every, ErrModel)
	}
	f := &FrontEnd{
		frontEnd: o.FrontEnd, model: o.Model, step: o.Step, every: o.Every,
		frame: make([]int16, in[0].Bytes/2), rows: make([]byte, into[0].Bytes), row: out[0].Bytes,
		missing: into[0].Bytes / out[0].Bytes,
	}
	if f.every == 0 {
		f.every = f.missing
	}
	return f, nil
}

// described counts tensors and tells the first one's type and shape.
func described(what string, tensors []runtime.TensorInfo) string {
	if len(tensors) == 0 {
		return "no " + what
	}
	return fmt.Sprintf("%d %s, the first %v %v", len(tensors), what, tensors[0].Type, tensors[0].Shape)
}

func sameQuantization(a, b runtime.TensorInfo) bool {
	if len(a.Scales) == 0 || len(b.Scales) == 0 {
		return true
	}
	zero := func(t runtime.TensorInfo) int32 {
		if len(t.ZeroPoints) == 0 {
			return 0
		}
		return t.ZeroPoints[0]
	}
	return len(a.Scales) == 1 && len(b.Scales) == 1 && a.Scales[0] == b.Scales[0] && zero(a) == zero(b)
}

// Add hears samples up to where the model's input is full, and returns how many
// it took; ready says that the model is to be invoked before the next call.
func (f *FrontEnd) Add(samples []int16) (taken int, ready bool, err error) {
	for taken < len(samples) {
		rest := samples[taken:]
		n := min(f.skip, len(rest))
		if n == 0 {
			n = copy(f.frame[f.samples:], rest)
			f.samples += n
		} else {
			f.skip -= n
		}
		taken += n
		f.heard += int64(n)
		if f.samples < len(f.frame) {
			continue
		}
		if ready, err = f.hear(); ready || err != nil {
			break
		}
	}
	return taken, ready, err
}

// hear turns a full frame into a row.
func (f *FrontEnd) hear() (ready bool, err error) {
	memory := f.frontEnd.Input(0)
	for i, v := range f.frame {
		binary.LittleEndian.PutUint16(memory[2*i:], uint16(v))
	}
	kept := min(f.step, len(f.frame))
	f.samples, f.skip = copy(f.frame, f.frame[kept:]), f.step-kept
	if err := f.frontEnd.Invoke(); err != nil {
		return false, fmt.Errorf("front end: %w", err)
	}
	copy(f.rows, f.rows[f.row:])
	copy(f.rows[len(f.rows)-f.row:], f.frontEnd.Output(0))
	if f.missing--; f.missing > 0 {
		return false, nil
	}
	f.missing = f.every
	copy(f.model.Input(0), f.rows)
	return true, nil
}

// Heard is how many samples have been taken since the beginning.
func (f *FrontEnd) Heard() int64 { return f.heard }

// Missing is how many samples are needed until the model's input is full.
func (f *FrontEnd) Missing() int64 {
	return int64(f.skip) + int64(len(f.frame)-f.samples) + int64(f.missing-1)*int64(f.step)
}
