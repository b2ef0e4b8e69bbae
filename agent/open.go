package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	goruntime "runtime"
	"time"

	"kedge/agent/buffer"
	"kedge/agent/pipeline"
	"kedge/agent/update"
	"kedge/telemetry/wire"
)

// open does everything that can be refused, and starts nothing.
func open(c Config, o Options) (a *agent, err error) {
	a = &agent{
		c: c, o: o, pipe: pipeline.New(), topics: wire.DeviceTopics{Site: c.Device.Site, Device: c.Device.ID},
		changed: make(chan struct{}, 1), loaded: make(chan struct{}, 1), counted: throttle{every: time.Minute}, full: throttle{every: time.Hour}, fullOutput: throttle{every: time.Hour},
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.close())
		}
	}()
	if err := a.openBuffer(); err != nil {
		return a, err
	}
	if err := a.openUpdater(); err != nil {
		return a, err
	}
	if a.answers, err = openAnswers(c, o.Stdout); err != nil {
		return a, err
	}
	if err := a.openSource(); err != nil {
		return a, err
	}
	return a, a.openSessions()
}

func (a *agent) openBuffer() error {
	// A directory that enroll did not make may be a slip in device.state: nothing is begun there.
	root := filepath.Join(a.c.Device.State, "root.json")
	if _, err := os.Stat(root); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w", root, update.ErrNotEnrolled)
	} else if err != nil {
		return fileError("device.state", a.c.Device.State, err)
	}
	random := randomPart()
	b, err := buffer.Open(a.c.Device.State, buffer.Options{
		MaxSize: a.c.Buffer.MaxBytes, Ring: buffer.Limit{Records: a.c.Buffer.RingRecords},
		BatchRecords: a.c.Buffer.CommitRecords, BatchAge: a.c.Buffer.CommitAge.Duration,
		Boot: random, Log: a.o.Log,
		OnFailing: func(cause error) {
			if cause != nil {
				a.storeFailed(cause)
			}
		},
		OnDamage: func(buffer.Recovered) {}, // reportDamage says it, with an event
	})
	if err != nil {
		return fmt.Errorf("device.state: %w", err)
	}
	a.buf = b
	a.boot = a.nextBoot(random)
	a.loadCounters()
	a.loadMaintenance()
	return nil
}

func (a *agent) openUpdater() (err error) {
	a.updater, err = update.Open(update.Options{
		Dir: a.c.Device.State, Site: a.c.Device.Site, Device: a.c.Device.ID, Groups: a.c.Device.Groups,
		Platform: goruntime.GOOS + "/" + goruntime.GOARCH, AgentVersion: a.o.Version,
		Store: updateStore{a.buf.State}, Transport: a,
		Check: func(i *update.Installed) error {
			_, err := a.prepare(i)
			return err
		},
		Activate: func(_ context.Context, i *update.Installed) error { return a.serve(i) },
		Report:   a.reportUpdate, Now: a.o.Now, Log: a.o.Log,
	})
	if err != nil {
		return err
	}
	a.loadReference()
	return nil
}

// close stores the last state and closes what open has opened.
func (a *agent) close() error {
	var errs []error
	if a.source != nil {
		errs = append(errs, a.source.Close())
	}
	if a.answers != nil {
		errs = append(errs, a.answers.close())
	}
	if a.buf != nil {
		a.abandonBacklog()
		a.persist()
		if err := a.buf.Close(); errors.Is(err, buffer.ErrFull) {
			a.storeFailed(err)
		} else {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
