package mqtt

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
)

// recorder is a broker's hook that allows everything but some filters, and notes
// what the broker has received before it acknowledges.
type recorder struct {
	mochi.HookBase
	deny string

	mu   sync.Mutex
	got  []string // payloads
	subs [][]string
}

func (r *recorder) ID() string { return "recorder" }
func (r *recorder) Provides(b byte) bool {
	return slices.Contains([]byte{mochi.OnConnectAuthenticate, mochi.OnACLCheck, mochi.OnPublish, mochi.OnSubscribe}, b)
}
func (r *recorder) OnConnectAuthenticate(*mochi.Client, packets.Packet) bool { return true }
func (r *recorder) OnACLCheck(_ *mochi.Client, topic string, _ bool) bool {
	return r.deny == "" || topic != r.deny
}
func (r *recorder) OnPublish(_ *mochi.Client, pk packets.Packet) (packets.Packet, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got = append(r.got, string(pk.Payload))
	return pk, nil
}
func (r *recorder) OnSubscribe(_ *mochi.Client, pk packets.Packet) packets.Packet {
	r.mu.Lock()
	defer r.mu.Unlock()
	var filters []string
	for _, f := range pk.Filters {
		filters = append(filters, f.Filter)
	}
	r.subs = append(r.subs, filters)
	return pk
}
func (r *recorder) received() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

// startBroker runs an embedded broker and returns its address.
func startBroker(t *testing.T, hook *recorder, config *tls.Config) (*mochi.Server, string) {
	t.Helper()
	server := mochi.New(&mochi.Options{InlineClient: true, Logger: slog.New(slog.DiscardHandler)})
	if err := server.AddHook(hook, nil); err != nil {
		t.Fatal(err)
	}
	l := listeners.NewTCP(listeners.Config{ID: "t", Address: "127.0.0.1:0", TLSConfig: config})
	if err := server.AddListener(l); err != nil {
		t.Fatal(err)
	}
	if err := server.Serve(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return server, l.Address()
}

// quick fills in what makes a session fast enough for a test.
func quick(o Options) Options {
	o.BackoffMin, o.BackoffMax = time.Millisecond, 5*time.Millisecond
	if o.ClientID == "" {
		o.ClientID = "dev1"
	}
	return o
}

// start runs a session until the test ends or the returned function is called, and
// checks that it leaves no goroutine.
func start(t *testing.T, o Options) (*Session, func()) {
	t.Helper()
	s, err := New(quick(o))
	if err != nil {
		t.Fatal(err)
	}
	return s, run(t, s)
}

// run is start for a session that was made already.
func run(t *testing.T, s *Session) func() {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Run: got %v, want nil", err)
			}
		case <-time.After(20 * time.Second):
			t.Error("Run does not return")
		}
		checkLeaks(t)
	})
	t.Cleanup(stop)
	return stop
}

// checkLeaks fails if goroutines of the session or of paho remain. paho's last ones
// end by themselves a moment after Disconnect.
func checkLeaks(t *testing.T) {
	t.Helper()
	var left []string
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		buf := make([]byte, 1<<20)
		buf = buf[:runtime.Stack(buf, true)]
		left = nil
		for g := range strings.SplitSeq(string(buf), "\n\n") {
			if strings.Contains(g, "paho.mqtt.golang.") || strings.Contains(g, "mqtt.(*Session)") || strings.Contains(g, "mqtt.(*Conn)") {
				left = append(left, g)
			}
		}
		if len(left) == 0 {
			return
		}
	}
	t.Errorf("%d goroutines are left:\n%s", len(left), strings.Join(left, "\n\n"))
}

// eventually waits for cond.
func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		if cond() {
			return
		}
	}
	t.Fatalf("waited 20s for %s", what)
}

// proxy forwards TCP connections and can cut them.
type proxy struct {
	listener net.Listener
	target   string
	// limit returns how many bytes of connection n may reach the client before both
	// ends are cut; negative: no limit.
	limit func(n int) int

	mu    sync.Mutex
	conns []net.Conn
	count int
}

func startProxy(t *testing.T, target string, limit func(n int) int) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, target: target, limit: limit}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { p.serve(c) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		p.cut()
		wg.Wait()
	})
	return p
}

func (p *proxy) url() string { return "tcp://" + p.listener.Addr().String() }

func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer server.Close()
	p.mu.Lock()
	p.count++
	n := p.count
	p.conns = append(p.conns, client, server)
	p.mu.Unlock()
	go func() {
		_, _ = io.Copy(server, client)
		server.Close()
	}()
	if limit := p.limit(n); limit >= 0 {
		_, _ = io.CopyN(client, server, int64(limit))
		return
	}
	_, _ = io.Copy(client, server)
}

// cut breaks every connection.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.Close()
	}
	p.conns = nil
}

// statuses notes what OnStatus was told.
type statuses struct {
	mu  sync.Mutex
	all []Status
}

func (s *statuses) add(status Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, status)
}

func (s *statuses) list() []Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.all)
}

func noLimit(int) int { return -1 }

// lockedBuffer is a log that a test may read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
