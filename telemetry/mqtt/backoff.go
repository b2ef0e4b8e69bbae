package mqtt

import "time"

// backoff spreads the attempts of many clients ("full jitter": M. Brooker,
// Exponential Backoff And Jitter, 2015), over [min, min·2ⁿ] after n failures.
type backoff struct {
	min, max time.Duration
	rand     func() float64
	failures int
}

// next returns the wait before the next attempt.
func (b *backoff) next() time.Duration {
	b.failures++
	ceiling := b.max
	// Beyond 2³⁰ the product could overflow, and max has long been reached.
	if shifted := b.min << min(b.failures, 30); shifted>>min(b.failures, 30) == b.min {
		ceiling = min(ceiling, shifted)
	}
	return b.min + time.Duration(b.rand()*float64(ceiling-b.min))
}

// reset starts the count again.
func (b *backoff) reset() { b.failures = 0 }
