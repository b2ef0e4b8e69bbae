package trainer

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"sync"
	"time"

	"kedge/trainer/fleet"
	"kedge/trainer/store"
)

// A link is the way to the devices: the embedded broker or one elsewhere.
type link interface {
	// run takes messages in until ctx ends.
	run(ctx context.Context) error
	publish(ctx context.Context, topic string, payload []byte, retain bool) error
	url() string
	close() error
}

// A Trainer serves devices. Make one with Open.
type Trainer struct {
	*Workbench
	o      Options
	lock   *os.File
	link   link
	fleet  *fleet.Fleet
	notice sync.Mutex // held while Notify runs
	retrainer

	publishNow chan struct{} // something is to be published
}

// Open opens the workbench and starts the embedded broker's listener; devices are
// let in by Run. It refuses with ErrExposed to open a door beyond this machine
// that is not guarded, and with ErrLocked to serve where another process does.
func Open(ctx context.Context, o Options) (*Trainer, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if o.BrokerURL == "" {
		if err := checkExposure(o.Listen, o.ListenTLS); err != nil {
			return nil, err
		}
	}
	w, err := OpenWorkbench(ctx, o)
	if err != nil {
		return nil, err
	}
	t := &Trainer{Workbench: w, o: o, publishNow: make(chan struct{}, 1)}
	t.retrainer = newRetrainer(t)
	if t.lock, err = lock(o.Dir); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	t.fleet = fleet.New(fleet.Options{
		Registry: w.registry,
		Publish: func(ctx context.Context, topic string, payload []byte, retain bool) error {
			return t.link.publish(ctx, topic, payload, retain)
		},
		Notify: t.notify, Changed: t.changed, Tolerance: o.Tolerance, Now: o.Now, Log: o.Log,
	})
	if o.BrokerURL == "" {
		t.link, err = startBroker(o.Listen, o.ListenTLS, t.receive, o.Log)
	} else {
		t.link, err = newRemote(o, t.receive, t.reconnected)
	}
	if err != nil {
		return nil, errors.Join(err, w.Close(), t.lock.Close())
	}
	return t, w.store.Update(ctx, func(tx *store.Tx) error { return tx.ForgetEvents(o.Now().Add(-eventMemory)) })
}

// eventMemory is how long an event that comes again is known as such: longer
// than any device keeps one.
const eventMemory = 400 * 24 * time.Hour

// receive takes in one message. It has a context of its own: what has begun to
// be kept is finished, also if the trainer is about to stop.
func (t *Trainer) receive(topic string, payload []byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), receiveTimeout)
	defer cancel()
	return t.fleet.Receive(ctx, topic, payload)
}

// receiveTimeout bounds how long a message may take to be kept.
const receiveTimeout = 30 * time.Second

// notify passes a notice on, one at a time.
func (t *Trainer) notify(n Notice) {
	t.notice.Lock()
	defer t.notice.Unlock()
	t.o.Notify(n)
	if n.Kind == fleet.Referenced {
		t.republish()
	}
}

// changed is called when reports, evidence or labels have come in.
func (t *Trainer) changed() {
	t.look()
}

// reconnected is called when a remote broker is there again, maybe without its
// retained messages.
func (t *Trainer) reconnected() {
	t.fleet.Forget()
	t.republish()
}

// republish makes Run publish what is new, soon.
func (t *Trainer) republish() {
	select {
	case t.publishNow <- struct{}{}:
	default: // it is about to
	}
}

// BrokerURL is where devices connect to: the embedded broker's own address or
// the given URL.
func (t *Trainer) BrokerURL() string { return t.link.url() }

// Run publishes, lets devices in, and answers drift reports with new models
// until ctx ends. It returns nil then, and joins everything that it started.
func (t *Trainer) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if t.o.BrokerURL == "" {
		// Before the first device comes, so that it finds everything there.
		if err := t.fleet.Publish(ctx); err != nil {
			return err
		}
	}
	var wait sync.WaitGroup
	wait.Go(func() { t.poll(ctx) })
	wait.Go(func() { t.retrain(ctx) })
	err := t.link.run(ctx)
	cancel()
	wait.Wait()
	return err
}

// poll publishes what is new, from here and from other processes.
func (t *Trainer) poll(ctx context.Context) {
	tick := time.NewTicker(t.o.Poll)
	defer tick.Stop()
	for last := ""; ; {
		select {
		case <-ctx.Done():
			return
		case <-t.publishNow:
		case <-tick.C:
			t.look() // labels may have been entered by another process
		}
		said := ""
		if err := t.fleet.Publish(ctx); err != nil && ctx.Err() == nil {
			said = err.Error()
		}
		if said != "" && said != last {
			t.o.Log.Warn("documents not published, trying again", slog.String("cause", said))
		}
		last = said
	}
}

// Close stops the broker and closes the store. Run has returned before.
func (t *Trainer) Close() error {
	return errors.Join(t.link.close(), t.Workbench.Close(), t.lock.Close())
}
