package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// Topic takes samples from MQTT messages, one sample each, in the form of
// JSONL. It is bounded: when the model is slower than the messages the oldest
// one is dropped and counted, since the latest say most about the present.
type Topic struct {
	name   string
	parser jsonParser

	mu      sync.Mutex
	queue   []message
	limit   int
	n       uint64 // messages offered
	dropped uint64
	ended   bool
	ready   chan struct{} // has a value when the queue may have a message
}

type message struct {
	n       uint64
	time    time.Time
	payload []byte
	tooLong bool
}

// NewTopic makes a source that holds at most limit messages; name is the topic,
// for errors. Whoever subscribes hands messages to Offer.
func NewTopic(name string, limit int) *Topic {
	return &Topic{name: name, limit: max(limit, 1), ready: make(chan struct{}, 1)}
}

// Offer takes a message. It never waits, keeps a copy of payload, and may be
// called from any goroutine.
func (t *Topic) Offer(payload []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return
	}
	t.n++
	m := message{n: t.n, time: time.Now(), tooLong: len(payload) > MaxLine}
	if !m.tooLong {
		m.payload = bytes.Clone(payload)
	}
	if len(t.queue) >= t.limit {
		t.pop()
		t.dropped++
	}
	t.queue = append(t.queue, m)
	t.signal()
}

func (t *Topic) signal() {
	select {
	case t.ready <- struct{}{}:
	default:
	}
}

// Dropped returns how many messages were dropped because the queue was full.
func (t *Topic) Dropped() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.dropped
}

// Expect implements Source.
func (t *Topic) Expect(features []string) { t.parser.expect(features) }

// Next implements Source; it returns io.EOF after Close.
func (t *Topic) Next(ctx context.Context) (Sample, error) {
	for {
		m, ok, ended := t.take()
		switch {
		case ended:
			return Sample{}, io.EOF
		case ok:
			return t.sample(m)
		}
		select {
		case <-t.ready:
		case <-ctx.Done():
			return Sample{}, ctx.Err()
		}
	}
}

func (t *Topic) take() (m message, ok, ended bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended || len(t.queue) == 0 {
		return m, false, t.ended
	}
	return t.pop(), true, false
}

// pop takes the oldest message out; append moves the rest when it grows.
func (t *Topic) pop() message {
	m := t.queue[0]
	t.queue[0] = message{}
	t.queue = t.queue[1:]
	return m
}

func (t *Topic) sample(m message) (Sample, error) {
	s, err := t.parser.parse(m.payload)
	if err != nil {
		switch {
		case m.tooLong:
			err = ErrTooLong
		case errors.Is(err, errSkip):
			err = fmt.Errorf("empty message: %w", ErrForm)
		}
		return Sample{}, &RowError{Name: t.name, Line: m.n, Err: err}
	}
	if s.Time.IsZero() {
		s.Time = m.time
	}
	return s, nil
}

// Close implements Source.
func (t *Topic) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended, t.queue = true, nil
	t.signal()
	return nil
}
