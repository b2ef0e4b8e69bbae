package agent

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// A job runs beside inference until its context ends.
type job func(ctx context.Context) error

// jobs are under way.
type jobs struct {
	cancel context.CancelFunc
	joined sync.WaitGroup
}

// errJob marks why a job stopped the agent.
type errJob struct{ error }

// start runs jobs that outlive parent. One that fails before end stops the agent.
func start(parent context.Context, stop context.CancelCauseFunc, all []job) *jobs {
	ctx, cancel := context.WithCancel(context.WithoutCancel(parent))
	j := &jobs{cancel: cancel}
	for _, run := range all {
		j.joined.Go(func() {
			if err := run(ctx); err != nil && ctx.Err() == nil {
				stop(errJob{err})
			}
		})
	}
	return j
}

// end ends the jobs and joins them.
func (j *jobs) end() {
	j.cancel()
	j.joined.Wait()
}

// failure is the error of the job that stopped the agent; nil if none did.
func failure(ctx context.Context) error {
	if failed, ok := errors.AsType[errJob](context.Cause(ctx)); ok {
		return failed.error
	}
	return nil
}

// drainPoll is how often drain looks at the outbox.
const drainPoll = 20 * time.Millisecond

// drain waits until the broker has everything, for a while.
func (a *agent) drain(ctx context.Context) {
	if a.session == nil {
		return
	}
	deadline := time.NewTimer(a.c.MQTT.Drain.Duration)
	defer deadline.Stop()
	tick := time.NewTicker(drainPoll)
	defer tick.Stop()
	for a.unsent() {
		select {
		case <-tick.C:
		case <-deadline.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// unsent reports whether there are messages that the broker has not acknowledged.
// Those that wait for room count too; those that it has may stay in the outbox until the next commit.
func (a *agent) unsent() bool {
	a.mu.Lock()
	kept := len(a.backlog.waiting)
	a.mu.Unlock()
	if kept > 0 {
		return true
	}
	left, err := a.buf.Outbox.Next(1, nil)
	if err != nil {
		a.o.Log.Error("outbox cannot be read", slog.Any("error", err))
	}
	return len(left) > 0
}
