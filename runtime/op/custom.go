package op

import (
	"fmt"
	"math"

	"kedge/runtime/tflite"
)

// maxCustomName is longer than any custom operator's name.
const maxCustomName = 64

// custom lists every custom operator by its name.
var custom = map[string]prepare{
	"SignalDelay":                         prepareSignalDelay,
	"SignalEnergy":                        prepareSignalEnergy,
	"SignalFftAutoScale":                  prepareSignalFFTAutoScale,
	"SignalFilterBank":                    prepareSignalFilterBank,
	"SignalFilterBankLog":                 prepareSignalFilterBankLog,
	"SignalFilterBankSpectralSubtraction": prepareSignalFilterBankSpectralSubtraction,
	"SignalFilterBankSquareRoot":          prepareSignalFilterBankSquareRoot,
	"SignalFramer":                        prepareSignalFramer,
	"SignalIrfft":                         prepareSignalIRFFT,
	"SignalOverlapAdd":                    prepareSignalOverlapAdd,
	"SignalPCAN":                          prepareSignalPCAN,
	"SignalRfft":                          prepareSignalRFFT,
	"SignalStacker":                       prepareSignalStacker,
	"SignalWindow":                        prepareSignalWindow,
	"TFLite_Detection_PostProcess":        prepareDetectionPostProcess,
}

// options reads a custom operator's options. The first thing wrong stays in
// err, so that it is asked for once, after all of them.
type options struct {
	p   *Prep
	m   tflite.FlexMap
	err error
}

func (p *Prep) options() *options {
	m, err := tflite.OpenFlexMap(p.Operator.CustomOptions)
	o := &options{p: p, m: m}
	if err != nil {
		o.err = p.invalid(operand{}, err.Error(), "a FlexBuffer map of options")
	}
	return o
}

// fail notes what is wrong with an option.
func (o *options) fail(found, want string) {
	if o.err == nil {
		o.err = o.p.invalid(operand{}, found, want)
	}
}

// optional is an integer from lo to hi, or other where the option is missing.
func (o *options) optional(name string, lo, hi, other int64) int {
	v, ok, err := o.m.Int(name)
	switch {
	case err != nil:
		o.fail(err.Error(), "an integer")
	case !ok:
		v = other
	case v < lo || v > hi:
		o.fail(fmt.Sprintf("option %s = %d", name, v), fmt.Sprintf("%d to %d", lo, hi))
	}
	if o.err != nil {
		return int(max(lo, 0)) // no matter: the operator is refused
	}
	return int(v)
}

// required is an integer from lo to hi.
func (o *options) required(name string, lo, hi int64) int {
	if _, ok, err := o.m.Int(name); err == nil && !ok {
		o.fail("no option "+name, "an integer")
	}
	return o.optional(name, lo, hi, max(lo, 0))
}

// word is 32 bits, written signed or unsigned.
func (o *options) word(name string) uint32 {
	v, ok, err := o.m.Int(name)
	switch {
	case err != nil:
		o.fail(err.Error(), "an integer")
	case !ok:
		o.fail("no option "+name, "an integer")
	case v < math.MinInt32 || v > math.MaxUint32:
		o.fail(fmt.Sprintf("option %s = %d", name, v), "32 bits")
	}
	return uint32(v)
}

// float is a number; 0 where the option is missing.
func (o *options) float(name string) float32 {
	v, _, err := o.m.Float(name)
	if err != nil {
		o.fail(err.Error(), "a number")
	}
	return float32(v)
}
