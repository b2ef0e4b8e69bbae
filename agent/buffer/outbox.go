package buffer

import (
	"errors"
	"fmt"

	"go.etcd.io/bbolt"
)

// Class says what a message is worth when there is no room for all, lowest first.
type Class uint8

const (
	ClassTelemetry Class = iota // counters, health: the next one says it again
	ClassEvent                  // update and audit events
	ClassReport                 // drift reports
	ClassEvidence               // the samples behind a report: they go last

	// Classes is the number of classes.
	Classes
)

// String returns the class's name.
func (c Class) String() string {
	if c >= Classes {
		return fmt.Sprintf("Class(%d)", uint8(c))
	}
	return [Classes]string{"telemetry", "event", "report", "evidence"}[c]
}

// sendOrder is the order in which Next hands classes out: what a person waits for
// first, then bulk, then what loses its worth soonest when it is late.
var sendOrder = [Classes]Class{ClassReport, ClassEvent, ClassEvidence, ClassTelemetry}

// Message is an MQTT message that waits to be sent.
type Message struct {
	ID      uint64 // set by Put
	Class   Class
	Topic   string // at most 65,535 bytes
	Payload []byte
	QoS     byte // 0 to 2
	Retain  bool
}

// A message's number holds its class, so that an acknowledgement finds its bucket.
const classShift = 56

func idClass(id uint64) Class { return Class(id >> classShift) }

// Outbox holds messages until the broker has acknowledged them. Each message that
// was offered is done (acknowledged), dropped or queued, by class.
type Outbox struct{ q *queue }

// Put stores messages in their order, all or none, and sets their IDs. When it
// returns nil they are on disk, whatever their class.
//
// If the outbox is full, messages make room that are not worth more than the new
// one: the lowest class first, of it the oldest. If that does not suffice, or the
// disk is full, nothing is stored or evicted, the messages count as dropped, and
// the error is ErrFull. After ErrUncertain the messages are stored.
func (o *Outbox) Put(messages ...Message) error {
	if err := o.check(messages); err != nil {
		return err
	}
	err := o.offer(messages)
	if err != nil && !errors.Is(err, ErrUncertain) && !errors.Is(err, ErrClosed) {
		o.q.mu.Lock()
		defer o.q.mu.Unlock()
		for _, m := range messages {
			o.q.refused.outbox[m.Class]++
		}
	}
	return err
}

// TryPut is Put for who keeps messages that found no room and offers them again:
// they do not count as dropped.
func (o *Outbox) TryPut(messages ...Message) error {
	if err := o.check(messages); err != nil {
		return err
	}
	return o.offer(messages)
}

func (o *Outbox) check(messages []Message) error {
	for i := range messages {
		if err := o.q.checkMessage(messages[i]); err != nil {
			return err
		}
	}
	return nil
}

func (o *Outbox) offer(messages []Message) error {
	err := o.q.commit(func(t *txn) error {
		for i := range messages {
			if err := t.enqueue(&messages[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil || errors.Is(err, ErrUncertain) {
		signal(o.q.wake)
	}
	return err
}

// checkMessage refuses what no broker would take.
func (q *queue) checkMessage(m Message) error {
	size := messageOverhead + len(m.Topic) + len(m.Payload)
	switch {
	case m.Class >= Classes || m.QoS > 2 || m.Topic == "" || len(m.Topic) > 0xFFFF:
		return fmt.Errorf("buffer: message of class %d, QoS %d, topic of %d bytes", m.Class, m.QoS, len(m.Topic))
	case size > MaxPayload || cost(recordOverhead+size) > q.o.Outbox.Bytes/2:
		return fmt.Errorf("%w: message of %d bytes", ErrTooLarge, size)
	}
	return nil
}

// enqueue stores one message and makes room for it.
func (t *txn) enqueue(m *Message) error {
	m.ID = uint64(m.Class)<<classShift | t.nextID
	key := seqKey(m.ID)
	value := encodeRecord(key, encodeMessage(*m))
	over := func() bool {
		sum := t.OutboxTotal()
		sum.add(cost(len(value)))
		return t.o.Outbox.over(sum)
	}
	for c := ClassTelemetry; c <= m.Class && over(); c++ {
		s := t.outbox(c)
		others := t.OutboxTotal()
		others.Queued, others.Bytes = others.Queued-s.tally.Queued, others.Bytes-s.tally.Bytes
		_, err := t.evict(s, func(rest Tally) bool {
			rest.add(cost(len(value)))
			rest.Queued, rest.Bytes = rest.Queued+others.Queued, rest.Bytes+others.Bytes
			return t.o.Outbox.over(rest)
		})
		if err != nil {
			return err
		}
	}
	if over() {
		return fmt.Errorf("%w: the outbox holds nothing that a message of class %v may replace", ErrFull, m.Class)
	}
	t.nextID++
	return t.put(t.outbox(m.Class), key, value)
}

// Next returns copies of up to n messages that are neither acknowledged nor
// skipped: reports, events, evidence, telemetry, and in the order of Put within
// each. skip, which may be nil, leaves out what is on its way already; it must not
// call the Buffer.
func (o *Outbox) Next(n int, skip func(id uint64) bool) ([]Message, error) {
	q := o.q
	q.mu.Lock()
	acked := make(map[uint64]struct{}, len(q.acks))
	for id := range q.acks {
		acked[id] = struct{}{}
	}
	q.mu.Unlock()
	var messages []Message
	err := q.view(func(tx *bbolt.Tx, strict bool) error {
		messages = nil
		for _, class := range sendOrder {
			c := tx.Bucket(outboxBuckets[class]).Cursor()
			for k, v := c.First(); k != nil && len(messages) < n; k, v = c.Next() {
				id, err := keySeq(k)
				if _, done := acked[id]; err == nil && (done || skip != nil && skip(id)) {
					continue
				}
				m, err := readMessage(k, v)
				if err != nil && strict {
					return &fault{err}
				}
				if err == nil {
					messages = append(messages, m)
				}
			}
		}
		return nil
	})
	return messages, err
}

// readMessage decodes an outbox record with its number.
func readMessage(key, value []byte) (Message, error) {
	id, err := keySeq(key)
	if err != nil {
		return Message{}, err
	}
	body, err := decodeRecord(key, value)
	if err != nil {
		return Message{}, err
	}
	m, err := decodeMessage(body)
	m.ID, m.Class = id, idClass(id)
	return m, err
}

// Ack says that the broker has acknowledged messages. They are deleted with the
// next commit; if the device loses power before it, they are sent again. That an
// ID is unknown (acknowledged twice, or evicted while it was on its way) is no
// error.
func (o *Outbox) Ack(ids ...uint64) error {
	q := o.q
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.ended {
		return ErrClosed
	}
	for _, id := range ids {
		if idClass(id) < Classes {
			q.acks[id] = struct{}{}
		}
	}
	signal(q.dirty)
	if len(q.acks) >= q.o.BatchRecords {
		signal(q.kick)
	}
	return nil
}

// Wake returns a channel that has a value after messages were put; one goroutine
// should receive from it.
func (o *Outbox) Wake() <-chan struct{} { return o.q.wake }
