package mqtt

import (
	"context"
	"fmt"
	"slices"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// flight is a publication that was handed to paho.
type flight struct {
	token paho.Token
	start time.Time
	slot  bool // it holds one of the connection's slots
}

// Publish sends a message. For QoS 1 and 2 nil means that the broker has
// acknowledged it; for QoS 0 only that it was written. It waits while Window
// publications are in flight. ErrLost means that the broker may have the message;
// ErrInvalid that it was never sent. The payload is copied.
func (c *Conn) Publish(ctx context.Context, topic string, payload []byte, qos byte, retain bool) error {
	f, err := c.launch(ctx, topic, payload, qos, retain)
	if err != nil {
		return err
	}
	return c.land(ctx, f)
}

// launch hands a message to paho, in the caller's order.
func (c *Conn) launch(ctx context.Context, topic string, payload []byte, qos byte, retain bool) (flight, error) {
	if err := validTopic(topic); err != nil {
		return flight{}, err
	}
	if qos > 2 {
		return flight{}, fmt.Errorf("%w: QoS %d", ErrInvalid, qos)
	}
	if qos > 0 {
		select {
		case c.slots <- struct{}{}:
		case <-c.ctx.Done():
			return flight{}, ErrNotConnected
		case <-ctx.Done():
			return flight{}, ctx.Err()
		}
	}
	f := flight{start: time.Now(), slot: qos > 0}
	body := slices.Clone(payload)
	if !c.link.handOver(func() { f.token = c.client.Publish(topic, qos, retain, body) }) {
		c.release(f)
		return flight{}, ErrNotConnected
	}
	return f, nil
}

// land waits for the acknowledgement. If ctx ends first the slot stays taken until
// the broker answers, and the watch for AckTimeout goes on.
func (c *Conn) land(ctx context.Context, f flight) error {
	timer := time.NewTimer(time.Until(f.start.Add(c.s.o.AckTimeout)))
	defer timer.Stop()
	select {
	case <-f.token.Done():
		c.release(f)
		return c.outcome(f)
	case <-c.ctx.Done():
		c.release(f)
		select {
		case <-f.token.Done(): // acknowledged just before
			return c.outcome(f)
		default:
			return ErrLost
		}
	case <-timer.C:
		c.fail(ErrAckTimeout)
		c.release(f)
		return ErrAckTimeout
	case <-ctx.Done():
		if !c.spawn(func() { _ = c.land(context.Background(), f) }) {
			c.release(f)
		}
		return ctx.Err()
	}
}

func (c *Conn) release(f flight) {
	if f.slot {
		<-c.slots
	}
}

// outcome is what became of a publication whose token is complete. paho's errors are
// all kinds of a lost connection.
func (c *Conn) outcome(f flight) error {
	if err := f.token.Error(); err != nil {
		return fmt.Errorf("%w: %w", ErrLost, err)
	}
	if !f.slot && c.link.broken.Load() {
		return ErrLost // QoS 0, perhaps one of those that link did not write
	}
	return nil
}
