package mqtt

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// maxFilters is the largest number of filters in one SUBSCRIBE (AWS IoT's limit, the
// lowest among the common brokers).
const maxFilters = 8

// Subscription is made anew on each connection.
type Subscription struct {
	// Filter may contain + and #, and begin with $share/<group>/.
	Filter string
	QoS    byte
	// Handler gets each message that matches Filter. It may keep payload. The
	// package comment says how it is called.
	Handler func(topic string, payload []byte, retained bool)
	// Optional says that a connection is of use without it: if the broker refuses
	// the filter when a connection is made, that is logged. Otherwise the refusal
	// ends the connection, and it is tried again.
	Optional bool
}

// check refuses what no broker would take.
func (s *Subscription) check() error {
	if err := validFilter(s.Filter); err != nil {
		return err
	}
	if s.QoS > 2 || s.Handler == nil {
		return fmt.Errorf("%w: subscription %q: QoS %d, handler nil: %t", ErrInvalid, s.Filter, s.QoS, s.Handler == nil)
	}
	return nil
}

// Subscribe adds a subscription, in place of those with the same filter, to those
// that are made on each connection. Without a connection it returns nil at once.
// With one it waits for the broker's answer; retained messages come then, also if
// the filter was subscribed to before.
//
// ErrRefused: the broker refuses the filter, and the subscription is dropped again.
// ErrInvalid: no broker would take it. ErrLost, ErrAckTimeout and ctx's error: there
// is no answer yet; the subscription stays, and the next connection makes it.
func (s *Session) Subscribe(ctx context.Context, sub Subscription) error {
	if err := sub.check(); err != nil {
		return err
	}
	s.order.Lock()
	var a asked
	connected := false
	c := s.add(&sub)
	if c != nil {
		a, connected = c.askFor([]*Subscription{&sub})
	}
	s.order.Unlock()
	if !connected {
		return nil
	}
	if err := c.answered(ctx, a); err != nil {
		return err
	}
	err := a.refusal(&sub)
	if err != nil {
		s.remove(func(other *Subscription) bool { return other == &sub })
	}
	return err
}

// Unsubscribe removes the subscriptions with a filter; that there is none is no
// error. Their handlers are not called again, but for a call that is under way. The
// broker is told if there is a connection, and nothing waits for its answer.
func (s *Session) Unsubscribe(filter string) {
	s.order.Lock()
	defer s.order.Unlock()
	if c, removed := s.remove(func(sub *Subscription) bool { return sub.Filter == filter }); removed && c != nil {
		c.cancelFor(filter)
	}
}

// subscriptions returns the present ones; the slice is never changed.
func (s *Session) subscriptions() []*Subscription {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.subs
}

// add puts a subscription in place of those with its filter. It returns the present
// connection.
func (s *Session) add(sub *Subscription) *Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.subs = append(without(s.subs, func(other *Subscription) bool { return other.Filter == sub.Filter }), sub)
	return s.conn
}

// remove takes subscriptions away, and reports whether there were any. It returns
// the present connection.
func (s *Session) remove(which func(*Subscription) bool) (*Conn, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(s.subs)
	s.subs = without(s.subs, which)
	return s.conn, len(s.subs) < before
}

// without is a copy that lacks some.
func without(subs []*Subscription, which func(*Subscription) bool) []*Subscription {
	return slices.DeleteFunc(slices.Clone(subs), which)
}

// catchUp asks for the subscriptions that were added while the connection was being
// made, and cancels those that were removed. It is called as soon as Subscribe and
// Unsubscribe use the connection themselves, with order held, so that the broker is
// told in the order in which the list changed.
func (c *Conn) catchUp() []asked {
	now := c.s.subscriptions()
	for _, sub := range c.made {
		if !slices.ContainsFunc(now, func(other *Subscription) bool { return other.Filter == sub.Filter }) {
			c.cancelFor(sub.Filter)
		}
	}
	return c.askForAll(without(now, func(sub *Subscription) bool { return slices.Contains(c.made, sub) }))
}

