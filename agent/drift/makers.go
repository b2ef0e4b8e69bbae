package drift

import "fmt"

// promise is what a detector guarantees about false alarms, for the report.
type promise struct {
	arl  float64 // expected inferences between false alarms; 0 for no promise
	text string
}

// maker makes a detector for a reference of at least MinReference samples.
type maker func(Options, Reference) (Detector, promise, error)

// makers is the table of the detectors that a monitor runs.
var makers = map[string]maker{
	PageHinkley:      makeFrozen,
	PageHinkleyRiver: makeRiver,
	EDetector:        makeESR,
	CUSUM:            makeCusum,
	ADWIN:            makeAdwin,
}

// stayMargin is by how much a threshold's run length has to be longer than promised
// where contexts come and go: the chain draws from all of them at every step, while the
// signal stays for hours in one that is less steady, or whose mean has moved within it.
const stayMargin = 10

func makeFrozen(o Options, ref Reference) (Detector, promise, error) {
	wanted := o.share()
	if o.stays {
		wanted *= stayMargin
	}
	c, err := Calibrate(ref, o.Delta, wanted)
	if err != nil {
		return nil, promise{}, err
	}
	d, err := NewFrozen(c.K, c.H)
	if err != nil {
		return nil, promise{}, err
	}
	arl := min(c.RunLength, o.share())
	text := fmt.Sprintf("expected run length >= %.0f inferences between false alarms, for samples like the reference's, with a margin for its size (n=%d)", arl, ref.N)
	return d, promise{arl: arl, text: text}, nil
}

// leastBlocks is the run length in blocks below which an alarm would rest on two or
// three blocks, which still depend on each other a little.
const leastBlocks = 400

func makeESR(o Options, ref Reference) (Detector, promise, error) {
	block := ref.BlockLength()
	mu0 := ref.ESRMean(o.share() / float64(block))
	if o.promising() > 1 {
		mu0 = ref.guardedMean(o.share() / float64(block))
	}
	d, err := NewESR(ESROptions{Mu0: mu0, ARL: max(o.share(), leastBlocks*float64(block)), Block: block})
	if err != nil {
		return nil, promise{}, err
	}
	text := fmt.Sprintf("expected run length >= %.0f inferences between false alarms, whatever the distribution, while the mean stays at %.4f or above", o.share(), mu0)
	if block > 1 {
		text += fmt.Sprintf(" (means of %d samples)", block)
	}
	return d, promise{arl: o.share(), text: text}, nil
}

func makeRiver(o Options, _ Reference) (Detector, promise, error) {
	d, err := NewRiver(o.River)
	return d, promise{text: noPromise}, err
}

func makeCusum(o Options, _ Reference) (Detector, promise, error) {
	d, err := NewCusum(o.Cusum)
	return d, promise{text: noPromise}, err
}

func makeAdwin(o Options, _ Reference) (Detector, promise, error) {
	d, err := NewAdwin(o.Adwin)
	return d, promise{text: noPromise}, err
}

const noPromise = "none: the threshold is the user's"
