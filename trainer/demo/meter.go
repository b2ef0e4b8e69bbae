package demo

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
)

// A meter is a relay on loopback between one device and the broker that counts
// the bytes in both directions: what would have gone over the air, MQTT
// headers and acknowledgements included, TCP and IP not.
type meter struct {
	listener net.Listener
	broker   string
	bytes    atomic.Int64
	stop     context.CancelFunc
	wg       sync.WaitGroup
}

// newMeter relays to broker (host:port) until ctx ends or close is called.
func newMeter(ctx context.Context, broker string) (*meter, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("meter: %w", err)
	}
	ctx, stop := context.WithCancel(ctx)
	m := &meter{listener: l, broker: broker, stop: stop}
	context.AfterFunc(ctx, func() { l.Close() })
	m.wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return // closed with ctx
			}
			m.wg.Go(func() { m.relay(ctx, conn) })
		}
	})
	return m, nil
}

func (m *meter) addr() string { return m.listener.Addr().String() }

// close ends all relays and joins them.
func (m *meter) close() {
	m.stop()
	m.wg.Wait()
}

func (m *meter) relay(ctx context.Context, device net.Conn) {
	defer device.Close()
	var d net.Dialer
	broker, err := d.DialContext(ctx, "tcp", m.broker)
	if err != nil {
		return // the device sees its connection close and tries again
	}
	defer broker.Close()
	stop := context.AfterFunc(ctx, func() { device.Close(); broker.Close() })
	defer stop()
	var wg sync.WaitGroup
	wg.Go(func() { m.copy(broker, device) })
	wg.Go(func() { m.copy(device, broker) })
	wg.Wait()
}

// copy relays one direction and then ends both, as MQTT has no half-closed connections.
func (m *meter) copy(dst, src net.Conn) {
	_, _ = io.Copy(io.MultiWriter(dst, counter{&m.bytes}), src)
	dst.Close()
	src.Close()
}

type counter struct{ n *atomic.Int64 }

func (c counter) Write(b []byte) (int, error) {
	c.n.Add(int64(len(b)))
	return len(b), nil
}