// asked is a SUBSCRIBE on its way.
type asked struct {
	group []*Subscription
	token *paho.SubscribeToken
}

// askForAll asks for subscriptions, maxFilters at a time.
func (c *Conn) askForAll(subs []*Subscription) []asked {
	var all []asked
	for group := range slices.Chunk(subs, maxFilters) {
		if a, ok := c.askFor(group); ok {
			all = append(all, a)
		}
	}
	return all
}

// askFor hands a SUBSCRIBE to paho, unless the connection has ended.
func (c *Conn) askFor(group []*Subscription) (asked, bool) {
	filters := map[string]byte{}
	for _, sub := range group {
		filters[sub.Filter] = max(filters[sub.Filter], sub.QoS)
	}
	a := asked{group: group}
	ok := c.link.handOver(func() {
		a.token = c.client.SubscribeMultiple(filters, nil).(*paho.SubscribeToken) // nil: the default handler
	})
	return a, ok
}

func (a asked) filters() []string {
	var all []string
	for _, sub := range a.group {
		all = append(all, sub.Filter)
	}
	return all
}

// cancelFor hands an UNSUBSCRIBE to paho, unless the connection has ended.
func (c *Conn) cancelFor(filter string) {
	c.link.handOver(func() { c.client.Unsubscribe(filter) })
}

// answered waits for SUBACK.
func (c *Conn) answered(ctx context.Context, a asked) error {
	timer := time.NewTimer(c.s.o.AckTimeout)
	defer timer.Stop()
	select {
	case <-a.token.Done():
		if err := a.token.Error(); err != nil {
			return fmt.Errorf("%w: %w", ErrLost, err)
		}
		return nil
	case <-c.ctx.Done():
		return ErrLost
	case <-timer.C:
		c.fail(ErrAckTimeout)
		return ErrAckTimeout
	case <-ctx.Done():
		return ctx.Err()
	}
}

// refusal is the broker's answer to a subscription (MQTT 3.1.1, section 3.9.3), nil
// if it is granted.
func (a asked) refusal(sub *Subscription) error {
	if code, present := a.token.Result()[sub.Filter]; !present || code > 2 {
		return fmt.Errorf("%w: %q, return code %#02x", ErrRefused, sub.Filter, code)
	}
	return nil
}

// granted waits for the answers to what a connection needs. Refusals of optional
// subscriptions are logged.
func (c *Conn) granted(ctx context.Context, all []asked) error {
	for _, a := range all {
		if err := c.answered(ctx, a); err != nil {
			return fmt.Errorf("no answer to SUBSCRIBE of %q: %w", a.filters(), err)
		}
		for _, sub := range a.group {
			err := a.refusal(sub)
			if err != nil && !sub.Optional {
				return err
			}
			if err != nil {
				c.s.o.Log.Warn("subscription refused", slog.String("filter", sub.Filter),
					slog.String("do", "allow the topic in the broker's access list"))
			}
		}
	}
	return nil
}

// enqueue is paho's handler for every message. It runs on paho's only reading
// goroutine and must not block.
func (c *Conn) enqueue(_ paho.Client, m paho.Message) {
	select {
	case c.inbound <- m:
	default:
		if c.s.dropped.Add(1) == 1 {
			c.s.o.Log.Warn("messages come faster than they are handled, dropping some",
				slog.String("topic", m.Topic()), slog.Int("queue", cap(c.inbound)))
		}
	}
}

// handle calls the subscriptions' handlers until the connection ends.
func (c *Conn) handle() {
	for {
		select {
		case <-c.ctx.Done():
			return
		case m := <-c.inbound:
			for _, sub := range c.s.subscriptions() {
				if matches(sub.Filter, m.Topic()) {
					sub.Handler(m.Topic(), m.Payload(), m.Retained())
				}
			}
			m.Ack()
		}
	}
}
