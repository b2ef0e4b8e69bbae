package mqtt

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// Message is one message of a Source.
type Message struct {
	ID      uint64
	Topic   string
	Payload []byte
	QoS     byte // 0: acknowledged to the source once written; use 1 for what must arrive
	Retain  bool
}

// Source is a durable outbox. Its methods are called from one goroutine.
type Source interface {
	// Next returns up to n messages to send, in order, leaving out those that skip
	// reports. It does not remove them.
	Next(n int, skip func(id uint64) bool) ([]Message, error)
	// Ack removes messages that the broker has.
	Ack(ids ...uint64) error
	// Wake returns a channel that has a value after messages were added.
	Wake() <-chan struct{}
}

const (
	// suspectAfter is how often a connection may end with the same message as its
	// oldest in flight before that message waits for all others and is sent alone.
	// Some brokers answer a message that they do not accept by closing the
	// connection; it must not keep the others from arriving.
	suspectAfter = 3
	// sourceRetry is the wait after a source's error.
	sourceRetry = time.Second
)

// Pump sends what source holds on every connection until ctx ends, with at most
// Window messages in flight, and acknowledges each to the source when the broker
// has acknowledged it. It does not send before Options.OnUp has returned. Run it
// beside Session.Run, once for each source.
func (s *Session) Pump(ctx context.Context, source Source) error {
	p := &pump{s: s, source: source, losses: map[uint64]int{}}
	for ctx.Err() == nil {
		if c := s.awaitReady(ctx); c != nil {
			p.drain(ctx, c)
		}
	}
	return nil
}

// pump is the state of Pump.
type pump struct {
	s       *Session
	source  Source
	losses  map[uint64]int // connections that ended with this message as the oldest in flight
	failing bool           // the source's failure is in the log
}

// landing is the outcome of one message.
type landing struct {
	id  uint64
	err error
}

// drain sends on one connection until it ends or ctx does.
func (p *pump) drain(ctx context.Context, c *Conn) {
	var order []uint64 // in flight, oldest first
	landings := make(chan landing, Window)
	retry := time.NewTimer(0)
	defer retry.Stop()
	for c.ctx.Err() == nil && ctx.Err() == nil {
		order = p.fill(ctx, c, order, landings, retry)
		select {
		case l := <-landings:
			order = p.settle(order, l)
		case <-p.source.Wake():
		case <-retry.C:
		case <-c.ctx.Done():
		case <-ctx.Done():
		}
	}
	p.finish(ctx, order, landings)
}

// fill launches messages while the window has room. It returns what is in flight.
func (p *pump) fill(ctx context.Context, c *Conn, order []uint64, landings chan landing, retry *time.Timer) []uint64 {
	batch, err := p.next(order)
	if err != nil {
		if !p.failing {
			p.s.o.Log.Error("outbox cannot be read, trying again", slog.Any("cause", err))
		}
		p.failing = true
		retry.Reset(sourceRetry)
		return order
	}
	p.failing = false
	for _, m := range batch {
		f, err := c.launch(ctx, m.Topic, m.Payload, m.QoS, m.Retain)
		if errors.Is(err, ErrInvalid) {
			p.s.o.Log.Error("message cannot be sent and is left in the outbox", slog.String("topic", m.Topic), slog.Any("cause", err))
			p.losses[m.ID] = unsendable
			continue
		}
		if err != nil {
			return order
		}
		order = append(order, m.ID)
		go func() { landings <- landing{m.ID, c.land(ctx, f)} }() // joined by finish
	}
	return order
}

// unsendable in losses marks a message that breaks MQTT's rules.
const unsendable = -1

// next asks the source for messages. Suspects come when nothing else is left, one at
// a time.
func (p *pump) next(order []uint64) ([]Message, error) {
	flying := make(map[uint64]bool, len(order))
	alone := false
	for _, id := range order {
		flying[id] = true
		alone = alone || p.losses[id] >= suspectAfter
	}
	room := Window - len(order)
	if room <= 0 || alone {
		return nil, nil
	}
	batch, err := p.source.Next(room, func(id uint64) bool {
		return flying[id] || p.losses[id] == unsendable || p.losses[id] >= suspectAfter
	})
	if err != nil || len(batch) > 0 || len(order) > 0 {
		return batch, err
	}
	return p.source.Next(1, func(id uint64) bool { return p.losses[id] == unsendable })
}

// settle takes a message that landed out of what is in flight.
func (p *pump) settle(order []uint64, l landing) []uint64 {
	for i, id := range order {
		if id == l.id {
			order = append(order[:i:i], order[i+1:]...)
			break
		}
	}
	if l.err == nil {
		delete(p.losses, l.id)
		if err := p.source.Ack(l.id); err != nil {
			p.s.o.Log.Error("acknowledged message cannot be removed from the outbox", slog.Any("cause", err))
		}
	}
	return order
}

// finish waits for what is still in flight; each lands as soon as the connection or
// ctx has ended. A connection that broke counts against its oldest message.
func (p *pump) finish(ctx context.Context, order []uint64, landings chan landing) {
	var oldest uint64
	broken := len(order) > 0 && ctx.Err() == nil
	if broken {
		oldest = order[0]
	}
	for len(order) > 0 {
		l := <-landings
		order = p.settle(order, l)
		if broken && l.id == oldest && l.err != nil {
			p.losses[oldest]++
		}
	}
}
