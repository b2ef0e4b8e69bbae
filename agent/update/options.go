package update

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"kedge/telemetry/wire"
)

const (
	defaultRequestTimeout = 10 * time.Second
	defaultMaxArena       = 64 << 20
)

// A Store keeps a few small values across restarts. A Put that returned nil is on disk.
type Store interface {
	// Get returns nil and no error if the key is absent.
	Get(key string) ([]byte, error)
	Put(key string, value []byte) error
}

// A Transport carries requests to the centre. What answers them comes back
// through the Handle methods. An error only delays the next attempt.
type Transport interface {
	// WantRelease subscribes to the retained release document with that digest.
	WantRelease(ctx context.Context, digest string) error
	// Request asks for chunks of a blob.
	Request(ctx context.Context, get wire.Get) error
}

// Options configure an Updater. Dir, Site, Device, Platform and Store are
// required, and Transport if Run is to be called; the rest may be left zero.
type Options struct {
	Dir    string // the state directory, see the package comment
	Site   string
	Device string
	Groups []string // whose assignments concern this device too
	// Platform is GOOS/GOARCH, and AgentVersion the agent's own version,
	// MAJOR.MINOR.PATCH with or without "v" and suffix; anything else, such as
	// "devel" or a commit id, counts as newest.
	Platform     string
	AgentVersion string
	Store        Store
	Transport    Transport

	// Check says why the agent cannot serve a model that is the signed one and
	// passed its self-test here, but whose bundle may ask for what this agent does
	// not do. It is asked before anything is switched; a refusal counts as
	// ErrUnsupported. nil: nothing more to ask.
	Check func(i *Installed) error
	// Activate puts a model into service, after the pointer has been switched to
	// it. If it fails, the model that was in service before has to be so still;
	// the pointer is then switched back. nil: nothing to do.
	Activate func(ctx context.Context, i *Installed) error
	// Report is told every change of state. It must not call the Updater's
	// Run or Install. nil: nobody listens.
	Report func(wire.Update)

	// MaxArena bounds the memory that a model may ask for, in bytes; 0 means 64 MiB.
	MaxArena int
	// RequestTimeout is how long the first request for chunks waits before it
	// is repeated, and bounds every call to Transport; 0 means 10 seconds. Later
	// waits follow the pace at which chunks really arrive.
	RequestTimeout time.Duration

	Now   func() time.Time // the system clock, which may be unset; nil means time.Now
	Rand  func() float64   // jitter of repeated requests, in [0, 1); nil means math/rand
	Files FileSystem       // nil means the operating system's
	Log   *slog.Logger     // root documents and failures to store; nil: no log
}

func (o Options) withDefaults() Options {
	if o.Check == nil {
		o.Check = func(*Installed) error { return nil }
	}
	if o.Activate == nil {
		o.Activate = func(context.Context, *Installed) error { return nil }
	}
	if o.Report == nil {
		o.Report = func(wire.Update) {}
	}
	if o.MaxArena == 0 {
		o.MaxArena = defaultMaxArena
	}
	if o.RequestTimeout == 0 {
		o.RequestTimeout = defaultRequestTimeout
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Float64
	}
	if o.Files == nil {
		o.Files = osFiles{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}
