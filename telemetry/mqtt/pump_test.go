package mqtt

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// memory is a Source that checks the claims of its acknowledgements.
type memory struct {
	mu    sync.Mutex
	items []Message
	wake  chan struct{}
	acked []uint64
	onAck func(m Message)
	fail  int // this many calls of Next fail first
}

func newMemory(onAck func(Message)) *memory {
	return &memory{wake: make(chan struct{}, 1), onAck: onAck}
}

func (s *memory) put(messages ...Message) {
	s.mu.Lock()
	s.items = append(s.items, messages...)
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *memory) Next(n int, skip func(uint64) bool) ([]Message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail > 0 {
		s.fail--
		return nil, errors.New("disk")
	}
	var out []Message
	for _, m := range s.items {
		if len(out) < n && !skip(m.ID) {
			out = append(out, m)
		}
	}
	return out, nil
}

func (s *memory) Ack(ids ...uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		i := slices.IndexFunc(s.items, func(m Message) bool { return m.ID == id })
		if s.onAck != nil {
			s.onAck(s.items[i])
		}
		s.items = slices.Delete(s.items, i, i+1)
		s.acked = append(s.acked, id)
	}
	return nil
}

func (s *memory) Wake() <-chan struct{} { return s.wake }

func (s *memory) left() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.items)
}

// runPump runs Pump until the test ends.
func runPump(t *testing.T, s *Session, source Source) {
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Pump(ctx, source); err != nil {
			t.Errorf("Pump: got %v, want nil", err)
		}
	})
	t.Cleanup(func() {
		cancel()
		wg.Wait()
	})
}

func numbered(n int) []Message {
	var m []Message
	for i := range n {
		m = append(m, Message{ID: uint64(i), Topic: fmt.Sprintf("out/%d", i%7), Payload: fmt.Appendf(nil, "m%d", i), QoS: 1})
	}
	return m
}

