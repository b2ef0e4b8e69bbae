// Package runtimetest helps tests of the runtime and of what stands on it: it
// writes small .tflite models ([Builder]) and reads conformance cases ([Cases]).
// Nothing but tests, and programs that measure, may import it.
package runtimetest
