package agent

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"time"

	"kedge/agent/source"
	"kedge/telemetry/mqtt"
	"kedge/telemetry/wire"
)

// errOffline: the configuration names no broker.
var errOffline = errors.New("mqtt.broker is empty: the device works offline")

// openSessions makes the session with the centre's broker, and one for a source
// that has a broker of its own.
func (a *agent) openSessions() error {
	m := a.c.MQTT
	if m.Broker != "" {
		o, err := a.sessionOptions()
		if err != nil {
			return err
		}
		if a.session, err = mqtt.New(o); err != nil {
			return err
		}
	}
	if a.c.Source.Kind != SourceMQTT || a.sharedBroker() {
		return nil
	}
	input, err := mqtt.New(mqtt.Options{
		BrokerURL: a.c.Source.Broker, ClientID: a.c.Device.ID + "-input", KeepAlive: m.KeepAlive.Duration,
		Subscriptions: []mqtt.Subscription{a.inputSubscription()}, OnStatus: a.sayBroker, Log: a.o.Log,
	})
	a.input = input
	return err
}

// sharedBroker reports whether samples come over the session with the centre.
func (a *agent) sharedBroker() bool {
	return a.c.Source.Broker == "" || a.c.Source.Broker == a.c.MQTT.Broker
}

func (a *agent) inputSubscription() mqtt.Subscription {
	topic := a.source.(*source.Topic)
	return mqtt.Subscription{Filter: a.c.Source.Topic, QoS: 1, Handler: func(_ string, payload []byte, retained bool) {
		if !retained { // it may be of any age
			topic.Offer(payload)
		}
	}}
}

func (a *agent) sessionOptions() (mqtt.Options, error) {
	m := a.c.MQTT
	password, err := readPassword(m.PasswordFile)
	if err != nil {
		return mqtt.Options{}, err
	}
	var secure *tls.Config
	if brokerSchemes[strings.SplitN(m.Broker, ":", 2)[0]] {
		if err := checkTLSFiles(m); err != nil {
			return mqtt.Options{}, err
		}
		if secure, err = mqtt.TLSConfig(m.CA, m.Cert, m.Key, a.trustedNow); err != nil {
			return mqtt.Options{}, err
		}
	}
	return mqtt.Options{
		BrokerURL: m.Broker, ClientID: a.c.Device.ID, Username: m.Username, Password: password, TLS: secure,
		KeepAlive: m.KeepAlive.Duration, Will: a.will, Subscriptions: a.subscriptions(), OnStatus: a.sayBroker, Log: a.o.Log,
		OnUp: func(ctx context.Context, c *mqtt.Conn) {
			a.announce(ctx, c, true)
			a.stateChanged()
		},
		OnStop: a.goodbye,
	}, nil
}

// goodbye publishes the account of the whole run, which nothing changes any more,
// and that the device leaves.
func (a *agent) goodbye(ctx context.Context, c *mqtt.Conn) {
	bounded, cancel := context.WithTimeout(ctx, lastReportTimeout)
	defer cancel()
	a.publishState(bounded, c)
	a.announce(ctx, c, false)
}

func readPassword(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fileError("mqtt.password_file", path, err)
	}
	line, _, _ := strings.Cut(string(data), "\n")
	return strings.TrimSuffix(line, "\r"), nil
}

// trustedNow is the clock for certificates: a board without a clock chip starts
// in 1970, but it is certainly later than when its root document was signed.
func (a *agent) trustedNow() time.Time {
	now := a.o.Now()
	if issued := a.updater.Root().Issued(); issued.After(now) {
		return issued
	}
	return now
}

// state is the message on the state topic.
func (a *agent) stateMessage(session uint64, online bool) []byte {
	payload, err := json.Marshal(wire.State{
		V: wire.Version, Device: a.c.Device.ID, Boot: a.boot, Session: session, Online: online, Time: a.o.Now().UTC(),
	})
	if err != nil {
		panic("BUG: " + err.Error()) // strings, numbers and a present time
	}
	return payload
}

func (a *agent) will(session uint64) *mqtt.Will {
	return &mqtt.Will{Topic: a.topics.State(), Payload: a.stateMessage(session, false), QoS: 1, Retain: true}
}

// announce publishes whether the device is there. If it fails the connection is
// lost, and the will says the truth.
func (a *agent) announce(ctx context.Context, c *mqtt.Conn, online bool) {
	if err := c.Publish(ctx, a.topics.State(), a.stateMessage(c.Session(), online), 1, true); err != nil {
		a.o.Log.Debug("state not published", slog.Any("error", err))
	}
}

func (a *agent) subscriptions() []mqtt.Subscription {
	on := func(filter string, handle func(payload []byte)) mqtt.Subscription {
		return mqtt.Subscription{Filter: filter, QoS: 1, Handler: func(_ string, payload []byte, _ bool) { handle(payload) }}
	}
	all := []mqtt.Subscription{
		on(a.topics.Assign(), a.updater.HandleAssign),
		on(a.topics.Reference(), a.handleReference),
		on(wire.Roots(), a.updater.HandleRoot),
		{Filter: a.topics.Chunks(), QoS: 1, Handler: a.handleChunk},
	}
	for _, g := range a.c.Device.Groups {
		all = append(all, on(wire.GroupAssign(a.c.Device.Site, g), a.updater.HandleAssign))
	}
	if a.c.Source.Kind == SourceMQTT && a.sharedBroker() {
		all = append(all, a.inputSubscription())
	}
	return all
}

func (a *agent) handleChunk(topic string, payload []byte, _ bool) {
	t, err := wire.ParseTopic(topic)
	if err != nil || t.Kind != "dn" || len(t.Rest) != 2 {
		return
	}
	if n, err := strconv.Atoi(t.Rest[1]); err == nil {
		a.updater.HandleChunk(t.Rest[0], n, payload)
	}
}

// Request implements update.Transport.
func (a *agent) Request(ctx context.Context, get wire.Get) error {
	if a.session == nil {
		return errOffline
	}
	payload, err := json.Marshal(&get)
	if err != nil {
		return fmt.Errorf("request for chunks: %w", err)
	}
	return a.session.Publish(ctx, a.topics.Get(), payload, 1, false)
}
