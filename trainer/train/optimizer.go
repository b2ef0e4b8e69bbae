package train

import "math"

// Optimizer names the rule that turns gradients into steps.
type Optimizer string

const (
	// Adam is Adam (Kingma & Ba 2015) with decoupled weight decay (AdamW,
	// Loshchilov & Hutter 2019), β1 0.9, β2 0.999, ε 1e-8. The default.
	Adam Optimizer = "adam"
	// SGD is stochastic gradient descent with momentum 0.9 and decoupled
	// weight decay.
	SGD Optimizer = "sgd"
)

const (
	beta1    = 0.9
	beta2    = 0.999
	epsilon  = 1e-8
	momentum = 0.9
)

// stepper holds the optimizer's memory for one parameter slice.
type stepper struct {
	kind Optimizer
	m, v []float32
}

func newStepper(kind Optimizer, n int) *stepper {
	s := &stepper{kind: kind, m: make([]float32, n)}
	if kind == Adam {
		s.v = make([]float32, n)
	}
	return s
}

// step moves w against gradient g. t counts from 1 and removes Adam's bias
// towards its zero start.
func (s *stepper) step(w, g []float32, rate, decay float64, t int) {
	shrink := float32(1 - rate*decay)
	if s.kind == SGD {
		r := float32(rate)
		for i, d := range g {
			s.m[i] = momentum*s.m[i] + d
			w[i] = w[i]*shrink - r*s.m[i]
		}
		return
	}
	// The two corrections are folded into rate and ε so that the loop stays
	// in float32.
	c2 := math.Sqrt(1 - math.Pow(beta2, float64(t)))
	r := float32(rate * c2 / (1 - math.Pow(beta1, float64(t))))
	eps := float32(epsilon * c2)
	for i, d := range g {
		m := beta1*s.m[i] + (1-beta1)*d
		v := beta2*s.v[i] + (1-beta2)*d*d
		s.m[i], s.v[i] = m, v
		w[i] = w[i]*shrink - r*m/(sqrt32(v)+eps)
	}
}

func sqrt32(x float32) float32 { return float32(math.Sqrt(float64(x))) }
