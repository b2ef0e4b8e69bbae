package trainer

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"kedge/telemetry/trust"
	"kedge/telemetry/wire"
	"kedge/trainer/fleet"
	"kedge/trainer/release"
)

func TestExposedBrokerRefuses(t *testing.T) {
	dir := newDir(t)
	for _, listen := range []string{"0.0.0.0:0", "[::]:0", ":0", "192.0.2.1:0"} {
		for _, config := range []*tls.Config{nil, {}, {ClientAuth: tls.RequireAndVerifyClientCert}, {ClientCAs: x509.NewCertPool(), Certificates: make([]tls.Certificate, 1)}} {
			if _, err := Open(context.Background(), Options{Dir: dir, Listen: listen, ListenTLS: config}); !errors.Is(err, ErrExposed) {
				t.Errorf("%s with %+v: got %v, want ErrExposed", listen, config, err)
			}
		}
	}
	if _, err := Open(context.Background(), Options{Dir: dir, Listen: "nonsense"}); err == nil {
		t.Error("an address without a port was taken")
	}
}

func TestLock(t *testing.T) {
	dir := newDir(t)
	first := start(t, Options{Dir: dir})
	if _, err := Open(context.Background(), Options{Dir: dir, Listen: "127.0.0.1:0"}); !errors.Is(err, ErrLocked) {
		t.Errorf("got %v, want ErrLocked", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := start(t, Options{Dir: dir})
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
}

// secured is a folder of keys with what a TLS broker needs.
type secured struct {
	t         *testing.T
	dir       string
	authority *release.Authority
	pool      *x509.CertPool
	server    *tls.Config
}

func secure(t *testing.T) *secured {
	t.Helper()
	s := &secured{t: t, dir: newDir(t), pool: x509.NewCertPool()}
	keys := filepath.Join(s.dir, "keys")
	var err error
	if s.authority, err = release.LoadAuthority(keys, nil); err != nil {
		t.Fatal(err)
	}
	cert, key, err := s.authority.Server([]string{"127.0.0.1"}, 1)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile := filepath.Join(s.dir, "server.crt"), filepath.Join(s.dir, "server.key")
	for path, data := range map[string][]byte{certFile: cert, keyFile: key} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if s.server, err = ServerTLS(certFile, keyFile, filepath.Join(keys, "ca.crt")); err != nil {
		t.Fatal(err)
	}
	ca, err := os.ReadFile(filepath.Join(keys, "ca.crt"))
	if err != nil || !s.pool.AppendCertsFromPEM(ca) {
		t.Fatal("no authority", err)
	}
	return s
}

type granter func([]byte, int) ([]byte, release.Identity, error)

// client makes a client's TLS configuration with a certificate for the name.
func (s *secured) client(grant granter, name string) *tls.Config {
	s.t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		Subject: pkix.Name{CommonName: name, Organization: []string{"hall"}},
	}, key)
	if err != nil {
		s.t.Fatal(err)
	}
	cert, _, err := grant(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}), 1)
	if err != nil {
		s.t.Fatal(err)
	}
	keyPEM, err := trust.MarshalKey(key)
	if err != nil {
		s.t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(cert, keyPEM)
	if err != nil {
		s.t.Fatal(err)
	}
	return &tls.Config{RootCAs: s.pool, Certificates: []tls.Certificate{pair}}
}

// try connects and returns the error.
func try(address, id string, config *tls.Config, edit func(*paho.ClientOptions)) error {
	o := paho.NewClientOptions().AddBroker(address).SetClientID(id).SetTLSConfig(config).
		SetAutoReconnect(false).SetConnectRetry(false).SetConnectTimeout(5 * time.Second)
	if edit != nil {
		edit(o)
	}
	c := paho.NewClient(o)
	defer c.Disconnect(0)
	token := c.Connect()
	if !token.WaitTimeout(patience) {
		return errors.New("no answer")
	}
	return token.Error()
}

