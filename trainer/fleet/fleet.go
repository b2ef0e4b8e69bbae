package fleet

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"kedge/telemetry/wire"
	"kedge/trainer/release"
	"kedge/trainer/store"
)

// Options configure a Fleet. Registry and Publish are required.
type Options struct {
	Registry *release.Registry
	// Publish hands a message to the broker; nil means that the broker has it.
	Publish func(ctx context.Context, topic string, payload []byte, retain bool) error
	// Notify hears what happened, one call at a time for each message; nil for nobody.
	Notify func(Notice)
	// Changed is called when drift reports, evidence or labels have come in.
	Changed func()
	// Tolerance is how far in time a label may be from its sample where it names
	// no sample; 0 means 1 s.
	Tolerance time.Duration
	Now       func() time.Time // nil: time.Now
	Log       *slog.Logger     // nil: none
}

// A Fleet is the centre's view of all devices.
type Fleet struct {
	o      Options
	store  *store.Store
	chunks limiter

	mu          sync.Mutex // held while publishing, so that documents keep their order
	roots       int        // root documents published
	assignments int64      // ID of the last one published
	references  int64
	released    map[string]bool
}

// New makes a Fleet.
func New(o Options) *Fleet {
	if o.Notify == nil {
		o.Notify = func(Notice) {}
	}
	if o.Changed == nil {
		o.Changed = func() {}
	}
	if o.Tolerance == 0 {
		o.Tolerance = time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Fleet{o: o, store: o.Registry.Store, released: make(map[string]bool)}
}

// errIgnored marks a message that is passed over.
var errIgnored = errors.New("message passed over")

// Receive takes in one message. An error means that it could not be kept and
// has to come again.
func (f *Fleet) Receive(ctx context.Context, topic string, payload []byte) error {
	t, err := wire.ParseTopic(topic)
	if err != nil {
		return nil // somebody else's
	}
	handle, ok := handlers[t.Kind]
	if !ok || len(payload) == 0 {
		return nil // our own documents, or a cleared retained message
	}
	err = handle(f, ctx, t, payload)
	if errors.Is(err, wire.ErrMalformed) || errors.Is(err, wire.ErrTooLarge) || errors.Is(err, errIgnored) {
		f.o.Log.Warn("message passed over", slog.String("topic", topic), slog.Int("bytes", len(payload)), slog.Any("cause", err))
		return nil
	}
	return err
}

var handlers = map[string]func(*Fleet, context.Context, wire.Topic, []byte) error{
	"state": (*Fleet).state,
	"rep":   (*Fleet).reported,
	"evt":   (*Fleet).event,
	"up":    (*Fleet).evidence,
	"get":   (*Fleet).get,
	"t":     (*Fleet).labels,
}

// notify completes a notice about a topic's device and passes it on.
func (f *Fleet) notify(t wire.Topic, n Notice) {
	n.Time, n.Site, n.Device = f.o.Now(), t.Site, t.Device
	f.o.Log.Info("notice", slog.String("kind", string(n.Kind)), slog.String("device", t.Device), slog.String("text", n.Text))
	f.o.Notify(n)
}
