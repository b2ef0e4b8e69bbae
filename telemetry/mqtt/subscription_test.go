package mqtt

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// inbox notes what a subscription's handler got.
type inbox struct {
	mu  sync.Mutex
	got []string
}

func (i *inbox) subscription(filter string) Subscription {
	return Subscription{Filter: filter, QoS: 1, Handler: func(topic string, payload []byte, retained bool) {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.got = append(i.got, fmt.Sprintf("%s %s %t", topic, payload, retained))
	}}
}

// has returns a condition: this and nothing else has come, in any order, as brokers
// may send retained messages after newer ones. want is sorted.
func (i *inbox) has(want ...string) func() bool {
	return func() bool {
		i.mu.Lock()
		defer i.mu.Unlock()
		return slices.Equal(slices.Sorted(slices.Values(i.got)), want)
	}
}

// TestSubscribeLater subscribes while there is no connection, while there is one,
// and over a lost one.
func TestSubscribeLater(t *testing.T) {
	hook := &recorder{}
	server, address := startBroker(t, hook, nil)
	publish := func(topic, payload string, retain bool) {
		t.Helper()
		if err := server.Publish(topic, []byte(payload), retain, 1); err != nil {
			t.Fatal(err)
		}
	}
	p := startProxy(t, address, noLimit)
	s, err := New(quick(Options{BrokerURL: p.url()}))
	if err != nil {
		t.Fatal(err)
	}
	var early, late, again inbox
	// Without a connection there is nothing to wait for.
	if err := s.Subscribe(t.Context(), early.subscription("early")); err != nil {
		t.Errorf("Subscribe without a connection: %v", err)
	}
	run(t, s)
	eventually(t, "a connection", s.Connected)
	publish("early", "1", false)
	eventually(t, "the message for early", early.has("early 1 false"))

	// With one, nil means that the broker has it: nothing published later is missed.
	publish("late/x", "kept", true)
	if err := s.Subscribe(t.Context(), late.subscription("late/+")); err != nil {
		t.Fatalf("Subscribe: %v", err)
	}
	publish("late/y", "new", false)
	eventually(t, "the messages for late", late.has("late/x kept true", "late/y new false"))

	// Subscribing again brings what is retained again, to the new handler alone.
	if err := s.Subscribe(t.Context(), again.subscription("late/+")); err != nil {
		t.Fatalf("Subscribe again: %v", err)
	}
	eventually(t, "the retained message", again.has("late/x kept true"))

	before := connections(p)
	p.cut()
	eventually(t, "a new connection", func() bool { return connections(p) > before && s.Connected() })
	publish("early", "2", false)
	eventually(t, "the messages after the loss", func() bool {
		return early.has("early 1 false", "early 2 false")() && again.has("late/x kept true", "late/x kept true")()
	})
	if !late.has("late/x kept true", "late/y new false")() {
		t.Errorf("the handler that was replaced got %q", late.got)
	}

	s.Unsubscribe("late/+")
	s.Unsubscribe("never")
	eventually(t, "the broker to forget it", func() bool { return len(server.Topics.Subscribers("late/x").Subscriptions) == 0 })
	p.cut()
	eventually(t, "a third connection", func() bool { return connections(p) > before+1 && s.Connected() })
	publish("late/z", "unwanted", false)
	publish("early", "3", false)
	eventually(t, "the last message", early.has("early 1 false", "early 2 false", "early 3 false"))
	if !again.has("late/x kept true", "late/x kept true")() {
		t.Errorf("after Unsubscribe: got %q", again.got)
	}
}

// connections counts those that came through the proxy.
func connections(p *proxy) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count
}

// TestSubscribeRefused: the broker's refusal is reported, and the subscription is
// not made again.
func TestSubscribeRefused(t *testing.T) {
	hook := &recorder{deny: "secret"}
	_, address := startBroker(t, hook, nil)
	p := startProxy(t, address, noLimit)
	var log lockedBuffer
	s, _ := start(t, Options{BrokerURL: p.url(), Log: slog.New(slog.NewTextHandler(&log, nil))})
	eventually(t, "a connection", s.Connected)
	var in inbox
	if err := s.Subscribe(t.Context(), in.subscription("secret")); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v, want ErrRefused and the filter", err)
	}
	p.cut()
	eventually(t, "a connection without it", func() bool { return connections(p) == 2 && s.Connected() })

	for _, bad := range []Subscription{in.subscription("a/#/b"), {Filter: "a"}, {Filter: "a", QoS: 3, Handler: in.subscription("").Handler}} {
		if err := s.Subscribe(t.Context(), bad); !errors.Is(err, ErrInvalid) {
			t.Errorf("%+v: got %v, want ErrInvalid", bad, err)
		}
	}

	// One that was added before the connection is optional or ends it, as it says.
	optional := in.subscription("secret")
	optional.Optional = true
	other, err := New(quick(Options{BrokerURL: "tcp://" + address, ClientID: "dev2", Log: slog.New(slog.NewTextHandler(&log, nil))}))
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Subscribe(t.Context(), optional); err != nil {
		t.Fatal(err)
	}
	run(t, other)
	eventually(t, "a connection without the optional one", other.Connected)
	eventually(t, "a line in the log", func() bool { return strings.Contains(log.String(), "filter=secret") })
}

