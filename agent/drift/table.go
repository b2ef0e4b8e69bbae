package drift

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Kind is a row of the table of detectors.
type Kind struct {
	Name    string
	Aliases []string // names under which others know it
	Device  bool     // may run in a [Monitor]; the others are for comparison
	Formula string   // what it computes, in words and signs
	Source  string   // where that was published
	Params  []Param
	Stats   []string // names of Account.State, in its order

	make func(v map[string]float64) (Detector, error)
}

// Param is a parameter that a user may set by name.
type Param struct {
	Name    string
	Aliases []string
	Default string   // empty where there is none
	Words   []string // what may be written; empty for a number
	Whole   bool     // a whole number
	Range   string   // for people; the constructor checks it
	Text    string   // for people
}

// The formulas, as [Kind] and [Detector.Explain] give them.
const (
	frozenFormula = "S = max(0, S + k - q), q = floor(256 x), k = 256 (mu0 - delta), alarm when S >= h = 256 lambda; whole numbers, falling signal"
	riverFormula  = "m += (x - m)/n; S+ = alpha S+ + x - m - delta, S- = alpha S- + x - m + delta; alarm when S+ - min S+ > lambda (up) or max S- - S- > lambda (down)"
	esrFormula    = "M_j = (M_j + 1)(1 + kappa_j (mu0 - x)), ten kappa_j in [0.01, 0.95]/(1 - mu0); alarm when mean(M) >= ARL; x may be the mean of a block; falling signal"
	cusumFormula  = "mu, sigma of the first samples; S+ = max(0, S+ + x - mu - k sigma), S- = max(0, S- - (x - mu) - k sigma); alarm when S+ > h sigma (up) or S- > h sigma (down)"
	adwinFormula  = "window of w samples; d = ln(2 ln(w)/delta), m = 1/(n0-min+1) + 1/(n1-min+1), eps = sqrt(2 m variance d) + 2/3 d m; alarm when abs(mean0 - mean1) > eps for a cut; the oldest samples go"
	moaFormula    = "m += (x - m)/n; S = alpha S + x - m - delta; alarm when S - min S > lambda; rising signal"
	ddmFormula    = "p = share of errors, s = sqrt(p(1-p)/n), p_min and s_min where p + s was least; alarm when p + s > p_min + 3 s_min, warning at 2; rising signal"
)

// Parameters that several detectors share.
var (
	modeParam    = Param{Name: "mode", Default: "both", Words: []string{"both", "up", "down"}, Text: "side on which a change counts"}
	deltaParam   = Param{Name: "delta", Default: "0.005", Range: "at least 0", Text: "deviation that is tolerated per sample"}
	lambdaParam  = Param{Name: "lambda", Aliases: []string{"threshold"}, Default: "50", Range: "at least 0", Text: "threshold of an alarm"}
	alphaParam   = Param{Name: "alpha", Default: "0.9999", Range: "(0, 1]", Text: "forgetting factor of the sums"}
	minInstances = Param{Name: "min_instances", Default: "30", Whole: true, Range: "at least 0", Text: "samples before the first alarm"}
	frozenMu0    = Param{Name: "mu0", Range: "[0, 1]", Text: "mean of the reference"}
)

