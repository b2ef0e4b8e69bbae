package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kedge/agent/source"
)

// ErrNoModel says that samples cannot be answered, now and later: there is no
// model, and nothing to bring one or nobody left to wait for it.
var ErrNoModel = errors.New("no model to answer with")

// endPoll is how often awaitModel looks whether the input has ended.
const endPoll = 100 * time.Millisecond

// awaitModel returns what is in service as soon as there is something. Nothing is
// read until then, so that no sample is lost that a first model could answer. But
// who wrote all samples into a pipe and closed it waits for the answers, or for
// the news that there will be none: once the input has ended, a model has to come
// within mqtt.drain.
func (a *agent) awaitModel(ctx context.Context) (*serving, error) {
	if s := a.inService(); s != nil {
		return s, nil
	}
	look := time.NewTicker(endPoll)
	defer look.Stop()
	var deadline <-chan time.Time
	for {
		select {
		case <-a.loaded:
		case <-look.C:
			if r, ok := a.source.(*source.Reader); ok && deadline == nil && r.Ended() {
				deadline = time.After(a.c.MQTT.Drain.Duration)
			}
		case <-deadline:
			return nil, a.unanswered(ctx)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if s := a.inService(); s != nil {
			return s, nil
		}
	}
}

// inService returns the model in service, nil if there is none.
func (a *agent) inService() *serving {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.serving
}

// unanswered is the error for an input that ended before there was a model.
func (a *agent) unanswered(ctx context.Context) error {
	n, err := a.source.(*source.Reader).Unread(ctx)
	return errors.Join(fmt.Errorf("%w: the input ended before one came, %d lines were not answered", ErrNoModel, n), err)
}
