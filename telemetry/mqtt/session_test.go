package mqtt

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

func TestPublishAndSubscribe(t *testing.T) {
	hook := &recorder{}
	server, address := startBroker(t, hook, nil)
	const filters, messages = 20, 2000
	var mu sync.Mutex
	var got []string
	var subs []Subscription
	for i := range filters {
		subs = append(subs, Subscription{Filter: fmt.Sprintf("f/%d", i), QoS: 1, Handler: func(topic string, payload []byte, _ bool) {
			mu.Lock()
			defer mu.Unlock()
			got = append(got, string(payload))
		}})
	}
	s, stop := start(t, Options{BrokerURL: "tcp://" + address, Subscriptions: subs, QueueLen: messages})
	eventually(t, "a connection", s.Connected)
	if len(hook.subs) != 3 {
		t.Errorf("got %d SUBSCRIBE packets for %d filters, want 3 of at most %d", len(hook.subs), filters, maxFilters)
	}
	for _, f := range hook.subs {
		if len(f) > maxFilters {
			t.Errorf("SUBSCRIBE of %d filters, want at most %d", len(f), maxFilters)
		}
	}

	if err := s.Publish(t.Context(), "out", []byte("hello"), 1, false); err != nil {
		t.Fatalf("Publish: %v", err)
	}
	// QoS 1: what the broker acknowledged it has.
	if r := hook.received(); !slices.Contains(r, "hello") {
		t.Errorf("broker has %q, want hello", r)
	}
	if err := s.Publish(t.Context(), "out", nil, 0, false); err != nil {
		t.Errorf("Publish of nothing: %v", err)
	}
	if err := s.Publish(t.Context(), "a/+", nil, 1, false); !errors.Is(err, ErrInvalid) {
		t.Errorf("Publish to a filter: got %v, want ErrInvalid", err)
	}

	var want []string
	for i := range messages {
		want = append(want, fmt.Sprint(i))
		if err := server.Publish(fmt.Sprintf("f/%d", i%filters), []byte(want[i]), false, 1); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "all messages", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(got) >= messages
	})
	if !slices.Equal(got, want) {
		t.Errorf("messages came out of order or twice")
	}
	if d := s.Dropped(); d != 0 {
		t.Errorf("dropped %d messages, want 0", d)
	}
	stop()
	if err := s.Publish(t.Context(), "out", nil, 1, false); !errors.Is(err, ErrNotConnected) {
		t.Errorf("Publish after the end: got %v, want ErrNotConnected", err)
	}
}

// A handler may publish with QoS 1 and wait, and a slow one holds nothing up but
// itself.
func TestHandlersMayPublish(t *testing.T) {
	hook := &recorder{}
	server, address := startBroker(t, hook, nil)
	release := make(chan struct{})
	var s *Session
	var handled atomic.Int32
	answer := func(_ string, payload []byte, _ bool) {
		<-release
		if err := s.Publish(t.Context(), "res", payload, 1, false); err != nil {
			t.Errorf("Publish in a handler: %v", err)
		}
		handled.Add(1)
	}
	s, err := New(quick(Options{BrokerURL: "tcp://" + address, QueueLen: 5,
		Subscriptions: []Subscription{{Filter: "cmd", QoS: 0, Handler: answer}}}))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _ = s.Run(ctx) })
	eventually(t, "a connection", s.Connected)
	for i := range 20 {
		if err := server.Publish("cmd", []byte(fmt.Sprint(i)), false, 0); err != nil {
			t.Fatal(err)
		}
	}
	// One is with the handler, five wait, the rest exceed the queue.
	eventually(t, "14 dropped messages", func() bool { return s.Dropped() == 14 })
	if err := s.Publish(t.Context(), "out", []byte("meanwhile"), 1, false); err != nil {
		t.Errorf("Publish while a handler waits: %v", err)
	}
	close(release)
	eventually(t, "six answers", func() bool { return handled.Load() == 6 })
	cancel()
	wg.Wait()
	checkLeaks(t)
}