// TestSubscribeInHandler: handlers may change what is subscribed to, also while
// the connection is still being made.
func TestSubscribeInHandler(t *testing.T) {
	server, address := startBroker(t, &recorder{}, nil)
	if err := server.Publish("trigger", []byte("x"), true, 1); err != nil {
		t.Fatal(err)
	}
	var in inbox
	var s *Session
	s, err := New(quick(Options{BrokerURL: "tcp://" + address, Subscriptions: []Subscription{
		in.subscription("gone"),
		{Filter: "trigger", QoS: 1, Handler: func(string, []byte, bool) {
			s.Unsubscribe("gone")
			if err := s.Subscribe(t.Context(), in.subscription("late")); err != nil {
				t.Errorf("Subscribe in a handler: %v", err)
			}
		}},
	}}))
	if err != nil {
		t.Fatal(err)
	}
	run(t, s)
	eventually(t, "one subscription for another", func() bool {
		return len(server.Topics.Subscribers("late").Subscriptions) == 1 && len(server.Topics.Subscribers("gone").Subscriptions) == 0
	})
}

// TestCatchUp changes subscriptions at the very moment between the last SUBACK and
// the connection's becoming the present one.
func TestCatchUp(t *testing.T) {
	server, address := startBroker(t, &recorder{}, nil)
	var in inbox
	up := make(chan error, 1)
	s, err := New(quick(Options{BrokerURL: "tcp://" + address, Subscriptions: []Subscription{in.subscription("gone"), in.subscription("kept")},
		OnUp: func(ctx context.Context, c *Conn) {
			up <- c.Publish(ctx, "late/9", []byte("hello"), 1, false)
		}}))
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.connect(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	s.Unsubscribe("gone")
	const many = 10 // more than a SUBSCRIBE takes
	for i := range many {
		if err := s.Subscribe(t.Context(), in.subscription(fmt.Sprintf("late/%d", i))); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = s.live(ctx, c) })
	if err := <-up; err != nil {
		t.Error(err)
	}
	eventually(t, "what OnUp published", in.has("late/9 hello false"))
	for filter, want := range map[string]int{"gone": 0, "kept": 1, "late/0": 1} {
		if got := len(server.Topics.Subscribers(filter).Subscriptions); got != want {
			t.Errorf("%s: got %d subscriptions, want %d", filter, got, want)
		}
	}
	cancel()
	wg.Wait()
	checkLeaks(t)
}

// TestSubscribeUnanswered: a broker that does not answer keeps the caller no longer
// than its context, or AckTimeout, which ends the connection.
func TestSubscribeUnanswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var peers []net.Conn
		var down error
		ctx, cancel := context.WithCancel(t.Context())
		s, err := New(Options{
			BrokerURL: "tcp://b", ClientID: "dev1", KeepAlive: time.Hour, AckTimeout: time.Minute,
			Dial: func(context.Context, string, string) (net.Conn, error) {
				a, b := net.Pipe()
				peers = append(peers, b)
				go acceptAndIgnore(b, true)
				return a, nil
			},
			OnStatus: func(status Status) {
				if !status.Up {
					down = status.Cause
					cancel()
				}
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		wg.Go(func() { _ = s.Run(ctx) })
		synctest.Wait()
		if !s.Connected() {
			t.Fatal("not connected")
		}
		var in inbox
		brief, end := context.WithTimeout(ctx, time.Second)
		defer end()
		if err := s.Subscribe(brief, in.subscription("a")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the context's error", err)
		}
		if err := s.Subscribe(t.Context(), in.subscription("b")); !errors.Is(err, ErrAckTimeout) {
			t.Errorf("got %v, want ErrAckTimeout", err)
		}
		wg.Wait()
		if !errors.Is(down, ErrAckTimeout) {
			t.Errorf("cause: got %v, want ErrAckTimeout", down)
		}
		if got := len(s.subscriptions()); got != 2 {
			t.Errorf("got %d subscriptions for the next connection, want 2", got)
		}
		for _, p := range peers {
			p.Close()
		}
	})
}
