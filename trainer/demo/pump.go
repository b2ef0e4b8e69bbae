package demo

import (
	"math"
	"math/cmplx"
	"math/rand/v2"
	"strconv"

	"gonum.org/v1/gonum/dsp/fourier"
)

// The simulated pump: a centrifugal pump watched by two accelerometers, a
// motor current clamp and a thermometer. A window of vibration is synthesized
// from what moves (shaft orders, blade passing, a loose foot, cavitation
// bubbles, a worn bearing), and reduced to the features that condition
// monitoring uses. As the bearing wears, every condition sounds different, so
// that a model which learned the new pump goes wrong without any label to say so.
const (
	pumpRate   = 4096 // samples per second
	pumpWindow = 1024 // samples, a quarter of a second
	pumpBlades = 5
	// pumpOuterRace is the ball pass frequency of the outer race in shaft
	// orders, as of a deep groove bearing with 9 balls.
	pumpOuterRace = 3.58
)

// pumpConditions are the classes that the model tells apart.
var pumpConditions = []string{"normal", "imbalance", "misalignment", "looseness", "cavitation", "blocked"}

// pumpStages is the pump's life, one wear (0 new, 1 worn out) and number of windows a stage.
var pumpStages = []struct {
	name  string
	wear  float64
	count int
}{
	{"new, training", 0, 1200},
	{"new, held out", 0, 500},
	{"bearing wear 30 %", .30, 700},
	{"bearing wear 60 %", .60, 700},
	{"bearing wear 90 %", .90, 700},
}

// simulatePump returns the life of one pump as a stream; equal seeds give equal streams.
func simulatePump(seed uint64) *Stream {
	rng := rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15))
	p := &pump{rng: rng, fft: fourier.NewFFT(pumpWindow)}
	s := &Stream{Name: "simulated pump with bearing wear", Simulated: true, Features: pumpFeatureNames(), Transform: "none"}
	for i, st := range pumpStages {
		var rows []Row
		for range st.count {
			c := rng.IntN(len(pumpConditions))
			rows = append(rows, Row{X: p.features(c, st.wear), Label: pumpConditions[c]})
		}
		if i == 0 {
			s.Train = rows
		} else {
			s.Stages = append(s.Stages, Stage{Name: st.name, Rows: rows})
		}
	}
	return s
}

type pump struct {
	rng *rand.Rand
	fft *fourier.FFT
	// buffers of one window
	axis [2][]float64
}

// amplitudes of shaft orders 1/2, 1, 2, 3 and blade passing by condition, in
// m/s², as a maintenance handbook would sketch them.
var pumpOrders = [][5]float64{
	{.02, .30, .12, .06, .25}, // normal
	{.02, .75, .14, .06, .25}, // imbalance: the shaft's own order
	{.03, .36, .42, .20, .25}, // misalignment: twice and three times
	{.26, .44, .26, .20, .27}, // looseness: half orders and many harmonics
	{.02, .30, .12, .06, .33}, // cavitation: bubbles, below
	{.03, .34, .13, .07, .62}, // blocked: blade passing
}

// features synthesizes one window of a condition at a wear and reduces it.
func (p *pump) features(condition int, wear float64) []float32 {
	speed := 24.6 + .5*p.rng.NormFloat64() // Hz; the drive holds it loosely
	load := .6 + .4*p.rng.Float64()
	severity := .25 + p.rng.Float64() // from a beginning to an outspoken one
	p.synthesize(condition, wear, speed, load, severity)
	var x []float32
	for a := range p.axis {
		x = p.reduce(x, p.axis[a], speed)
	}
	temperature := 41 + 14*load + 9*wear + 1.2*p.rng.NormFloat64()
	current := 7.5*load*(1+.06*wear) + .15*p.rng.NormFloat64()
	if pumpConditions[condition] == "blocked" {
		current *= .86 // it moves less water
	}
	return append(x, float32(temperature), float32(current))
}

