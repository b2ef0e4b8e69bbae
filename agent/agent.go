package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"kedge/agent/buffer"
	"kedge/agent/pipeline"
	"kedge/agent/source"
	"kedge/agent/update"
	"kedge/telemetry/event"
	"kedge/telemetry/mqtt"
	"kedge/telemetry/wire"
)

// Options are what Run needs beside the configuration. The zero value works.
type Options struct {
	// Log gets every line; nil means none.
	Log *slog.Logger
	// Stdin is read by the stdin source; nil means no input. Stdout gets answers
	// to "-"; nil means none.
	Stdin  io.Reader
	Stdout io.Writer
	// Version is the agent's own, as releases may ask for a newer one.
	Version string
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Stdout == nil {
		o.Stdout = io.Discard
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// agent is one run.
type agent struct {
	c      Config
	o      Options
	boot   string
	topics wire.DeviceTopics

	buf     *buffer.Buffer
	updater *update.Updater
	pipe    *pipeline.Pipeline
	source  source.Source
	answers *answers

	session *mqtt.Session // nil offline
	input   *mqtt.Session // of a source with a broker of its own, else nil
	wanted  string        // digest of the release document that is subscribed to; for the updater's goroutine

	events     atomic.Uint64 // of this boot, for their ids
	inferences atomic.Uint64 // since the state directory was made
	rejected   atomic.Uint64
	before     wire.Counters // what inferences and rejected were at the start of this run
	full       throttle      // stores that take nothing
	fullOutput throttle      // answers that find no room
	diskFull   atomic.Bool   // found so since records were last said to be dropped
	counted    throttle      // further alarms
	changed    chan struct{} // has a value when the reported state changed
	loaded     chan struct{} // has a value when a model came into service

	// mu guards what follows and orders inference with changes of the model.
	mu         sync.Mutex
	serving    *serving // nil without a model
	references references
	// maintenance is how it stands, as fileMaintenance holds it.
	maintenance Maintenance
	burst       burst
	backlog     backlog
}

// Run runs the agent until the input ends or ctx does, which is no error.
//
// Errors from starting: those of package buffer (ErrLocked if another process
// has the state directory) and of package update (ErrNotEnrolled), of a source
// that cannot be opened, of certificates that cannot be read; ErrNoModel if there
// is none and no broker to bring one. Once it runs, only an output or an input that
// fails for good ends it, or ErrNoModel if the input ended before one came.
func Run(ctx context.Context, c Config, o Options) error {
	a, err := open(c, o.withDefaults())
	if err != nil {
		return err
	}
	return errors.Join(a.run(ctx), a.close())
}

// run answers samples until the input ends, with everything else beside it.
func (a *agent) run(ctx context.Context) error {
	a.say(event.AgentStarted, slog.String("version", a.o.Version), slog.String("site", a.c.Device.Site),
		slog.String("device", a.c.Device.ID), slog.String("boot", a.boot))
	// Before the updater runs, which may bring another model.
	if err := a.begin(); err != nil {
		return err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	// Both outlive the input, and the connections what uses them: they send what
	// the input caused, and at last what all of it came to.
	connections := start(ctx, stop, a.connections())
	work := start(ctx, stop, a.work())
	err := a.answerAll(ctx)
	if err == nil && ctx.Err() == nil {
		a.drain(ctx)
	}
	work.end()
	a.flush() // so that the counters know what the broker has acknowledged
	connections.end()
	a.say(event.AgentStopped, slog.Uint64("inferences", a.inferences.Load()-a.before.Inferences))
	if err == nil {
		err = failure(ctx)
	}
	return err
}

// connections lists what keeps the agent connected.
func (a *agent) connections() []job {
	var all []job
	for _, s := range []*mqtt.Session{a.session, a.input} {
		if s != nil {
			all = append(all, s.Run)
		}
	}
	return all
}

// work lists what else runs beside inference.
func (a *agent) work() []job {
	all := []job{a.updater.Run, a.housekeeping}
	if a.session != nil {
		pump := func(ctx context.Context) error { return a.session.Pump(ctx, pumped{a.buf.Outbox}) }
		all = append(all, pump, a.reportState)
	}
	return all
}

// begin takes the installed model into service and resumes what a restart
// interrupted.
func (a *agent) begin() error {
	a.reportDamage(0)
	installed, err := a.updater.Active()
	if err == nil {
		err = a.serve(installed)
	}
	switch {
	case err == nil:
		a.resumeCapture()
		return nil
	case a.session == nil:
		return fmt.Errorf("%w: %w, and mqtt.broker is empty", ErrNoModel, err)
	case errors.Is(err, update.ErrNoModel):
		a.say(event.ModelAbsent)
	default:
		// It passed its self-test once; another release may still come.
		a.say(event.ModelAbsent, slog.Any("error", err))
	}
	return nil
}
