package mqtt

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"time"
)

// Window is the largest number of publications of QoS 1 or 2 in flight on one
// connection, and the size of Pump's. Brokers have limits of 20 and more.
const Window = 16

// Will is the message that the broker publishes if the connection breaks.
type Will struct {
	Topic   string
	Payload []byte
	QoS     byte
	Retain  bool
}

// Options configure a Session. BrokerURL and ClientID are required; the zero value
// of everything else works.
type Options struct {
	// BrokerURL is tcp://host:port or mqtt://host:port, or with TLS ssl://, tls:// or
	// mqtts://. The port defaults to 1883 and 8883.
	BrokerURL string
	ClientID  string
	Username  string
	Password  string

	// TLS is used with the TLS schemes; nil means the system's roots. See TLSConfig.
	TLS *tls.Config

	// Will makes the will of one connection. session counts attempts to connect from
	// 1: put it, with the boot id, into the will and the birth message, so that a late
	// will cannot bury a device that is back. nil or a nil result: no will.
	Will func(session uint64) *Will

	// Subscriptions are there from the first connection on; see also Session.Subscribe.
	Subscriptions []Subscription

	// OnStatus is told when the broker is reached, and when it is lost or cannot be
	// reached: once, not for each attempt. It is called on Run's goroutine, which
	// waits for it. nil: a line in Log each time.
	OnStatus func(Status)
	// OnUp is called on each connection once its subscriptions stand, before Pump
	// sends anything on it: the place to publish the birth message. ctx ends with
	// the connection. Handlers may run meanwhile.
	OnUp func(ctx context.Context, c *Conn)
	// OnStop is called if Run's context ends while connected, before DISCONNECT: a
	// broker does not publish the will of one who leaves politely. ctx ends after
	// two seconds.
	OnStop func(ctx context.Context, c *Conn)

	KeepAlive      time.Duration // 0: 60 s, ± 10 s at random on each connection
	ConnectTimeout time.Duration // of dialing, TLS, CONNACK and SUBACKs together; 0: 15 s
	WriteTimeout   time.Duration // of one packet; 0: 10 s
	AckTimeout     time.Duration // of one PUBACK, then the connection is given up; 0: 5 min

	// After the n-th failure in a row the next attempt waits a random time between
	// BackoffMin and BackoffMin·2ⁿ, which BackoffMax bounds. A connection that was
	// up for StableAfter starts the count again.
	BackoffMin  time.Duration // 0: 1 s
	BackoffMax  time.Duration // 0: 5 min
	StableAfter time.Duration // 0: 5 min

	// QueueLen bounds the messages that wait for their handlers; 0 means 256.
	QueueLen int

	// Log gets what is amiss beside the connection itself: refused subscriptions,
	// dropped messages, an outbox that cannot be read. nil: no log.
	Log *slog.Logger

	// Seams. Rand returns a number in [0, 1); nil: math/rand/v2. Dial opens the
	// network connection; nil: net.Dialer.
	Rand func() float64
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// withDefaults fills zero fields and refuses what cannot work.
func (o Options) withDefaults() (Options, error) {
	if o.ClientID == "" || len(o.ClientID) > 0xFFFF {
		return o, errors.New("mqtt: client id is empty or longer than 65535 bytes")
	}
	for _, d := range []struct {
		name  string
		value *time.Duration
		def   time.Duration
	}{
		{"connect timeout", &o.ConnectTimeout, 15 * time.Second},
		{"write timeout", &o.WriteTimeout, 10 * time.Second},
		{"ack timeout", &o.AckTimeout, 5 * time.Minute},
		{"backoff min", &o.BackoffMin, time.Second},
		{"backoff max", &o.BackoffMax, 5 * time.Minute},
		{"stable after", &o.StableAfter, 5 * time.Minute},
	} {
		if *d.value < 0 {
			return o, fmt.Errorf("mqtt: %s is %v, want a positive duration", d.name, *d.value)
		}
		if *d.value == 0 {
			*d.value = d.def
		}
	}
	if o.KeepAlive < 0 || o.KeepAlive > 0 && o.KeepAlive < time.Second || o.KeepAlive > 65535*time.Second {
		return o, fmt.Errorf("mqtt: keep alive is %v, want 1s to 65535s", o.KeepAlive)
	}
	if o.BackoffMax < o.BackoffMin {
		return o, fmt.Errorf("mqtt: backoff max %v is below min %v", o.BackoffMax, o.BackoffMin)
	}
	if o.QueueLen < 0 {
		return o, fmt.Errorf("mqtt: queue of %d messages", o.QueueLen)
	}
	if o.QueueLen == 0 {
		o.QueueLen = 256
	}
	for _, sub := range o.Subscriptions {
		if err := sub.check(); err != nil {
			return o, err
		}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.OnStatus == nil {
		o.OnStatus = logStatus(o.Log)
	}
	if o.Rand == nil {
		o.Rand = rand.Float64
	}
	if o.Dial == nil {
		o.Dial = new(net.Dialer).DialContext
	}
	return o, nil
}
