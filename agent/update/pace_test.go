package update

import (
	"testing"
	"time"
)

func TestPace(t *testing.T) {
	start := time.Unix(1000, 0)
	p := newPace(10 * time.Second)
	if got := p.asked(start, 0); got != 10*time.Second {
		t.Errorf("first request: got %v, want the base of 10s", got)
	}
	if got := p.asked(start, 0.5); got != 22500*time.Millisecond {
		t.Errorf("second request: got %v, want twice the base and half of a quarter of it", got)
	}
	for range 20 {
		p.asked(start, 0)
	}
	if p.wait != maxWait {
		t.Errorf("after long silence: got %v, want %v", p.wait, maxWait)
	}
	if !p.reset() || p.wait != p.base || p.reset() {
		t.Errorf("reset: got wait %v, want %v and true once", p.wait, p.base)
	}

	// A slow line: chunks 5 s apart are waited for 40 s.
	p.asked(start, 0)
	for i := range 30 {
		p.arrived(start.Add(time.Duration(i+1) * 5 * time.Second))
	}
	if p.wait != 40*time.Second {
		t.Errorf("slow line: got %v, want 40s", p.wait)
	}
	if p.tooShort(); p.wait != 80*time.Second {
		t.Errorf("after a duplicate: got %v, want 80s", p.wait)
	}
	// A fast one is never waited for less than the minimum.
	p = newPace(10 * time.Second)
	p.asked(start, 0)
	if got := p.arrived(start.Add(time.Millisecond)); got != minWait {
		t.Errorf("fast line: got %v, want %v", got, minWait)
	}
}

func TestSpreadDelay(t *testing.T) {
	if got := spreadDelay("d", "r", 0); got != 0 {
		t.Errorf("no spread: got %v, want 0", got)
	}
	const spread = 10 * time.Minute
	var sum time.Duration
	const devices = 1000
	for i := range devices {
		device := string(rune('a'+i%26)) + string(rune('0'+i/26))
		got := spreadDelay(device, "release", spread)
		if got != spreadDelay(device, "release", spread) {
			t.Fatalf("device %s: two answers", device)
		}
		if got < 0 || got >= spread {
			t.Fatalf("device %s: got %v, want 0 to %v", device, got, spread)
		}
		sum += got
	}
	if mean := sum / devices; mean < spread*4/10 || mean > spread*6/10 {
		t.Errorf("mean of %d devices: got %v, want about %v", devices, mean, spread/2)
	}
}
