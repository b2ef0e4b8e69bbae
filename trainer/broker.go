package trainer

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"

	"kedge/telemetry/trust"
	"kedge/telemetry/wire"
)

// Limits of the embedded broker.
const (
	// maxPacket holds the largest message and the largest chunk with their topics.
	maxPacket = max(wire.MaxMessage, trust.ChunkBytes) + 4<<10
	// maxPending bounds what waits for a slow client: four windows of chunks.
	// What exceeds it is dropped and asked for again.
	maxPending = 4 * wire.GetWindow
)

// receiver takes a message that came in on a topic. On nil the message is kept,
// or is not worth keeping, and may be acknowledged to its sender.
type receiver func(topic string, payload []byte) error

// broker is the embedded MQTT broker.
//
// A PUBACK of this broker means that the message is in the store: the receiver
// runs in mochi's OnPublish, before the acknowledgement. So a device that was
// told nothing sends again, and one that was told has lost nothing, also if the
// process is killed in between.
//
// mochi v2.7.9 has a data race between publishing a new retained topic and
// subscribing to a wildcard beside it. It cannot happen here: the only wildcards
// that a device may use and that have retained messages beside them are below
// root/ and rel/, where only this process publishes.
type broker struct {
	server  *mochi.Server
	address string
	secure  bool
}

// startBroker listens on address. config is nil for plain loopback.
func startBroker(address string, config *tls.Config, receive receiver, log *slog.Logger) (*broker, error) {
	if err := checkExposure(address, config); err != nil {
		return nil, err
	}
	capabilities := mochi.NewDefaultServerCapabilities()
	capabilities.MaximumPacketSize = maxPacket
	capabilities.MaximumClientWritesPending = maxPending
	// By default mochi forgets retained messages after a day; an assignment has to
	// be there for a device that comes back after a month.
	capabilities.MaximumMessageExpiryInterval = 0
	// Sessions that outlive their connection pile up in memory; devices need none.
	capabilities.MaximumSessionExpiryInterval = 0
	server := mochi.New(&mochi.Options{
		Capabilities: capabilities, InlineClient: true,
		Logger: slog.New(quiet{log.Handler()}),
	})
	hook := &gate{secure: config != nil, receive: receive, log: log}
	if err := server.AddHook(hook, nil); err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	tcp, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", address, ErrListen, finding(err))
	}
	var listener net.Listener = door{tcp}
	if config != nil {
		listener = tls.NewListener(listener, config)
	}
	if err := server.AddListener(listeners.NewNet("devices", listener)); err != nil {
		return nil, errors.Join(fmt.Errorf("broker %s: %w", address, err), listener.Close())
	}
	return &broker{server: server, address: listener.Addr().String(), secure: config != nil}, nil
}

// checkExposure refuses an open door.
func checkExposure(address string, config *tls.Config) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%q: %w", address, ErrAddress)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("%q: %w", address, ErrAddress)
	}
	ip := net.ParseIP(host)
	if host == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	if config == nil || config.ClientAuth != tls.RequireAndVerifyClientCert || config.ClientCAs == nil || len(config.Certificates) == 0 {
		return fmt.Errorf("broker %s: %w", address, ErrExposed)
	}
	return nil
}

// run lets clients in. What was published before is there when they come.
func (b *broker) run(ctx context.Context) error {
	if err := b.server.Serve(); err != nil {
		return fmt.Errorf("broker: %w", err)
	}
	<-ctx.Done()
	return nil
}

func (b *broker) url() string {
	scheme := "mqtt://"
	if b.secure {
		scheme = "mqtts://"
	}
	return scheme + b.address
}

func (b *broker) publish(_ context.Context, topic string, payload []byte, retain bool) error {
	if err := b.server.Publish(topic, payload, retain, 1); err != nil {
		return fmt.Errorf("publish %s: %w", topic, err)
	}
	return nil
}

func (b *broker) close() error { return b.server.Close() }

// gate is the broker's hook: it lets in, allows, and hands over to the receiver.
type gate struct {
	mochi.HookBase
	secure  bool
	receive receiver
	log     *slog.Logger
}

// ID implements mochi.Hook.
func (g *gate) ID() string { return "kedge" }

// Provides implements mochi.Hook.
func (g *gate) Provides(b byte) bool {
	return bytes.IndexByte([]byte{mochi.OnConnectAuthenticate, mochi.OnACLCheck, mochi.OnPublish, mochi.OnWillSent}, b) >= 0
}

// OnConnectAuthenticate lets a client in whose id is the name in its certificate:
// with a free choice of ids a device could push another one out of its session.
// mochi does not ask for permission to publish a will, so that is settled here.
func (g *gate) OnConnectAuthenticate(cl *mochi.Client, pk packets.Packet) bool {
	if !g.secure {
		return cl.ID != mochi.InlineClientId
	}
	id, ok := clientIdentity(cl)
	switch {
	case !ok:
		g.log.Warn("client refused: its certificate names no device", slog.String("remote", cl.Net.Remote))
		return false
	case cl.ID != id.name:
		g.log.Warn("client refused: its id is not the name in its certificate",
			slog.String("id", cl.ID), slog.String("name", id.name), slog.String("remote", cl.Net.Remote))
		return false
	case pk.Connect.WillFlag && !id.mayWrite(pk.Connect.WillTopic):
		g.log.Warn("client refused: its will lies on a topic of another",
			slog.String("id", cl.ID), slog.String("topic", pk.Connect.WillTopic))
		return false
	}
	return true
}

// OnACLCheck allows a topic for writing, a topic or filter for reading.
func (g *gate) OnACLCheck(cl *mochi.Client, topic string, write bool) bool {
	if !g.secure {
		return true
	}
	id, ok := clientIdentity(cl)
	if !ok {
		return false
	}
	if write {
		return id.mayWrite(topic)
	}
	return id.mayRead(topic)
}

func clientIdentity(cl *mochi.Client) (identity, bool) {
	c, ok := cl.Net.Conn.(*tls.Conn)
	if !ok {
		return identity{}, false
	}
	return peerIdentity(c)
}

// OnPublish keeps the message before mochi acknowledges it. If that fails the
// connection is closed, so that the device sends the message again.
func (g *gate) OnPublish(cl *mochi.Client, pk packets.Packet) (packets.Packet, error) {
	if cl.Net.Inline {
		return pk, nil
	}
	if err := g.receive(pk.TopicName, pk.Payload); err != nil {
		g.log.Error("message not kept, connection closed", slog.String("topic", pk.TopicName), slog.Any("error", err))
		// Not cl.Stop: after that mochi takes the end for a polite one and sends no will.
		cl.Net.Conn.Close()
		return pk, packets.ErrRejectPacket
	}
	return pk, nil
}

// OnWillSent hands wills over: they do not pass OnPublish.
func (g *gate) OnWillSent(_ *mochi.Client, pk packets.Packet) {
	if err := g.receive(pk.TopicName, pk.Payload); err != nil {
		g.log.Error("will not kept", slog.String("topic", pk.TopicName), slog.Any("error", err))
	}
}

// quiet passes mochi's errors on; its other lines, one for each connection that
// breaks among them, are of use to nobody who operates a trainer.
type quiet struct{ slog.Handler }

func (q quiet) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelError && q.Handler.Enabled(ctx, level)
}

func (q quiet) WithAttrs(attrs []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(attrs)} }
func (q quiet) WithGroup(name string) slog.Handler       { return quiet{q.Handler.WithGroup(name)} }