func TestWillAndStates(t *testing.T) {
	hook := &recorder{}
	server, address := startBroker(t, hook, nil)
	p := startProxy(t, address, noLimit)
	wills := make(chan string, 10)
	if err := server.Subscribe("state", 1, func(_ *mochi.Client, _ packets.Subscription, pk packets.Packet) {
		wills <- string(pk.Payload)
	}); err != nil {
		t.Fatal(err)
	}
	ups := make(chan bool, 10)
	var told statuses
	_, stop := start(t, Options{
		BrokerURL: p.url(),
		OnStatus:  told.add,
		Will: func(session uint64) *Will {
			return &Will{Topic: "state", Payload: fmt.Appendf(nil, "dead %d", session), QoS: 1, Retain: true}
		},
		OnUp: func(ctx context.Context, c *Conn) {
			if err := c.Publish(ctx, "state", fmt.Appendf(nil, "born %d", c.Session()), 1, true); err != nil {
				t.Errorf("birth: %v", err)
			}
			ups <- true
		},
		OnStop: func(ctx context.Context, c *Conn) {
			if err := c.Publish(ctx, "state", []byte("bye"), 1, true); err != nil {
				t.Errorf("goodbye: %v", err)
			}
		},
	})
	next := func() string {
		t.Helper()
		select {
		case w := <-wills:
			return w
		case <-time.After(10 * time.Second):
			t.Fatal("no state after 10s")
			return ""
		}
	}
	if got := next(); got != "born 1" {
		t.Errorf("got %q, want born 1", got)
	}
	<-ups // the birth is acknowledged
	p.cut()
	// The will and the next birth may come in either order: that is why each names
	// its session.
	got := []string{next(), next()}
	slices.Sort(got)
	if want := []string{"born 2", "dead 1"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	<-ups
	stop()
	if got := next(); got != "bye" {
		t.Errorf("got %q, want bye and no will", got)
	}
	all := told.list()
	if len(all) != 3 || !all[0].Up || all[1].Up || !all[1].Lost || all[1].Cause == nil || all[1].Do == "" || !all[2].Up ||
		all[0].Session != 1 || all[2].Session != 2 || all[1].Broker != p.url() {
		t.Errorf("told %+v, want up, lost with a cause and advice, up", all)
	}
	select {
	case w := <-wills:
		t.Errorf("got %q after the goodbye, want nothing", w)
	case <-time.After(50 * time.Millisecond):
	}
}

func TestRefusedSubscription(t *testing.T) {
	_, address := startBroker(t, &recorder{deny: "secret"}, nil)
	var log lockedBuffer
	handler := func(string, []byte, bool) {}
	s, stop := start(t, Options{BrokerURL: "tcp://" + address, Log: slog.New(slog.NewTextHandler(&log, nil)),
		Subscriptions: []Subscription{{Filter: "open", Handler: handler}, {Filter: "secret", Handler: handler}}})
	eventually(t, "a line in the log", func() bool { return log.String() != "" })
	time.Sleep(50 * time.Millisecond) // several attempts
	stop()
	if l := log.String(); s.Connected() || strings.Count(l, "\n") != 1 || !strings.Contains(l, "secret") || !strings.Contains(l, "access list") {
		t.Errorf("got connected %t, log %q; want one line that names the filter and what to do", s.Connected(), l)
	}

	s, _ = start(t, Options{BrokerURL: "tcp://" + address,
		Subscriptions: []Subscription{{Filter: "open", Handler: handler}, {Filter: "secret", Handler: handler, Optional: true}}})
	eventually(t, "a connection without the optional filter", s.Connected)
}

// A broker that swallows a message is left after AckTimeout.
func TestAckTimeout(t *testing.T) {
	_, address := startBroker(t, &recorder{}, nil)
	p := startProxy(t, address, noLimit)
	// The first connection lets CONNACK through and then nothing.
	stall := make(chan struct{})
	defer close(stall)
	var first atomic.Bool
	dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, p.listener.Addr().String())
		if err == nil && first.CompareAndSwap(false, true) {
			return &deafConn{Conn: conn, left: 4, closed: make(chan struct{})}, nil
		}
		return conn, err
	}
	downs := make(chan error, 10)
	status := func(s Status) {
		if !s.Up {
			downs <- s.Cause
		}
	}
	s, _ := start(t, Options{BrokerURL: p.url(), Dial: dial, AckTimeout: 100 * time.Millisecond, OnStatus: status})
	eventually(t, "a connection", s.Connected)
	// The caller's patience ends first: the watch goes on without it.
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := s.Publish(ctx, "a", []byte("x"), 1, false); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Publish: got %v, want the context's error", err)
	}
	if err := <-downs; !errors.Is(err, ErrAckTimeout) {
		t.Errorf("cause: got %v, want ErrAckTimeout", err)
	}
	eventually(t, "a new connection", s.Connected)
	if err := s.Publish(t.Context(), "a", []byte("x"), 1, false); err != nil {
		t.Errorf("Publish on the new connection: %v", err)
	}
}

// deafConn gives its reader a few bytes and then nothing until it is closed.
type deafConn struct {
	net.Conn
	left   int
	once   sync.Once
	closed chan struct{}
}

func (c *deafConn) Read(b []byte) (int, error) {
	if c.left == 0 {
		<-c.closed
		return 0, net.ErrClosed
	}
	n, err := c.Conn.Read(b[:min(len(b), c.left)])
	c.left -= n
	return n, err
}

func (c *deafConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

// A device whose clock stands in the past or whose broker's certificate is for a
// later time gets by with the trusted time.
func TestTLSTime(t *testing.T) {
	then := time.Now().Add(20 * 365 * 24 * time.Hour)
	dir := t.TempDir()
	pair, caFile := makeCertificate(t, dir, then)
	_, address := startBroker(t, &recorder{}, &tls.Config{Certificates: []tls.Certificate{pair}})

	var log lockedBuffer
	config, err := TLSConfig(caFile, "", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, stop := start(t, Options{BrokerURL: "mqtts://" + address, TLS: config, Log: slog.New(slog.NewTextHandler(&log, nil))})
	eventually(t, "a refusal", func() bool { return strings.Contains(log.String(), "clock") })
	stop()

	if config, err = TLSConfig(caFile, "", "", func() time.Time { return then.Add(time.Hour) }); err != nil {
		t.Fatal(err)
	}
	s, _ := start(t, Options{BrokerURL: "mqtts://" + address, TLS: config})
	eventually(t, "a connection", s.Connected)
}

// makeCertificate makes a self-signed certificate for 127.0.0.1, valid for a day
// from notBefore.
func makeCertificate(t *testing.T, dir string, notBefore time.Time) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "broker"},
		NotBefore:             notBefore,
		NotAfter:              notBefore.Add(24 * time.Hour),
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	caFile := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(caFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, caFile
}
