package drift

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ErrPromise: a sentence about false alarms that cannot be read.
var ErrPromise = errors.New("not understood")

// PromisedRunLength turns "at most 1 false alarm in 30 days" (falseAlarms "1/30d", on all of
// the devices together) with a rate of samples per device ("10/s") into the number of
// samples of a device between its false alarms, that of [Options.ARL]. Units are s, m (minutes), h, d and w.
func PromisedRunLength(falseAlarms, rate string, devices int) (float64, error) {
	alarms, time, err := per(falseAlarms)
	if err != nil {
		return 0, fmt.Errorf("false alarms %q: %w, want for example 1/30d", falseAlarms, err)
	}
	samples, second, err := per(rate)
	if err != nil {
		return 0, fmt.Errorf("rate %q: %w, want for example 10/s", rate, err)
	}
	if devices < 1 {
		return 0, fmt.Errorf("devices %d: %w, want at least 1", devices, ErrPromise)
	}
	arl := samples * time * float64(devices) / (alarms * second)
	if !(arl > 0 && arl <= maxPromised) {
		return 0, fmt.Errorf("%s at %s: %w: one false alarm in %g samples", falseAlarms, rate, ErrPromise, arl)
	}
	return arl, nil
}

// maxPromised is more than any fleet sees.
const maxPromised = 1e18

// per reads a count per time, "6/h" or "1/30d".
func per(s string) (count, seconds float64, err error) {
	number, time, ok := strings.Cut(s, "/")
	count, err = strconv.ParseFloat(strings.TrimSpace(number), 64)
	if time = strings.TrimSpace(time); !ok || err != nil || time == "" {
		return 0, 0, ErrPromise
	}
	unit, ok := map[byte]float64{'s': 1, 'm': 60, 'h': 3600, 'd': 86400, 'w': 7 * 86400}[time[len(time)-1]]
	span := 1.0
	if number = strings.TrimSpace(time[:len(time)-1]); number != "" {
		span, err = strconv.ParseFloat(number, 64)
	}
	if !ok || err != nil || !(count > 0 && count <= maxPromised) || !(span > 0 && span <= maxPromised) {
		return 0, 0, ErrPromise
	}
	return count, span * unit, nil
}
