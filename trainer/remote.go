package trainer

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"kedge/telemetry/mqtt"
	"kedge/telemetry/wire"
)

// Client ids at a broker that runs elsewhere. The broker keeps the session of
// the one that receives.
const (
	receiverID  = "kedge-trainer"
	publisherID = "kedge-trainer-out"
)

// remote is the way to a broker that runs elsewhere.
//
// It needs two connections. Package mqtt's sessions begin clean, which is right
// for whoever has an outbox of its own; but what a broker acknowledged to a
// device while the trainer was away exists in the broker alone, so the receiver
// keeps its session there, and acknowledges a message when it is in the store.
type remote struct {
	address   string
	publisher *mqtt.Session
	tls       *tls.Config
	receive   receiver
	log       *slog.Logger
}

func newRemote(o Options, receive receiver, up func()) (*remote, error) {
	session, err := mqtt.New(mqtt.Options{
		BrokerURL: o.BrokerURL, ClientID: publisherID, TLS: o.BrokerTLS, Log: o.Log, BackoffMax: maxRetry,
		OnUp: func(context.Context, *mqtt.Conn) { up() },
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrBroker, strings.TrimPrefix(err.Error(), "mqtt: "))
	}
	return &remote{address: o.BrokerURL, publisher: session, tls: o.BrokerTLS, receive: receive, log: o.Log}, nil
}

func (r *remote) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var receiving sync.WaitGroup
	receiving.Go(func() { r.inbox(ctx) })
	err := r.publisher.Run(ctx)
	cancel()
	receiving.Wait()
	return err
}

func (r *remote) publish(ctx context.Context, topic string, payload []byte, retain bool) error {
	return r.publisher.Publish(ctx, topic, payload, 1, retain)
}

func (r *remote) url() string  { return r.address }
func (r *remote) close() error { return nil }

// Times of the receiver's connection. It comes back quickly: what a broker
// without a memory of its own acknowledges before the receiver is there again is
// lost, and the devices are on their way too.
const (
	quickRetry     = 250 * time.Millisecond // in the first minute of an outage
	slowRetry      = 2 * time.Second
	maxRetry       = 15 * time.Second // of the publisher
	connectTimeout = 15 * time.Second
)

// inbox keeps the receiver connected until ctx ends. The publisher's session
// reports outages of the same broker; this one is silent about them.
func (r *remote) inbox(ctx context.Context) {
	for lost := time.Now(); ctx.Err() == nil; {
		up, err := r.listen(ctx)
		if ctx.Err() != nil {
			return
		}
		r.log.Debug("receiver disconnected", slog.Any("cause", err))
		wait := quickRetry
		if up {
			lost = time.Now()
		} else if time.Since(lost) > time.Minute {
			wait = slowRetry
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration((0.5 + rand.Float64()/2) * float64(wait))):
		}
	}
}

// listen lives through one connection and returns whether there was one and why
// it ended. What was not acknowledged on it comes again on the next.
func (r *remote) listen(ctx context.Context) (up bool, err error) {
	address, err := withPort(r.address)
	if err != nil {
		return false, err
	}
	lost := make(chan error, 1)
	end := func(err error) {
		select {
		case lost <- err:
		default: // the first cause counts
		}
	}
	o := paho.NewClientOptions().AddBroker(address).SetClientID(receiverID).SetTLSConfig(r.tls).
		SetCleanSession(false).SetAutoReconnect(false).SetConnectRetry(false).SetOrderMatters(false).
		SetAutoAckDisabled(true).SetConnectTimeout(connectTimeout).SetWriteTimeout(connectTimeout).
		SetKeepAlive(30 * time.Second).
		SetConnectionLostHandler(func(_ paho.Client, err error) { end(err) }).
		// The broker sends what it kept before we have subscribed anew, so no filter has a handler.
		SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) {
			if err := r.receive(m.Topic(), m.Payload()); err != nil {
				r.log.Error("message not kept, connection closed", slog.String("topic", m.Topic()), slog.Any("error", err))
				end(err)
				return
			}
			m.Ack()
		})
	client := paho.NewClient(o)
	if token := client.Connect(); !token.WaitTimeout(2*connectTimeout) || token.Error() != nil {
		return false, fmt.Errorf("connect: %w", errors.Join(token.Error(), ctx.Err()))
	}
	defer client.Disconnect(250)
	if err := subscribe(client); err != nil {
		return false, err
	}
	select {
	case err := <-lost:
		return true, err
	case <-ctx.Done():
		return true, ctx.Err()
	}
}

func subscribe(client paho.Client) error {
	filters := make(map[string]byte)
	for _, f := range wire.CentreFilters() {
		filters[f] = 1
	}
	token := client.SubscribeMultiple(filters, nil)
	if !token.WaitTimeout(connectTimeout) {
		return errors.New("subscribe: no answer")
	}
	if err := token.Error(); err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	for filter, granted := range token.(*paho.SubscribeToken).Result() {
		if granted > 2 {
			return fmt.Errorf("subscribe: the broker refuses %s", filter)
		}
	}
	return nil
}

// withPort adds the port that paho does not know by itself.
func withPort(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", errors.New("broker URL cannot be read")
	}
	if u.Port() == "" {
		port := "1883"
		if u.Scheme != "tcp" && u.Scheme != "mqtt" {
			port = "8883"
		}
		u.Host = net.JoinHostPort(u.Hostname(), port)
	}
	return u.String(), nil
}
