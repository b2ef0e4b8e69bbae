package mqtt

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestBackoff(t *testing.T) {
	for _, tt := range []struct {
		rand float64
		want []time.Duration
	}{
		{0, []time.Duration{1 * time.Second, 1 * time.Second, 1 * time.Second, 1 * time.Second}},
		{0.5, []time.Duration{1500 * time.Millisecond, 2500 * time.Millisecond, 4500 * time.Millisecond, 5500 * time.Millisecond}},
		{1, []time.Duration{2 * time.Second, 4 * time.Second, 8 * time.Second, 10 * time.Second}},
	} {
		b := &backoff{min: time.Second, max: 10 * time.Second, rand: func() float64 { return tt.rand }}
		var got []time.Duration
		for range tt.want {
			got = append(got, b.next())
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("rand %v: got %v, want %v", tt.rand, got, tt.want)
		}
		for range 100 {
			if d := b.next(); d < time.Second || d > 10*time.Second {
				t.Fatalf("rand %v: got %v after many failures, want 1s to 10s", tt.rand, d)
			}
		}
		b.reset()
		if d := b.next(); d != tt.want[0] {
			t.Errorf("rand %v after reset: got %v, want %v", tt.rand, d, tt.want[0])
		}
	}
}

// An unreachable broker is tried again at growing intervals and logged once.
func TestUnreachableBroker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		var attempts []time.Duration
		start := time.Now()
		s, err := New(Options{
			BrokerURL: "tcp://broker.example:1884",
			ClientID:  "dev1",
			Log:       slog.New(slog.NewTextHandler(&log, nil)),
			Rand:      func() float64 { return 0.5 },
			Dial: func(_ context.Context, network, address string) (net.Conn, error) {
				if network != "tcp" || address != "broker.example:1884" {
					t.Errorf("dial %s %s, want tcp broker.example:1884", network, address)
				}
				attempts = append(attempts, time.Since(start))
				return nil, &net.OpError{Op: "dial", Err: errors.New("refused")}
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := s.Run(ctx); err != nil {
			t.Fatal(err)
		}
		want := []time.Duration{0, 1500 * time.Millisecond, 4 * time.Second, 8500 * time.Millisecond, 17 * time.Second}
		if len(attempts) < 20 || !slices.Equal(attempts[:5], want) {
			t.Errorf("attempts at %v, want first at %v and at least 20 in an hour", attempts, want)
		}
		if n := strings.Count(log.String(), "\n"); n != 1 {
			t.Errorf("got %d log lines, want 1:\n%s", n, &log)
		}
		for _, part := range []string{"tcp://broker.example:1884", "cause=", "do=", "firewall"} {
			if !strings.Contains(log.String(), part) {
				t.Errorf("log %q does not contain %q", &log, part)
			}
		}
	})
}

// A broker that accepts the connection and then says nothing is given up after
// ConnectTimeout, and at once when the context ends.
func TestSilentBroker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dials := 0
		var peers []net.Conn
		s, err := New(Options{
			BrokerURL: "tcp://b",
			ClientID:  "dev1",
			Rand:      func() float64 { return 0 },
			Dial: func(context.Context, string, string) (net.Conn, error) {
				dials++
				a, b := net.Pipe()
				peers = append(peers, b)
				go func() { _, _ = b.Read(make([]byte, 1000)) }()
				return a, nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
		defer cancel()
		start := time.Now()
		if err := s.Run(ctx); err != nil {
			t.Fatal(err)
		}
		// At 0, 16 and 32 seconds; the third is under way when the context ends.
		if took := time.Since(start); dials != 3 || took != 40*time.Second {
			t.Errorf("got %d attempts and return after %v, want 3 and 40s", dials, took)
		}
		if err := s.Publish(t.Context(), "a", nil, 1, false); !errors.Is(err, ErrNotConnected) {
			t.Errorf("Publish: got %v, want ErrNotConnected", err)
		}
		for _, p := range peers {
			p.Close()
		}
	})
}

// A broker that does not answer SUBSCRIBE does not keep the session from ending.
func TestSilentAfterConnack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var peers []net.Conn
		s, err := New(Options{
			BrokerURL:     "tcp://b",
			ClientID:      "dev1",
			Rand:          func() float64 { return 0 },
			Subscriptions: []Subscription{{Filter: "a", Handler: func(string, []byte, bool) {}}},
			Dial: func(context.Context, string, string) (net.Conn, error) {
				a, b := net.Pipe()
				peers = append(peers, b)
				go acceptAndIgnore(b, true)
				return a, nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		start := time.Now()
		if err := s.Run(ctx); err != nil {
			t.Fatal(err)
		}
		// Given up at 15 seconds, tried again at 16, ended while waiting.
		if took := time.Since(start); len(peers) != 2 || took != 20*time.Second {
			t.Errorf("got %d attempts and return after %v, want 2 and 20s", len(peers), took)
		}
		for _, p := range peers {
			p.Close()
		}
	})
}

// A peer that accepted the connection and then answers nothing, or does not even
// read, is found out by the ping that it does not answer or take.
func TestDeadPeer(t *testing.T) {
	for _, tt := range []struct {
		name  string
		reads bool
		want  time.Duration
	}{
		{"reads", true, 25 * time.Second},  // keep alive, paho's check, write timeout
		{"stuck", false, 20 * time.Second}, // keep alive, write timeout
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var peer net.Conn
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				start := time.Now()
				var lived time.Duration
				s, err := New(Options{
					BrokerURL: "tcp://b",
					ClientID:  "dev1",
					KeepAlive: 10 * time.Second,
					Dial: func(context.Context, string, string) (net.Conn, error) {
						a, b := net.Pipe()
						peer = b
						go acceptAndIgnore(b, tt.reads)
						return a, nil
					},
					OnStatus: func(status Status) {
						if !status.Up {
							lived = time.Since(start)
							cancel()
						}
					},
				})
				if err != nil {
					t.Fatal(err)
				}
				if err := s.Run(ctx); err != nil {
					t.Fatal(err)
				}
				if lived < tt.want || lived > tt.want+pingCheck {
					t.Errorf("connection lived %v, want %v to %v", lived, tt.want, tt.want+pingCheck)
				}
				peer.Close()
			})
		})
	}
}

// acceptAndIgnore answers CONNECT and nothing else.
func acceptAndIgnore(c net.Conn, reads bool) {
	b := make([]byte, 1000)
	if _, err := c.Read(b); err != nil {
		return
	}
	if _, err := c.Write([]byte{0x20, 2, 0, 0}); err != nil {
		return
	}
	for reads {
		if _, err := c.Read(b); err != nil {
			return
		}
	}
}
