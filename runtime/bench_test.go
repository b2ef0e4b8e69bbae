package runtime_test

import (
	"testing"

	"kedge/runtime"
	"kedge/runtime/runtimetest"
)

// BenchmarkInvoke times the real models of the conformance set.
func BenchmarkInvoke(b *testing.B) {
	for _, c := range runtimetest.Cases(b, ".") {
		b.Run(c.Name, func(b *testing.B) {
			m, err := runtime.Load(c.File(b, "model.tflite"), runtime.Options{})
			if err != nil {
				b.Fatal(err)
			}
			s := session(b, m, runtime.SessionOptions{})
			b.ReportAllocs()
			for b.Loop() {
				s.Invoke()
			}
			b.ReportMetric(float64(m.MACs())*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GMAC/s")
		})
	}
}