// Connections are cut before PUBACKs at random: nothing is acknowledged to the
// source that the broker does not have, and everything arrives in the end.
func TestPumpOverFlakyLink(t *testing.T) {
	hook := &recorder{}
	_, address := startBroker(t, hook, nil)
	random := rand.New(rand.NewPCG(1, 2))
	var mu sync.Mutex
	p := startProxy(t, address, func(n int) int {
		mu.Lock()
		defer mu.Unlock()
		if n > 60 {
			return -1
		}
		return random.IntN(120) // CONNACK and PUBACK have 4 bytes each
	})
	const messages = 500
	source := newMemory(func(m Message) {
		if !slices.Contains(hook.received(), string(m.Payload)) {
			t.Errorf("%s was acknowledged, but the broker does not have it", m.Payload)
		}
	})
	s, _ := start(t, Options{BrokerURL: p.url()})
	runPump(t, s, source)
	for i, m := range numbered(messages) {
		if i%50 == 0 {
			time.Sleep(5 * time.Millisecond)
		}
		source.put(m)
	}
	eventually(t, "an empty source", func() bool { return source.left() == 0 })
	got := hook.received()
	for _, m := range numbered(messages) {
		if !slices.Contains(got, string(m.Payload)) {
			t.Errorf("%s never arrived", m.Payload)
		}
	}
	if len(source.acked) != messages {
		t.Errorf("got %d acknowledgements, want %d", len(source.acked), messages)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	t.Logf("%d messages, %d deliveries, %d connections", messages, len(got), p.count)
}

// On a sound connection messages arrive once and in order, not before OnUp is done,
// and later ones as soon as they are put.
func TestPumpOrder(t *testing.T) {
	hook := &recorder{}
	_, address := startBroker(t, hook, nil)
	source := newMemory(nil)
	source.fail = 1
	source.put(numbered(300)...)
	s, _ := start(t, Options{BrokerURL: "tcp://" + address, OnUp: func(ctx context.Context, c *Conn) {
		time.Sleep(20 * time.Millisecond)
		if err := c.Publish(ctx, "state", []byte("born"), 1, true); err != nil {
			t.Errorf("birth: %v", err)
		}
	}})
	runPump(t, s, source)
	eventually(t, "an empty source", func() bool { return source.left() == 0 })
	source.put(Message{ID: 1000, Topic: "a/#", QoS: 1}, Message{ID: 1001, Topic: "late", Payload: []byte("late"), QoS: 1})
	eventually(t, "the late message", func() bool { return source.left() == 1 })
	want := []string{"born"}
	for _, m := range numbered(300) {
		want = append(want, string(m.Payload))
	}
	if got := hook.received(); !slices.Equal(got, append(want, "late")) {
		t.Errorf("got %d messages %.200q, want %d in order", len(got), got, len(want)+1)
	}
}

// A broker that answers one message by closing the connection still gets the
// others.
func TestPumpPoison(t *testing.T) {
	hook := &poisoned{}
	server, address := startBroker(t, &recorder{}, nil)
	if err := server.AddHook(hook, nil); err != nil {
		t.Fatal(err)
	}
	source := newMemory(nil)
	messages := numbered(40)
	messages[5].Payload = []byte("poison")
	source.put(messages...)
	s, _ := start(t, Options{BrokerURL: "tcp://" + address})
	runPump(t, s, source)
	eventually(t, "all but one", func() bool { return source.left() == 1 })
	hook.cured.Store(true)
	eventually(t, "the last one", func() bool { return source.left() == 0 })
}

// poisoned drops the connection of who publishes "poison".
type poisoned struct {
	mochi.HookBase
	cured atomic.Bool
}

func (p *poisoned) ID() string           { return "poisoned" }
func (p *poisoned) Provides(b byte) bool { return b == mochi.OnPublish }
func (p *poisoned) OnPublish(c *mochi.Client, pk packets.Packet) (packets.Packet, error) {
	if string(pk.Payload) == "poison" && !p.cured.Load() {
		c.Stop(errors.New("poison"))
		return pk, packets.ErrRejectPacket
	}
	return pk, nil
}

// No more than Window messages are in flight.
func TestWindow(t *testing.T) {
	_, address := startBroker(t, &recorder{}, nil)
	p := startProxy(t, address, func(n int) int {
		if n == 1 {
			return 4 // CONNACK, then the proxy cuts at the first PUBACK
		}
		return -1
	})
	var most atomic.Int64
	source := newMemory(nil)
	source.put(numbered(200)...)
	watch := &watched{memory: source, most: &most}
	s, _ := start(t, Options{BrokerURL: p.url()})
	runPump(t, s, watch)
	eventually(t, "an empty source", func() bool { return source.left() == 0 })
	if m := most.Load(); m > Window {
		t.Errorf("got %d messages asked for at once, want at most %d", m, Window)
	}
}

// watched notes the largest number of messages that were out at the same time.
type watched struct {
	*memory
	most *atomic.Int64
}

func (w *watched) Next(n int, skip func(uint64) bool) ([]Message, error) {
	w.mu.Lock()
	out := int64(0)
	for _, m := range w.items {
		if skip(m.ID) {
			out++
		}
	}
	w.mu.Unlock()
	messages, err := w.memory.Next(n, skip)
	if total := out + int64(len(messages)); total > w.most.Load() {
		w.most.Store(total)
	}
	return messages, err
}

// The pump ends with its context also while the connection goes on.
func TestPumpEndsFirst(t *testing.T) {
	_, address := startBroker(t, &recorder{}, nil)
	s, _ := start(t, Options{BrokerURL: "tcp://" + address})
	source := newMemory(nil)
	source.put(numbered(3)...)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Pump(ctx, source) }()
	eventually(t, "an empty source", func() bool { return source.left() == 0 })
	cancel()
	select {
	case err := <-done:
		if err != nil || !s.Connected() {
			t.Errorf("got %v, connected %t, want nil and a connection", err, s.Connected())
		}
	case <-time.After(20 * time.Second):
		t.Fatal("Pump does not return")
	}
}
