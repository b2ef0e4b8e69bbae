// Package dsp is the signal processing that audio front ends are made of, in
// integers: the real Fourier transform, square root and logarithm. Begin with
// [NewRFFT], whose tables are computed once; [RFFT.Forward] then transforms one
// frame.
//
// The definitions are those of TensorFlow Lite Micro's signal library and of the
// kissfft (version 1.3.0, fixed point) that it uses, bit for bit; every
// architecture gives the same bytes. No call but NewRFFT allocates. An RFFT is
// immutable, so that it may be used concurrently; all else is pure.
package dsp
