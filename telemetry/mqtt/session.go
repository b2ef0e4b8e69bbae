package mqtt

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Session keeps one client connected. Make one with New.
type Session struct {
	o       Options
	broker  broker
	dropped atomic.Uint64

	// order makes the broker hear of subscriptions in the order in which subs
	// changed. It comes before mu.
	order sync.Mutex

	mu      sync.Mutex
	subs    []*Subscription // replaced, never changed
	conn    *Conn           // the present connection, nil if there is none
	changed chan struct{}   // closed and replaced when conn or its readiness changes
	running bool
}

// New checks the options. It does not connect.
func New(o Options) (*Session, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	b, err := parseBroker(o.BrokerURL, o.TLS)
	if err != nil {
		return nil, err
	}
	s := &Session{o: o, broker: b, changed: make(chan struct{})}
	for _, sub := range o.Subscriptions {
		s.subs = append(s.subs, &sub)
	}
	return s, nil
}

// Run stays connected until ctx ends, then disconnects and returns nil. That the
// broker is away or refuses is no reason to return: OnStatus is told once and it is tried
// again. Returning may take the goodbye's two seconds and WriteTimeout. Run is called
// once.
func (s *Session) Run(ctx context.Context) error {
	s.mu.Lock()
	if s.running {
		s.mu.Unlock()
		return errors.New("mqtt: session runs already")
	}
	s.running = true
	s.mu.Unlock()
	wait := &backoff{min: s.o.BackoffMin, max: s.o.BackoffMax, rand: s.o.Rand}
	told := false // of the present outage
	for number := uint64(1); ; number++ {
		connected, up, err := s.serve(ctx, number)
		if ctx.Err() != nil {
			return nil
		}
		if up >= s.o.StableAfter {
			wait.reset()
		}
		if connected || !told {
			told = true
			s.o.OnStatus(Status{Broker: s.broker.url, Session: number, Lost: connected, Cause: err, Do: advice(err)})
		}
		select {
		case <-time.After(wait.next()):
		case <-ctx.Done():
			return nil
		}
	}
}

// serve lives through one connection. It returns whether it came about, how long it
// was up, and why it ended.
func (s *Session) serve(ctx context.Context, number uint64) (connected bool, up time.Duration, err error) {
	c, err := s.connect(ctx, number)
	if err != nil {
		return false, 0, err
	}
	s.o.OnStatus(Status{Broker: s.broker.url, Session: number, Up: true})
	up, err = s.live(ctx, c)
	return true, up, err
}

// live is serve from the connection on.
func (s *Session) live(ctx context.Context, c *Conn) (up time.Duration, err error) {
	start := time.Now()
	s.order.Lock()
	s.set(c)
	late := c.catchUp()
	s.order.Unlock()
	c.spawn(func() {
		if err := c.granted(c.ctx, late); err != nil {
			c.fail(err)
			return
		}
		if s.o.OnUp != nil {
			s.o.OnUp(c.ctx, c)
		}
		s.markReady(c)
	})
	select {
	case err = <-c.lost:
	case <-ctx.Done():
		s.stop(c)
	}
	s.set(nil)
	c.end(err)
	if err == nil {
		err = ctx.Err()
	}
	return time.Since(start), fmt.Errorf("mqtt: connection ended: %w", err)
}

// stopTimeout bounds OnStop.
const stopTimeout = 2 * time.Second

// stop lets the owner say goodbye.
func (s *Session) stop(c *Conn) {
	if s.o.OnStop == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	s.o.OnStop(ctx, c)
}

// set makes c the present connection.
func (s *Session) set(c *Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conn = c
	s.notify()
}

// markReady lets Pump use c.
func (s *Session) markReady(c *Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.ready = true
	s.notify()
}

// notify wakes who waits for a change; with mu held.
func (s *Session) notify() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// present returns the connection, nil if there is none.
func (s *Session) present() *Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn
}

// awaitReady waits for a connection whose OnUp has returned; nil if ctx ends.
func (s *Session) awaitReady(ctx context.Context) *Conn {
	for {
		s.mu.Lock()
		c, changed := s.conn, s.changed
		ready := c != nil && c.ready && c.ctx.Err() == nil
		s.mu.Unlock()
		if ready {
			return c
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil
		}
	}
}

// Connected reports whether there is a connection with its subscriptions made.
func (s *Session) Connected() bool { return s.present() != nil }

// Dropped returns the number of messages that came faster than the handlers took
// them and exceeded the queue.
func (s *Session) Dropped() uint64 { return s.dropped.Load() }

// Publish sends a message on the present connection; see Conn.Publish. It returns
// ErrNotConnected at once if there is none.
func (s *Session) Publish(ctx context.Context, topic string, payload []byte, qos byte, retain bool) error {
	c := s.present()
	if c == nil {
		return ErrNotConnected
	}
	return c.Publish(ctx, topic, payload, qos, retain)
}
