package runtimetest

import (
	"kedge/runtime/tensor"
	"kedge/runtime/tflite"
)

// FrontEnd is an audio front end of the signal library's operators, from 16
// samples of int16 to 4 features of int8: window, spectrum, 4 triangular filters,
// noise subtraction, gain control, logarithm, and the scaling of the features.
func FrontEnd() *Builder {
	plain := func(name string, t tensor.Type, shape ...int) Tensor {
		return Tensor{Name: name, Type: t, Shape: shape}
	}
	shorts := func(name string, values ...int) Tensor {
		return Tensor{Name: name, Type: tensor.Int16, Shape: []int{len(values)}, Data: Int16s(values...)}
	}
	gain := make([]int, 125)
	for i := range gain {
		gain[i] = 4000 - 30*i
	}
	signal := func(name string, in, out []int, options ...any) Op {
		o := Op{Code: tflite.Custom, Custom: "Signal" + name, Inputs: in, Outputs: out}
		if len(options) > 0 {
			o.CustomOptions = Flex(options...)
		}
		return o
	}
	return &Builder{
		Tensors: []Tensor{
			0:  plain("samples", tensor.Int16, 1, 16),
			1:  shorts("window", 39, 345, 921, 1700, 2600, 3400, 3900, 4090, 4090, 3900, 3400, 2600, 1700, 921, 345, 39),
			2:  plain("windowed", tensor.Int16, 1, 16),
			3:  Const32("shape", []int{1}, 16),
			4:  plain("frame", tensor.Int16, 16),
			5:  plain("scaled", tensor.Int16, 16),
			6:  plain("shift", tensor.Int32),
			7:  plain("spectrum", tensor.Int16, 18),
			8:  plain("energy", tensor.Uint32, 9),
			9:  shorts("weights", 100, 2000, 4000, 2100, 200, 2200, 3900),
			10: shorts("unweights", 3996, 2096, 96, 1996, 3896, 1896, 196),
			11: shorts("starts", 1, 2, 4, 6, 7),
			12: shorts("weight starts", 0, 1, 3, 5, 6),
			13: shorts("widths", 1, 2, 2, 1, 1),
			14: plain("channels", tensor.Uint64, 4),
			15: plain("roots", tensor.Uint32, 4),
			16: plain("signal", tensor.Uint32, 4),
			17: plain("noise", tensor.Uint32, 4),
			18: shorts("gain", gain...),
			19: plain("controlled", tensor.Uint32, 4),
			20: plain("log", tensor.Int16, 4),
			21: plain("wide", tensor.Int32, 4),
			22: Const32("offset", nil, -128),
			23: plain("centered", tensor.Int32, 4),
			24: plain("features", tensor.Int8, 4),
		},
		Inputs: []int{0}, Outputs: []int{24},
		Ops: []Op{
			signal("Window", []int{0, 1}, []int{2}, "shift", 12),
			{Code: tflite.Reshape, Inputs: []int{2, 3}, Outputs: []int{4}},
			signal("FftAutoScale", []int{4}, []int{5, 6}),
			signal("Rfft", []int{5}, []int{7}, "T", int(tensor.Int16), "fft_length", 16),
			signal("Energy", []int{7}, []int{8}, "start_index", 1, "end_index", 9),
			signal("FilterBank", []int{8, 9, 10, 11, 12, 13}, []int{14}, "num_channels", 4),
			signal("FilterBankSquareRoot", []int{14, 6}, []int{15}),
			signal("FilterBankSpectralSubtraction", []int{15}, []int{16, 17},
				"alternate_one_minus_smoothing", 15401, "alternate_smoothing", 983, "clamping", false, "min_signal_remaining", 819,
				"num_channels", 4, "one_minus_smoothing", 15974, "smoothing", 410, "smoothing_bits", 10, "spectral_subtraction_bits", 14),
			signal("PCAN", []int{16, 17, 18}, []int{19}, "snr_shift", 6),
			signal("FilterBankLog", []int{19}, []int{20}, "input_correction_bits", 3, "output_scale", 600),
			{Code: tflite.Cast, Inputs: []int{20}, Outputs: []int{21}},
			{Code: tflite.Add, Inputs: []int{21, 22}, Outputs: []int{23}, Options: []any{byte(0)}},
			{Code: tflite.Cast, Inputs: []int{23}, Outputs: []int{24}},
		},
	}
}