// kinds is the table. The Page-Hinkley and e-SR of a [Monitor] take mu0 and lambda
// from its reference; given here, they make the detector by itself.
var kinds = []Kind{
	{
		Name: PageHinkley, Device: true, Formula: frozenFormula, Stats: []string{"s"},
		Source: "Page (1954); Gama et al., A survey on concept drift adaptation (2014), with a fixed mean",
		Params: []Param{
			frozenMu0,
			{Name: "delta", Default: "0.02", Range: "[0, 1]", Text: "loss of the mean that is tolerated"},
			{Name: "lambda", Aliases: []string{"threshold"}, Range: "more than 0", Text: "threshold of an alarm"},
		},
		make: func(v map[string]float64) (Detector, error) {
			return newFrozenOf(v["mu0"], v["delta"], v["lambda"])
		},
	},
	{
		Name: EDetector, Device: true, Formula: esrFormula, Stats: []string{"log_e"},
		Source: "Shin, Ramdas, Rinaldo, E-detectors: a nonparametric framework for sequential change detection",
		Params: []Param{
			{Name: "mu0", Range: "below 1", Text: "least mean that counts as undrifted"},
			{Name: "arl", Default: "10000", Range: "more than 1", Text: "expected samples to a false alarm"},
			{Name: "block", Default: "1", Whole: true, Range: "at least 1", Text: "samples averaged to one"},
		},
		make: func(v map[string]float64) (Detector, error) {
			if v["block"] < 1 {
				return nil, fmt.Errorf("drift: %w: %s: block is %v, want at least 1", ErrParameter, EDetector, v["block"])
			}
			return NewESR(ESROptions{Mu0: v["mu0"], ARL: v["arl"], Block: int(v["block"])})
		},
	},
	{
		Name: PageHinkleyRiver, Aliases: []string{"river_ph"}, Device: true, Formula: riverFormula, Stats: []string{"mean", "inc", "dec"},
		Source: "Page (1954); river, drift.PageHinkley with modes",
		Params: []Param{modeParam, deltaParam, lambdaParam, alphaParam, minInstances},
		make: func(v map[string]float64) (Detector, error) {
			return NewRiver(RiverOptions{
				Direction: Direction(v["mode"]), Delta: orTiny(v["delta"]), Lambda: orTiny(v["lambda"]),
				Alpha: orTiny(v["alpha"]), MinInstances: orOne(v["min_instances"]),
			})
		},
	},
	{
		Name: CUSUM, Aliases: []string{"river_cusum"}, Device: true, Formula: cusumFormula, Stats: []string{"inc", "dec"},
		Source: "Page, Continuous inspection schemes (1954); river, drift.CUSUM",
		Params: []Param{
			modeParam,
			{Name: "min_instances", Default: "30", Whole: true, Range: "at least 1", Text: "samples that make the reference"},
			{Name: "slack", Aliases: []string{"k"}, Default: "0.5", Range: "at least 0", Text: "deviation that is tolerated per sample, in standard deviations"},
			{Name: "threshold", Aliases: []string{"h"}, Default: "5", Range: "more than 0", Text: "threshold of an alarm, in standard deviations"},
		},
		make: func(v map[string]float64) (Detector, error) {
			return NewCusum(CusumOptions{
				Direction: Direction(v["mode"]), MinInstances: orNegative(v["min_instances"]),
				Slack: orTiny(v["slack"]), Threshold: orMinus(v["threshold"]),
			})
		},
	},
	{
		Name: ADWIN, Aliases: []string{"river_adwin"}, Device: true, Formula: adwinFormula, Stats: []string{"width", "total", "variance"},
		Source: "Bifet and Gavaldà, Learning from time-changing data with adaptive windowing (2007); river, drift.ADWIN; MOA, ADWIN",
		Params: []Param{
			{Name: "compat", Default: "river", Words: []string{"river", "moa"}, Text: "whose ADWIN is imitated"},
			{Name: "delta", Default: "0.002", Range: "(0, 1]", Text: "confidence: the chance of a false cut"},
			{Name: "clock", Default: "32", Whole: true, Range: "at least 1", Text: "samples from one search for a cut to the next"},
			{Name: "max_buckets", Default: "5", Whole: true, Range: "2 to 64", Text: "buckets of a size before two merge"},
			{Name: "min_window_length", Default: "5", Whole: true, Range: "at least 1", Text: "samples on either side of a cut"},
			{Name: "grace_period", Default: "10", Whole: true, Range: "at least 0", Text: "window beyond which cuts are searched for"},
		},
		make: func(v map[string]float64) (Detector, error) {
			return NewAdwin(AdwinOptions{
				Compat: Compat(v["compat"]), Delta: orMinus(v["delta"]), Clock: orNegative(v["clock"]),
				MaxBuckets: orNegative(v["max_buckets"]), MinWindowLength: orNegative(v["min_window_length"]),
				GracePeriod: orOne(v["grace_period"]),
			})
		},
	},
	{
		Name: PageHinkleyMOA, Aliases: []string{"moa_ph"}, Formula: moaFormula, Stats: []string{"mean", "pht"},
		Source: "MOA, PageHinkleyDM",
		Params: []Param{deltaParam, lambdaParam, alphaParam, minInstances},
		make: func(v map[string]float64) (Detector, error) {
			return NewMOA(MOAOptions{
				Delta: orTiny(v["delta"]), Lambda: orTiny(v["lambda"]), Alpha: orTiny(v["alpha"]), MinInstances: orOne(v["min_instances"]),
			})
		},
	},
	{
		Name: DriftDetectionMethod, Aliases: []string{"river_ddm"}, Formula: ddmFormula, Stats: []string{"p", "s", "warn"},
		Source: "Gama et al., Learning with drift detection (2004); river, drift.binary.DDM",
		Params: []Param{
			{Name: "warm_start", Default: "30", Whole: true, Range: "at least 0", Text: "samples that raise nothing"},
			{Name: "warning_threshold", Default: "2", Range: "more than 0", Text: "level of a warning, in standard deviations"},
			{Name: "drift_threshold", Default: "3", Range: "more than 0", Text: "level of an alarm, in standard deviations"},
		},
		make: func(v map[string]float64) (Detector, error) {
			if v["warm_start"] < 0 {
				return nil, fmt.Errorf("drift: %w: %s: warm start is %v, want at least 0", ErrParameter, DriftDetectionMethod, v["warm_start"])
			}
			return NewDDM(DDMOptions{
				WarmStart: orNegative(v["warm_start"]), Warning: orMinus(v["warning_threshold"]), Drift: orMinus(v["drift_threshold"]),
			})
		},
	},
}