// Real TLS, real clients: who may come in, and what they may do.
func TestSecuredBroker(t *testing.T) {
	s := secure(t)
	c := start(t, Options{Dir: s.dir, ListenTLS: s.server})
	prepare(t, c)
	c.run()
	address := c.BrokerURL()
	device := s.client(s.authority.Device, "press-7")
	other := s.client(s.authority.Device, "press-8")
	lab := s.client(s.authority.Source, "lab")
	stranger := secure(t)
	with := func(topic string) func(*paho.ClientOptions) {
		return func(o *paho.ClientOptions) { o.SetWill(topic, "{}", 1, true) }
	}
	own := wire.DeviceTopics{Site: "hall", Device: "press-7"}
	foreign := wire.DeviceTopics{Site: "hall", Device: "press-8"}
	for _, v := range []struct {
		name, id string
		config   *tls.Config
		edit     func(*paho.ClientOptions)
		ok       bool
	}{
		{"own id", "press-7", device, nil, true},
		{"a will of its own", "press-7", device, with(own.State()), true},
		{"another device's id", "press-8", device, nil, false},
		{"another device's will", "press-7", device, with(foreign.State()), false},
		{"a will on its own assignment", "press-7", device, with(own.Assign()), false},
		{"the centre's id", "inline", device, nil, false},
		{"no certificate", "press-7", &tls.Config{RootCAs: s.pool}, nil, false},
		{"a stranger's certificate", "press-7", func() *tls.Config {
			config := stranger.client(stranger.authority.Device, "press-7")
			config.RootCAs = s.pool
			return config
		}(), nil, false},
		{"a source", "lab", lab, nil, true},
		{"the broker's own certificate", "127.0.0.1", &tls.Config{RootCAs: s.pool, Certificates: s.server.Certificates}, nil, false},
	} {
		if err := try(address, v.id, v.config, v.edit); (err == nil) != v.ok {
			t.Errorf("%s: got %v, want admitted %v", v.name, err, v.ok)
		}
	}

	withTLS := func(config *tls.Config) func(*paho.ClientOptions) {
		return func(o *paho.ClientOptions) { o.SetTLSConfig(config) }
	}
	d := connect(t, address, "press-7", withTLS(device))
	for filter, ok := range map[string]bool{
		own.Assign(): true, own.Reference(): true, own.Chunks(): true, wire.Roots(): true, "kedge/v1/rel/+": true,
		wire.GroupAssign("hall", "presses"): true,
		foreign.Assign():                    false, foreign.Chunks(): false, "#": false, "kedge/v1/d/+/+/assign": false,
		foreign.State(): false, wire.GroupAssign("yard", "presses"): false, "$SYS/#": false, "$share/x/#": false,
	} {
		if got := d.subscribe(filter); got != ok {
			t.Errorf("subscription to %s: got %v, want %v", filter, got, ok)
		}
	}
	d.await(own.Assign(), nil)
	d.await(wire.Root(1), nil)
	e := connect(t, address, "press-8", withTLS(other))
	for name, p := range map[string]*peer{own.Device: e, foreign.Device: d} {
		to := wire.DeviceTopics{Site: "hall", Device: name}
		token := p.client.Publish(to.Get(), 1, false, "{}")
		if token.WaitTimeout(time.Second) && token.Error() == nil {
			t.Errorf("writing to a topic of %s was acknowledged to another device", name)
		}
	}
	// MQTT 3.1.1 knows no refusal of a message: the connection is closed.
	for deadline := time.Now().Add(patience); d.client.IsConnectionOpen() || e.client.IsConnectionOpen(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("a device that wrote to another's topic is still connected")
		}
	}
	source := connect(t, address, "lab", withTLS(lab))
	source.publish(wire.Truth("hall", "lab"), wire.Labels{V: wire.Version, Labels: []wire.Label{{Sample: "press-7/b/1", Label: "calm"}}})
	if source.subscribe("kedge/v1/#") {
		t.Error("a source of labels may read")
	}
}

// What cannot be kept is not acknowledged: the device sends it again.
func TestNoAcknowledgementBeforeTheStore(t *testing.T) {
	var mu sync.Mutex
	broken, kept := true, 0
	b, err := startBroker("127.0.0.1:0", nil, func(topic string, _ []byte) error {
		mu.Lock()
		defer mu.Unlock()
		if broken {
			return errors.New("disk full")
		}
		kept++
		return nil
	}, slog.New(slog.NewTextHandler(testWriter{t}, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-done, b.close()); err != nil {
			t.Error(err)
		}
	})
	topic := wire.DeviceTopics{Site: "hall", Device: "d"}.Event(wire.KindDrift)
	p := connect(t, b.url(), "d", nil)
	token := p.client.Publish(topic, 1, false, "x")
	if token.WaitTimeout(300*time.Millisecond) && token.Error() == nil {
		t.Error("acknowledged, though it was not kept")
	}
	for deadline := time.Now().Add(patience); p.client.IsConnectionOpen(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the connection stays open: the device would wait for ever")
		}
	}
	mu.Lock()
	broken = false
	mu.Unlock()
	connect(t, b.url(), "d", nil).publish(topic, []byte("x"))
	mu.Lock()
	defer mu.Unlock()
	if kept != 1 {
		t.Errorf("got %d messages kept, want 1", kept)
	}
}

// A will comes in like any message, and a device's end shows.
func TestWill(t *testing.T) {
	c := start(t, Options{Dir: newDir(t)})
	c.run()
	topic := wire.DeviceTopics{Site: "hall", Device: "d"}.State()
	state := func(online bool) []byte {
		return []byte(`{"v":1,"device":"d","boot":"b","session":1,"online":` + map[bool]string{true: "true", false: "false"}[online] + `}`)
	}
	var line net.Conn
	p := connect(t, c.BrokerURL(), "d", func(o *paho.ClientOptions) {
		o.SetBinaryWill(topic, state(false), 1, true)
		o.SetCustomOpenConnectionFn(func(u *url.URL, _ paho.ClientOptions) (_ net.Conn, err error) {
			line, err = net.Dial("tcp", u.Host)
			return line, err
		})
	})
	p.publish(topic, state(true))
	c.await(fleet.Online, 1)
	line.Close()
	c.await(fleet.Offline, 1)
}
