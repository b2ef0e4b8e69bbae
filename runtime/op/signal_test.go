package op_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"kedge/runtime"
	rt "kedge/runtime/runtimetest"
	"kedge/runtime/tensor"
	"kedge/runtime/tflite"
)

// bare is a tensor without quantization.
func bare(name string, t tensor.Type, shape ...int) rt.Tensor {
	return rt.Tensor{Name: name, Type: t, Shape: shape}
}

// shorts is a constant of int16.
func shorts(values ...int) rt.Tensor {
	return rt.Tensor{Name: "constant", Type: tensor.Int16, Shape: []int{len(values)}, Data: rt.Int16s(values...)}
}

// customOp is a model of one custom operator. Inputs come first, then outputs.
func customOp(name string, options []byte, in []rt.Tensor, out ...rt.Tensor) *rt.Builder {
	b := one(tflite.Custom, nil, in, out[0])
	b.Tensors = append(b.Tensors, out[1:]...)
	for i := range out[1:] {
		b.Outputs = append(b.Outputs, len(in)+1+i)
	}
	b.Ops[0].Custom, b.Ops[0].CustomOptions, b.Ops[0].Outputs = name, options, b.Outputs
	return b
}

// session loads a model and gives it memory.
func session(t *testing.T, b *rt.Builder) *runtime.Session {
	t.Helper()
	m, err := runtime.Load(b.Bytes(), runtime.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := m.NewSession(runtime.SessionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// invoke feeds one sample and returns all outputs.
func invoke(t *testing.T, s *runtime.Session, in ...[]byte) []byte {
	t.Helper()
	for i, v := range in {
		if copy(s.Input(i), v) != len(s.Input(i)) {
			t.Fatalf("input %d: %d bytes, want %d", i, len(v), len(s.Input(i)))
		}
	}
	if err := s.Invoke(); err != nil {
		t.Fatal(err)
	}
	var out []byte
	for i := range s.Outputs() {
		out = append(out, s.Output(i)...)
	}
	return out
}

func int64sOf(values ...int64) []byte {
	var b []byte
	for _, v := range values {
		b = binary.LittleEndian.AppendUint64(b, uint64(v))
	}
	return b
}

// TestSignalOperators checks those without memory on numbers small enough to
// follow by hand.
func TestSignalOperators(t *testing.T) {
	i16, u32, u64 := tensor.Int16, tensor.Uint32, tensor.Uint64
	gain := make([]int, 125)
	copy(gain, []int{100, 200, 300})
	copy(gain[2:], []int{300, 64, 8})   // 2 and 3
	copy(gain[4*4-6:], []int{1, 32, 0}) // 8 to 15
	for _, c := range []struct {
		name  string
		model *rt.Builder
		in    [][]byte
		want  []byte
	}{
		{"SignalWindow rounds down, clamps, repeats", customOp("SignalWindow", rt.Flex("shift", 2),
			[]rt.Tensor{bare("x", i16, 2, 3), shorts(4, 6, -32768)}, bare("y", i16, 2, 3)),
			[][]byte{rt.Int16s(5, 5, -32768, -5, -5, 32767)}, rt.Int16s(5, 7, 32767, -5, -8, -32768)},
		{"SignalFftAutoScale", customOp("SignalFftAutoScale", nil, []rt.Tensor{bare("x", i16, 3)}, bare("y", i16, 3), bare("bits", tensor.Int32)),
			[][]byte{rt.Int16s(5, -100, 7)}, append(rt.Int16s(1280, -25600, 1792), rt.Int32s(8)...)},
		{"SignalFftAutoScale of silence", customOp("SignalFftAutoScale", nil, []rt.Tensor{bare("x", i16, 2)}, bare("y", i16, 2), bare("bits", tensor.Int32)),
			[][]byte{rt.Int16s(0, 0)}, append(rt.Int16s(0, 0), rt.Int32s(0)...)},
		{"SignalFftAutoScale of the lowest", customOp("SignalFftAutoScale", nil, []rt.Tensor{bare("x", i16, 2)}, bare("y", i16, 2), bare("bits", tensor.Int32)),
			[][]byte{rt.Int16s(1, -32768)}, append(rt.Int16s(1, -32768), rt.Int32s(0)...)},
		{"SignalFftAutoScale behind the lowest", customOp("SignalFftAutoScale", nil, []rt.Tensor{bare("x", i16, 2)}, bare("y", i16, 2), bare("bits", tensor.Int32)),
			[][]byte{rt.Int16s(-32768, 1)}, append(rt.Int16s(0, 16384), rt.Int32s(14)...)},
		{"SignalRfft pads, two rows", customOp("SignalRfft", rt.Flex("T", int(i16), "fft_length", 4), []rt.Tensor{bare("x", i16, 2, 3)}, bare("y", i16, 2, 6)),
			[][]byte{rt.Int16s(4000, 0, 0, 4000, 4000, 4000)}, rt.Int16s(1000, 0, 1000, 0, 1000, 0, 3000, 0, 0, -1000, 1000, 0)},
		{"SignalRfft int32", customOp("SignalRfft", rt.Flex("fft_length", 4), []rt.Tensor{bare("x", tensor.Int32, 4)}, bare("y", tensor.Int32, 6)),
			[][]byte{rt.Int32s(400000000, 0, 0, 0)}, rt.Int32s(100000000, 0, 100000000, 0, 100000000, 0)},
		{"SignalIrfft", customOp("SignalIrfft", rt.Flex("fft_length", 4), []rt.Tensor{bare("x", i16, 6)}, bare("y", i16, 4)),
			[][]byte{rt.Int16s(4000, 0, 4000, 0, 4000, 0)}, rt.Int16s(4000, 0, 0, 0)},
		{"SignalEnergy of a range", customOp("SignalEnergy", rt.Flex("start_index", 1, "end_index", 3), []rt.Tensor{bare("x", i16, 8)}, bare("y", u32, 4)),
			[][]byte{rt.Int16s(9, 9, 3, -4, -32768, -32768, 9, 9)}, rt.Int32s(0, 25, -1<<31, 0)},
		{"SignalFilterBank", customOp("SignalFilterBank", rt.Flex("num_channels", 2), []rt.Tensor{
			bare("x", u32, 4), shorts(1, 2, 3, 4), shorts(10, 20, 30, -40), shorts(0, 1, 3), shorts(0, 1, 3), shorts(1, 2, 1)}, bare("y", u64, 2)),
			[][]byte{rt.Int32s(5, 6, 7, -1)}, int64sOf(5*10+6*2+7*3, 6*20+7*30+4*(1<<32-1))},
		{"SignalFilterBank leaves an empty band out", customOp("SignalFilterBank", rt.Flex("num_channels", 1), []rt.Tensor{
			bare("x", u32, 1), shorts(3), shorts(4), shorts(0, 99), shorts(0, 99), shorts(1, 0)}, bare("y", u64, 1)),
			[][]byte{rt.Int32s(5)}, int64sOf(20)},
		{"SignalFilterBankSquareRoot", customOp("SignalFilterBankSquareRoot", nil, []rt.Tensor{bare("x", u64, 3), bare("bits", tensor.Int32)}, bare("y", u32, 3)),
			[][]byte{int64sOf(99, 100, 1<<40), rt.Int32s(1)}, rt.Int32s(5, 5, 1<<19)},
		{"SignalFilterBankSquareRoot shifts nothing out of nowhere", customOp("SignalFilterBankSquareRoot", nil, []rt.Tensor{bare("x", u64, 1), bare("bits", tensor.Int32)}, bare("y", u32, 1)),
			[][]byte{int64sOf(100), rt.Int32s(-1)}, rt.Int32s(0)},
		{"SignalPCAN", customOp("SignalPCAN", rt.Flex("snr_shift", 0), []rt.Tensor{bare("x", u32, 4), bare("noise", u32, 4), shorts(gain...)}, bare("y", u32, 4)),
			// The gain for 3 is 300 + 64·½ + 8·½², for 12 it is 1 + 32·½.
			[][]byte{rt.Int32s(10, 1000, 1000, 4096), rt.Int32s(0, 2, 3, 12)}, rt.Int32s(1000*1000>>20, 300000>>6-64, 334000>>6-64, 4096*17>>6-64)},
		{"SignalFilterBankLog", customOp("SignalFilterBankLog", rt.Flex("input_correction_bits", 1, "output_scale", 1600), []rt.Tensor{bare("x", u32, 4)}, bare("y", i16, 4)),
			[][]byte{rt.Int32s(0, 1, 500, -1<<31)}, rt.Int16s(0, 1109, 11052, 0)},
		{"SignalFilterBankLog saturates", customOp("SignalFilterBankLog", rt.Flex("input_correction_bits", 0, "output_scale", 2000), []rt.Tensor{bare("x", u32, 1)}, bare("y", i16, 1)),
			[][]byte{rt.Int32s(-1)}, rt.Int16s(32767)},
		{"ADD int32 wraps", one(tflite.Add, []any{relu}, []rt.Tensor{int32s(3), int32s(1)}, int32s(3)),
			[][]byte{rt.Int32s(1<<31-1, -5, 7), rt.Int32s(1)}, rt.Int32s(-1<<31, -4, 8)},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := session(t, c.model)
			if got := invoke(t, s, c.in...); !bytes.Equal(got, c.want) {
				t.Errorf("got % x, want % x", got, c.want)
			}
			if n := testing.AllocsPerRun(5, func() { s.Invoke() }); n != 0 {
				t.Errorf("got %v allocations, want 0", n)
			}
		})
	}
}

// TestSignalMemory runs operators that remember, twice from the start: in a new
// session and after Reset, with another session in between.
func TestSignalMemory(t *testing.T) {
	i16 := tensor.Int16
	subtraction := func(clamping bool) []byte {
		return rt.Flex("num_channels", 2, "smoothing", 1, "one_minus_smoothing", 1, "alternate_smoothing", 2, "alternate_one_minus_smoothing", 0,
			"min_signal_remaining", 1, "clamping", clamping, "smoothing_bits", 1, "spectral_subtraction_bits", 2)
	}
	noise := func(clamping bool) *rt.Builder {
		return customOp("SignalFilterBankSpectralSubtraction", subtraction(clamping), []rt.Tensor{bare("x", tensor.Uint32, 2)},
			bare("y", tensor.Uint32, 2), bare("noise", tensor.Uint32, 2))
	}
	framer := func(size, step int, prefill bool) *rt.Builder {
		return customOp("SignalFramer", rt.Flex("frame_size", size, "frame_step", step, "prefill", prefill),
			[]rt.Tensor{bare("x", i16, 2, 4)}, bare("y", i16, 2, 4/step, size), bare("valid", tensor.Bool))
	}
	stacker := func(left, right, step int) *rt.Builder {
		return customOp("SignalStacker", rt.Flex("num_channels", 1, "stacker_left_context", left, "stacker_right_context", right, "stacker_step", step),
			[]rt.Tensor{bare("x", i16, 1)}, bare("y", i16, left+right+1), bare("valid", tensor.Bool))
	}
	join := func(b []byte, more ...byte) []byte { return append(b, more...) }
	for _, c := range []struct {
		name     string
		model    *rt.Builder
		in, want [][]byte
	}{
		{"SignalDelay by less than a row", customOp("SignalDelay", rt.Flex("delay_length", 1), []rt.Tensor{bare("x", i16, 2, 2)}, bare("y", i16, 2, 2)),
			[][]byte{rt.Int16s(1, 2, 3, 4), rt.Int16s(5, 6, 7, 8)}, [][]byte{rt.Int16s(0, 1, 0, 3), rt.Int16s(2, 5, 4, 7)}},
		{"SignalDelay by more than a row", customOp("SignalDelay", rt.Flex("delay_length", 3), []rt.Tensor{bare("x", i16, 2)}, bare("y", i16, 2)),
			[][]byte{rt.Int16s(1, 2), rt.Int16s(3, 4), rt.Int16s(5, 6)}, [][]byte{rt.Int16s(0, 0), rt.Int16s(0, 1), rt.Int16s(2, 3)}},
		{"SignalDelay by nothing", customOp("SignalDelay", rt.Flex("delay_length", 0), []rt.Tensor{bare("x", i16, 2)}, bare("y", i16, 2)),
			[][]byte{rt.Int16s(1, 2)}, [][]byte{rt.Int16s(1, 2)}},
		{"SignalFramer waits", framer(5, 2, false),
			[][]byte{rt.Int16s(1, 2, 3, 4, 11, 12, 13, 14), rt.Int16s(5, 6, 7, 8, 15, 16, 17, 18)},
			[][]byte{join(rt.Int16s(make([]int, 20)...), 0),
				join(rt.Int16s(1, 2, 3, 4, 5, 3, 4, 5, 6, 7, 11, 12, 13, 14, 15, 13, 14, 15, 16, 17), 1)}},
		{"SignalFramer with silence in front", framer(3, 2, true),
			[][]byte{rt.Int16s(1, 2, 3, 4, 11, 12, 13, 14), rt.Int16s(5, 6, 7, 8, 15, 16, 17, 18)},
			[][]byte{join(rt.Int16s(0, 1, 2, 2, 3, 4, 0, 11, 12, 12, 13, 14), 1), join(rt.Int16s(4, 5, 6, 6, 7, 8, 14, 15, 16, 16, 17, 18), 1)}},
		{"SignalFramer with gaps", framer(1, 2, false),
			[][]byte{rt.Int16s(1, 2, 3, 4, 11, 12, 13, 14)}, [][]byte{join(rt.Int16s(1, 3, 11, 13), 1)}},
		{"SignalOverlapAdd", customOp("SignalOverlapAdd", rt.Flex("T", int(i16), "frame_step", 1), []rt.Tensor{bare("x", i16, 2, 2)}, bare("y", i16, 2)),
			[][]byte{rt.Int16s(1, 30000, 30000, 5), rt.Int16s(1, 1, 1, 1)}, [][]byte{rt.Int16s(1, 32767), rt.Int16s(6, 2)}},
		{"SignalOverlapAdd float32", customOp("SignalOverlapAdd", rt.Flex("frame_step", 2), []rt.Tensor{bare("x", tensor.Float32, 2, 1, 3)}, bare("y", tensor.Float32, 2, 2)),
			[][]byte{rt.Float32s(1, 2, 3, 4, 5, 6), rt.Float32s(1, 1, 1, 1, 1, 1)}, [][]byte{rt.Float32s(1, 2, 4, 5), rt.Float32s(4, 1, 7, 1)}},
		{"SignalStacker repeats the first row", stacker(1, 1, 1),
			[][]byte{rt.Int16s(1), rt.Int16s(2), rt.Int16s(3)},
			[][]byte{join(rt.Int16s(0, 0, 0), 0), join(rt.Int16s(1, 1, 2), 1), join(rt.Int16s(1, 2, 3), 1)}},
		{"SignalStacker steps over rows", stacker(0, 1, 2),
			[][]byte{rt.Int16s(1), rt.Int16s(2), rt.Int16s(3), rt.Int16s(4)},
			[][]byte{join(rt.Int16s(0, 0), 0), join(rt.Int16s(1, 2), 1), join(rt.Int16s(0, 0), 0), join(rt.Int16s(3, 4), 1)}},
		// Even: estimate (2x + n)/4; odd: 2·2x/4 = x. What is left is half of 2x
		// less the estimate, at least a quarter.
		{"SignalFilterBankSpectralSubtraction", noise(false),
			[][]byte{rt.Int32s(100, 100), rt.Int32s(100, 100), rt.Int32s(1, 1)},
			[][]byte{rt.Int32s(75, 50, 50, 100), rt.Int32s(69, 50, 62, 100), rt.Int32s(0, 0, 16, 1)}},
		{"SignalFilterBankSpectralSubtraction, clamped", noise(true),
			[][]byte{rt.Int32s(100, 100), rt.Int32s(100, 100), rt.Int32s(1, 1)},
			[][]byte{rt.Int32s(75, 50, 50, 100), rt.Int32s(69, 50, 62, 100), rt.Int32s(0, 0, 2, 1)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, other := session(t, c.model), session(t, c.model)
			for range 2 {
				for i := range c.in {
					if got := invoke(t, s, c.in[i]); !bytes.Equal(got, c.want[i]) {
						t.Errorf("sample %d: got % x, want % x", i, got, c.want[i])
					}
					invoke(t, other, c.in[0])
				}
				s.Reset()
			}
			if n := testing.AllocsPerRun(5, func() { s.Invoke() }); n != 0 {
				t.Errorf("got %v allocations, want 0", n)
			}
		})
	}
}

func TestSignalRefusals(t *testing.T) {
	i16, u32 := tensor.Int16, tensor.Uint32
	bank := func(in []int, options []byte, edit func(in []rt.Tensor)) *rt.Builder {
		list := []rt.Tensor{bare("x", u32, 4), shorts(1, 2, 3, 4), shorts(1, 2, 3, 4), shorts(in...), shorts(0, 1, 3), shorts(1, 2, 1)}
		if edit != nil {
			edit(list)
		}
		return customOp("SignalFilterBank", options, list, bare("y", tensor.Uint64, 2))
	}
	window := func(options []byte, x rt.Tensor, w rt.Tensor) *rt.Builder {
		return customOp("SignalWindow", options, []rt.Tensor{x, w}, bare("y", i16, x.Shape...))
	}
	rfft := func(options []byte, x, y rt.Tensor) *rt.Builder {
		return customOp("SignalRfft", options, []rt.Tensor{x}, y)
	}
	for _, c := range []struct {
		name  string
		model *rt.Builder
		kind  error
		want  string
	}{
		{"unknown name", customOp("SignalMagic", nil, []rt.Tensor{bare("x", i16, 4)}, bare("y", i16, 4)), runtime.ErrUnsupported, "operator 0 CUSTOM(SignalMagic)"},
		{"no options", window(nil, bare("x", i16, 4), shorts(1, 2)), runtime.ErrInvalid, "operator 0 CUSTOM(SignalWindow): tensor \"x\": found file is malformed: options of 0 bytes"},
		{"option missing", window(rt.Flex("shaft", 1), bare("x", i16, 4), shorts(1, 2)), runtime.ErrInvalid, "found no option shift"},
		{"option null", window(rt.Flex("shift", nil), bare("x", i16, 4), shorts(1, 2)), runtime.ErrInvalid, "found no option shift"},
		{"option a fraction", window(rt.Flex("shift", float32(1.5)), bare("x", i16, 4), shorts(1, 2)), runtime.ErrInvalid, "option shift: 1.5, not an integer"},
		{"shift", window(rt.Flex("shift", 32), bare("x", i16, 4), shorts(1, 2)), runtime.ErrInvalid, "found option shift = 32, want 0 to 31"},
		{"window", window(rt.Flex("shift", 1), bare("x", i16, 4), shorts(1, 2, 3)), runtime.ErrInvalid, `tensor "constant": found 3 values, want a divisor of the input's 4`},
		{"empty window", window(rt.Flex("shift", 1), bare("x", i16, 4), bare("w", i16, 0)), runtime.ErrInvalid, "found 0 values"},
		{"type", window(rt.Flex("shift", 1), bare("x", tensor.Int32, 4), shorts(1)), runtime.ErrUnsupported, "found int32, want int16"},
		{"a prime length", rfft(rt.Flex("fft_length", 14), bare("x", i16, 14), bare("y", i16, 16)), runtime.ErrUnsupported, "a factor other than 2, 3 and 5"},
		{"an odd length", rfft(rt.Flex("fft_length", 15), bare("x", i16, 15), bare("y", i16, 17)), runtime.ErrUnsupported, "not an even number"},
		{"a huge length", rfft(rt.Flex("fft_length", 1<<30), bare("x", i16, 15), bare("y", i16, 17)), runtime.ErrInvalid, "found option fft_length = 1073741824, want 4 to 65536"},
		{"a row too long", rfft(rt.Flex("fft_length", 8), bare("x", i16, 9), bare("y", i16, 10)), runtime.ErrInvalid, "found rows of 9 samples, want at most fft_length, 8"},
		{"spectrum too short", rfft(rt.Flex("fft_length", 8), bare("x", i16, 8), bare("y", i16, 8)), runtime.ErrInvalid, `tensor "y": found shape [8], want 1 rows of 10 values`},
		{"floats", rfft(rt.Flex("fft_length", 8), bare("x", tensor.Float32, 8), bare("y", tensor.Float32, 10)), runtime.ErrUnsupported, "found float32, want int16 or int32"},
		{"another T", rfft(rt.Flex("fft_length", 8, "T", 2), bare("x", i16, 8), bare("y", i16, 10)), runtime.ErrInvalid, "found int16, want the option T, int32"},
		{"a scalar", rfft(rt.Flex("fft_length", 8), bare("x", i16), bare("y", i16)), runtime.ErrInvalid, "want a last dimension above 0"},
		{"band beyond the spectrum", bank([]int{0, 1, 4}, rt.Flex("num_channels", 2), nil), runtime.ErrInvalid, "found band 2 of 1 values from 4 on"},
		{"band in front", bank([]int{0, -1, 3}, rt.Flex("num_channels", 2), nil), runtime.ErrInvalid, "found band 1 of 2 values from -1 on"},
		{"bands missing", bank([]int{0, 1}, rt.Flex("num_channels", 2), nil), runtime.ErrInvalid, "found 2 values, want 3, one more than channels"},
		{"channels", bank([]int{0, 1, 3}, rt.Flex("num_channels", 3), nil), runtime.ErrInvalid, `tensor "y": found 2 values, want 3`},
		{"computed bands", bank([]int{0, 1, 3}, rt.Flex("num_channels", 2), func(in []rt.Tensor) { in[4].Data = nil }), runtime.ErrUnsupported, "found a computed tensor, want a constant"},
		{"energy of a range", customOp("SignalEnergy", rt.Flex("start_index", 1, "end_index", 5), []rt.Tensor{bare("x", i16, 8)}, bare("y", u32, 8)), runtime.ErrInvalid, "found range 1 to 5, want one within 4 values"},
		{"gain's table", customOp("SignalPCAN", rt.Flex("snr_shift", 1), []rt.Tensor{bare("x", u32, 1), bare("n", u32, 1), shorts(1, 2)}, bare("y", u32, 1)), runtime.ErrInvalid, "found 2 values, want at least 125"},
		{"delay beyond memory", customOp("SignalDelay", rt.Flex("delay_length", 1<<30), []rt.Tensor{bare("x", i16, 4)}, bare("y", i16, 4)), runtime.ErrInvalid, "want less than 2 GiB"},
		{"delay beyond the arena", customOp("SignalDelay", rt.Flex("delay_length", 1<<28), []rt.Tensor{bare("x", i16, 4)}, bare("y", i16, 4)), runtime.ErrArena, "limit 67108864"},
		{"frames", customOp("SignalFramer", rt.Flex("frame_size", 3, "frame_step", 3, "prefill", false), []rt.Tensor{bare("x", i16, 4)}, bare("y", i16, 1, 3), bare("v", tensor.Bool)), runtime.ErrInvalid, "want a multiple of frame_step, 3"},
		{"frames' output", customOp("SignalFramer", rt.Flex("frame_size", 3, "frame_step", 2, "prefill", false), []rt.Tensor{bare("x", i16, 4)}, bare("y", i16, 1, 3), bare("v", tensor.Bool)), runtime.ErrInvalid, "found 3 values, want 2 frames of 3"},
		{"frames' silence", customOp("SignalFramer", rt.Flex("frame_size", 1, "frame_step", 2, "prefill", true), []rt.Tensor{bare("x", i16, 4)}, bare("y", i16, 2, 1), bare("v", tensor.Bool)), runtime.ErrInvalid, "found prefill with frame_step 2"},
		{"overlap's step", customOp("SignalOverlapAdd", rt.Flex("frame_step", 3), []rt.Tensor{bare("x", i16, 2, 2)}, bare("y", i16, 6)), runtime.ErrInvalid, "found option frame_step = 3, want at most the frame's 2 samples"},
		{"stack's step", customOp("SignalStacker", rt.Flex("num_channels", 1, "stacker_left_context", 0, "stacker_right_context", 0, "stacker_step", 2), []rt.Tensor{bare("x", i16, 1)}, bare("y", i16, 1), bare("v", tensor.Bool)), runtime.ErrInvalid, "want at most the 1 rows of a stack"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := runtime.Load(c.model.Bytes(), runtime.Options{})
			if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %v and %q", err, c.kind, c.want)
			}
		})
	}
}
