package trainer

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"path/filepath"
	"time"

	"kedge/trainer/fleet"
	"kedge/trainer/train"
)

// A Notice tells whoever watches the trainer what happened; package fleet has
// its fields and the kinds.
type Notice = fleet.Notice

// DefaultListen is where the embedded broker listens unless told otherwise.
const DefaultListen = "127.0.0.1:1883"

// Options configure a Workbench or a Trainer. Dir is required; the zero value of
// everything else works.
type Options struct {
	// Dir holds the store, and the keys unless Keys says otherwise.
	Dir string
	// Keys is the folder that release.Init made; empty means Dir/keys.
	Keys string

	// Listen is the embedded broker's address, host:port; port 0 chooses a free
	// one. Empty means DefaultListen. Beyond loopback ListenTLS is required.
	Listen string
	// ListenTLS has the broker's certificate, and in ClientCAs the authority whose
	// certificates devices have to show; see ServerTLS.
	ListenTLS *tls.Config
	// BrokerURL names a broker that runs elsewhere, to be used instead of the
	// embedded one: mqtt://host:port or mqtts://host:port. It has to keep the
	// trainer's session and its messages over its own restarts, or what it
	// acknowledged to a device meanwhile is lost.
	BrokerURL string
	BrokerTLS *tls.Config // see ClientTLS

	// MinLabels is how many of an alarm's samples have to be labeled before it is
	// answered with a new model; 0 means as many as the device announced to
	// capture after the alarm. All that there are is always enough.
	MinLabels int
	// Tolerance is how far a label may be in time from the sample that it is
	// for, where it names none; 0 means 1 s.
	Tolerance time.Duration

	// Fresh and Warm are the recipes of the built-in trainer for first and renewed
	// models; nil means train.Defaults and train.WarmDefaults.
	Fresh, Warm *train.Options
	// Command trains instead, if it has arguments.
	Command train.Command
	// Params is JSON that the command gets as "user" in its params.json.
	Params []byte
	// Seed decides all that is random in training.
	Seed uint64

	// Poll is how often the store is looked at for what other processes did; 0 means 1 s.
	Poll time.Duration
	// Notify hears what happens. It is called from several goroutines, one call at a time.
	Notify func(Notice)
	Now    func() time.Time // nil: time.Now
	Log    *slog.Logger     // nil: none
}

var errNoDir = errors.New("trainer: no folder given")

func (o Options) withDefaults() (Options, error) {
	if o.Dir == "" {
		return o, errNoDir
	}
	if o.Keys == "" {
		o.Keys = filepath.Join(o.Dir, "keys")
	}
	if o.Listen == "" {
		o.Listen = DefaultListen
	}
	if o.Poll == 0 {
		o.Poll = time.Second
	}
	if o.Notify == nil {
		o.Notify = func(Notice) {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o, nil
}