// The options' zero values mean defaults. A zero that a user wrote means zero: where
// it is allowed, the smallest number does the same; where not, a negative one is
// refused as well.
func orTiny(v float64) float64 {
	if v == 0 {
		return math.SmallestNonzeroFloat64
	}
	return v
}

func orMinus(v float64) float64 {
	if v == 0 {
		return -math.SmallestNonzeroFloat64
	}
	return v
}

func orNegative(v float64) int {
	if v == 0 {
		return -1
	}
	return int(v)
}

// orOne is for counts of which 0 and 1 mean the same.
func orOne(v float64) int {
	if v == 0 {
		return 1
	}
	return int(v)
}

// Kinds lists the detectors; the list is the caller's.
func Kinds() []Kind { return slices.Clone(kinds) }

// KindOf finds a detector by its name or an alias. The error lists the names.
func KindOf(name string) (Kind, error) {
	var names []string
	for _, k := range kinds {
		if k.Name == name || slices.Contains(k.Aliases, name) {
			return k, nil
		}
		names = append(append(names, k.Name), k.Aliases...)
	}
	return Kind{}, fmt.Errorf("drift: %w: %q, want one of %s", ErrUnknownDetector, name, strings.Join(names, ", "))
}

// Param finds a parameter by its name or an alias. The error lists the names.
func (k Kind) Param(name string) (Param, error) {
	var names []string
	for _, p := range k.Params {
		if p.Name == name || slices.Contains(p.Aliases, name) {
			return p, nil
		}
		names = append(append(names, p.Name), p.Aliases...)
	}
	return Param{}, fmt.Errorf("drift: %w: %s has no parameter %q, want one of %s", ErrParameter, k.Name, name, strings.Join(names, ", "))
}

// New makes a detector with the parameters given, under their names or aliases, and
// defaults for the others.
func (k Kind) New(params map[string]string) (Detector, error) {
	texts := make(map[string]string)
	for name, text := range params {
		p, err := k.Param(name)
		if err != nil {
			return nil, err
		}
		if _, twice := texts[p.Name]; twice {
			return nil, fmt.Errorf("drift: %w: %s: %s is given twice", ErrParameter, k.Name, p.Name)
		}
		texts[p.Name] = text
	}
	values := make(map[string]float64)
	for _, p := range k.Params {
		text, given := texts[p.Name]
		if !given {
			text = p.Default
		}
		if text == "" {
			return nil, fmt.Errorf("drift: %w: %s: %s is needed", ErrParameter, k.Name, p.Name)
		}
		v, err := p.Parse(text)
		if err != nil {
			return nil, fmt.Errorf("%w of %s", err, k.Name)
		}
		values[p.Name] = v
	}
	return k.make(values)
}

// Parse reads a value; one of Words becomes its place among them. It does not check
// the range.
func (p Param) Parse(text string) (float64, error) {
	if len(p.Words) > 0 {
		if i := slices.Index(p.Words, text); i >= 0 {
			return float64(i), nil
		}
		return 0, fmt.Errorf("drift: %w: got %q, want %s as %s", ErrParameter, text, strings.Join(p.Words, " or "), p.Name)
	}
	v, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil || !finite(v):
		return 0, fmt.Errorf("drift: %w: got %q, want a number as %s", ErrParameter, text, p.Name)
	case p.Whole && (v != math.Trunc(v) || math.Abs(v) > math.MaxInt32):
		return 0, fmt.Errorf("drift: %w: got %q, want a whole number as %s", ErrParameter, text, p.Name)
	}
	return v, nil
}