func (p *pump) synthesize(condition int, wear, speed, load, severity float64) {
	normal := pumpOrders[0]
	orders := [5]float64{.5, 1, 2, 3, pumpBlades}
	var amplitude [5]float64
	for i := range orders {
		amplitude[i] = (normal[i] + severity*(pumpOrders[condition][i]-normal[i])) * (.5 + .5*load)
	}
	// A worn bearing has play: the shaft's orders grow, and the play adds half orders.
	amplitude[0] += .10 * wear
	amplitude[1] *= 1 + .9*wear
	amplitude[2] *= 1 + .7*wear
	phase := p.rng.Float64() * 2 * math.Pi
	noise := .05 + .16*wear
	for a := range p.axis {
		// The axial sensor hears shaft orders less and the housing more; its
		// glued foot loosens with the vibration of the years.
		gain := [2]float64{1, .55 - .18*wear}[a]
		y := make([]float64, pumpWindow)
		for i := range y {
			t := float64(i) / pumpRate
			for k, order := range orders {
				y[i] += gain * amplitude[k] * math.Sin(2*math.Pi*order*speed*t+phase*order+float64(a))
			}
			y[i] += noise * p.rng.NormFloat64()
		}
		p.addImpulses(y, pumpOuterRace*speed, 1.1*wear*load, 1400-250*wear)
		if pumpConditions[condition] == "cavitation" {
			p.addBubbles(y, .9*severity*load*gain)
		}
		p.axis[a] = y
	}
}

// addImpulses adds what a ball does that rolls over a pit: the housing rings at
// its resonance (Hz) each time, the blow's strength and moment varying a little.
func (p *pump) addImpulses(y []float64, rate, strength, resonance float64) {
	if strength == 0 {
		return
	}
	for at := p.rng.Float64() / rate; at < float64(len(y))/pumpRate; at += (1 + .02*p.rng.NormFloat64()) / rate {
		p.ring(y, int(at*pumpRate), strength*(1+.2*p.rng.NormFloat64()), resonance, 900)
	}
}

// addBubbles adds collapsing bubbles: many small blows at random moments.
func (p *pump) addBubbles(y []float64, strength float64) {
	for range 60 + p.rng.IntN(40) {
		p.ring(y, p.rng.IntN(len(y)), strength*p.rng.ExpFloat64()*.5, 900+900*p.rng.Float64(), 1800)
	}
}

// ring adds a decaying oscillation from sample start on; decay is in 1/s.
func (p *pump) ring(y []float64, start int, amplitude, frequency, decay float64) {
	for i := max(start, 0); i < len(y); i++ {
		t := float64(i-start) / pumpRate
		e := math.Exp(-decay * t)
		if e < 1e-3 {
			return
		}
		y[i] += amplitude * e * math.Sin(2*math.Pi*frequency*t)
	}
}

// pumpBands are the edges of the broad bands, in Hz.
var pumpBands = []float64{200, 500, 900, 1300, 2048}

var pumpOrderNames = []string{"order_0_5", "order_1", "order_2", "order_3", "blade", "outer_race"}

func pumpFeatureNames() []string {
	var names []string
	for _, axis := range []string{"radial_", "axial_"} {
		for _, o := range pumpOrderNames {
			names = append(names, axis+o)
		}
		for i := range len(pumpBands) - 1 {
			names = append(names, axis+"band_"+strconv.Itoa(int(pumpBands[i])))
		}
		names = append(names, axis+"rms", axis+"crest", axis+"kurtosis")
	}
	return append(names, "temperature", "current")
}

// reduce appends the features of one axis: levels in dB of shaft orders and of
// broad bands, root mean square, crest factor, kurtosis.
func (p *pump) reduce(x []float32, y []float64, speed float64) []float32 {
	for _, order := range []float64{.5, 1, 2, 3, pumpBlades, pumpOuterRace} {
		x = append(x, decibel(goertzel(y, order*speed/pumpRate)))
	}
	spectrum := p.fft.Coefficients(nil, y)
	for b := range len(pumpBands) - 1 {
		energy := 0.0
		for k, c := range spectrum {
			if f := p.fft.Freq(k) * pumpRate; f >= pumpBands[b] && f < pumpBands[b+1] {
				energy += real(c)*real(c) + imag(c)*imag(c)
			}
		}
		x = append(x, decibel(math.Sqrt(energy)/pumpWindow))
	}
	var square, fourth, peak float64
	for _, v := range y {
		square += v * v
		fourth += v * v * v * v
		peak = max(peak, math.Abs(v))
	}
	mean := square / pumpWindow
	rms := math.Sqrt(mean)
	return append(x, decibel(rms), float32(peak/rms), float32(fourth/pumpWindow/(mean*mean)))
}

// goertzel returns the amplitude of one frequency (cycles per sample).
func goertzel(y []float64, frequency float64) float64 {
	coefficient := 2 * math.Cos(2*math.Pi*frequency)
	var s1, s2 float64
	for _, v := range y {
		s1, s2 = v+coefficient*s1-s2, s1
	}
	return 2 / float64(len(y)) * cmplx.Abs(complex(s1, 0)-cmplx.Rect(s2, -2*math.Pi*frequency))
}

func decibel(amplitude float64) float32 { return float32(20 * math.Log10(amplitude+1e-6)) }