// Streamer is the signal library's other operators, all with state: 8 samples
// are delayed, cut into 2 overlapping frames, transformed and transformed back,
// and laid over each other; the result is stacked with the one before.
func Streamer() *Builder {
	plain := func(name string, t tensor.Type, shape ...int) Tensor {
		return Tensor{Name: name, Type: t, Shape: shape}
	}
	return &Builder{
		Tensors: []Tensor{
			0: plain("samples", tensor.Int16, 1, 8),
			1: plain("delayed", tensor.Int16, 1, 8),
			2: plain("frames", tensor.Int16, 1, 2, 8),
			3: plain("framed", tensor.Bool),
			4: plain("spectra", tensor.Int16, 1, 2, 10),
			5: plain("back", tensor.Int16, 1, 2, 8),
			6: plain("sum", tensor.Int16, 1, 8),
			7: Const32("shape", []int{1}, 8),
			8: plain("row", tensor.Int16, 8),
			9: plain("stack", tensor.Int16, 16), 10: plain("stacked", tensor.Bool),
		},
		Inputs: []int{0}, Outputs: []int{9, 10, 1, 2, 3, 6},
		Ops: []Op{
			{Code: tflite.Custom, Custom: "SignalDelay", Inputs: []int{0}, Outputs: []int{1}, CustomOptions: Flex("delay_length", 3)},
			{Code: tflite.Custom, Custom: "SignalFramer", Inputs: []int{1}, Outputs: []int{2, 3}, CustomOptions: Flex("frame_size", 8, "frame_step", 4, "prefill", false)},
			{Code: tflite.Custom, Custom: "SignalRfft", Inputs: []int{2}, Outputs: []int{4}, CustomOptions: Flex("fft_length", 8)},
			{Code: tflite.Custom, Custom: "SignalIrfft", Inputs: []int{4}, Outputs: []int{5}, CustomOptions: Flex("fft_length", 8)},
			{Code: tflite.Custom, Custom: "SignalOverlapAdd", Inputs: []int{5}, Outputs: []int{6}, CustomOptions: Flex("frame_step", 4)},
			{Code: tflite.Reshape, Inputs: []int{6, 7}, Outputs: []int{8}},
			{Code: tflite.Custom, Custom: "SignalStacker", Inputs: []int{8}, Outputs: []int{9, 10}, CustomOptions: Flex(
				"num_channels", 8, "stacker_left_context", 1, "stacker_right_context", 0, "stacker_step", 1)},
		},
	}
}

// Detector is TFLite_Detection_PostProcess over 4 boxes and 2 classes behind a
// background, 3 detections at most; regular chooses its way of suppression.
func Detector(regular bool) *Builder {
	real := func(name string, shape ...int) Tensor {
		return Tensor{Name: name, Type: tensor.Float32, Shape: shape}
	}
	anchors := real("anchors", 4, 4)
	anchors.Data = Float32s(0.5, 0.5, 1, 1, 0.5, 0.5, 1, 1, 10, 10, 2, 2, 20, 20, 2, 2)
	return &Builder{
		Tensors: []Tensor{real("boxes", 1, 4, 4), real("scores", 1, 4, 3), anchors, real("corners"), real("classes"), real("best"), real("number")},
		Inputs:  []int{0, 1}, Outputs: []int{3, 4, 5, 6},
		Ops: []Op{{Code: tflite.Custom, Custom: "TFLite_Detection_PostProcess", Inputs: []int{0, 1, 2}, Outputs: []int{3, 4, 5, 6}, CustomOptions: Flex(
			"max_detections", 3, "max_classes_per_detection", 1, "detections_per_class", 2, "use_regular_nms", regular,
			"nms_score_threshold", float32(0.25), "nms_iou_threshold", float32(0.5), "num_classes", 2,
			"y_scale", float32(10), "x_scale", float32(10), "h_scale", float32(5), "w_scale", float32(5))}},
	}
}

// Listener tells two classes, silence and sound, by 3 rows of FrontEnd's features.
func Listener() *Builder {
	weights := make([]int, 24)
	for i := range weights {
		weights[i] = 100 - 200*(1-i/12)
	}
	return &Builder{
		Tensors: []Tensor{
			Int8("rows", 1, -128, 1, 3, 4),
			Const32("shape", []int{2}, 1, 12),
			Int8("flat", 1, -128, 1, 12),
			Weights("w", 0.0001, []int{2, 12}, weights...),
			Const32("b", []int{2}, 10000, -10000),
			Int8("logits", 0.1, 0, 1, 2),
			Int8("p", 1.0/256, -128, 1, 2),
		},
		Inputs: []int{0}, Outputs: []int{6},
		Ops: []Op{
			{Code: tflite.Reshape, Inputs: []int{0, 1}, Outputs: []int{2}},
			{Code: tflite.FullyConnected, Inputs: []int{2, 3, 4}, Outputs: []int{5}, Options: []any{byte(0)}},
			{Code: tflite.Softmax, Inputs: []int{5}, Outputs: []int{6}, Options: []any{float32(1)}},
		},
	}
}

// Sound writes a WAV file of that rate.
func Sound(rate int, samples ...int) []byte {
	var b []byte
	word := func(v int) { b = append(b, Int32s(v)...) }
	b = append(b, "RIFF"...)
	word(36 + 2*len(samples))
	b = append(b, "WAVEfmt "...)
	word(16)
	b = append(b, Int16s(1, 1)...)
	word(rate)
	word(2 * rate)
	b = append(b, Int16s(2, 16)...)
	b = append(b, "data"...)
	word(2 * len(samples))
	return append(b, Int16s(samples...)...)
}
