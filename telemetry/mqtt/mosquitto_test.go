package mqtt

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// findMosquitto returns the broker's path; plain users may lack /usr/sbin in PATH.
func findMosquitto(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"mosquitto", "/usr/sbin/mosquitto"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("KEDGE_REQUIRE_MOSQUITTO") == "1" {
		t.Fatal("mosquitto is not installed, but KEDGE_REQUIRE_MOSQUITTO=1")
	}
	t.Skip("mosquitto is not installed: not tested against a real broker")
	return ""
}

// startMosquitto runs the broker on an address and returns the function that kills
// it.
func startMosquitto(t *testing.T, path, address string) func() {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "mosquitto.conf")
	text := fmt.Sprintf("user root\nper_listener_settings true\npersistence false\nlog_dest stderr\nmax_queued_messages 100000\nlistener %s 127.0.0.1\nallow_anonymous true\n", port)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "-c", config)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop := sync.OnceFunc(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	t.Cleanup(stop)
	eventually(t, "mosquitto", func() bool {
		c, err := net.Dial("tcp", address)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	return stop
}

// freeAddress returns a loopback address that nobody listened on a moment ago.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// The broker dies in the middle and comes back: every message arrives at a
// subscriber that was there all the time or is still in the source, and the will of
// a device that vanished is published.
func TestMosquitto(t *testing.T) {
	path := findMosquitto(t)
	address := freeAddress(t)
	kill := startMosquitto(t, path, address)
	url := "tcp://" + address

	var mu sync.Mutex
	seen := map[string]int{}
	states := make(chan string, 10)
	centre, _ := start(t, Options{BrokerURL: url, ClientID: "centre", QueueLen: 5000, Subscriptions: []Subscription{
		{Filter: "$share/kedge/out/+", QoS: 1, Handler: func(_ string, payload []byte, _ bool) {
			mu.Lock()
			defer mu.Unlock()
			seen[string(payload)]++
		}},
		{Filter: "state", QoS: 1, Handler: func(_ string, payload []byte, retained bool) {
			states <- fmt.Sprintf("%s %t", payload, retained)
		}},
	}})
	eventually(t, "the centre", centre.Connected)

	source := newMemory(nil)
	p := startProxy(t, address, noLimit)
	var session atomic.Uint64
	device, _ := start(t, Options{BrokerURL: p.url(), ClientID: "dev1", Will: func(n uint64) *Will {
		return &Will{Topic: "state", Payload: fmt.Appendf(nil, "dead %d", n), QoS: 1, Retain: true}
	}, OnUp: func(_ context.Context, c *Conn) { session.Store(c.Session()) }})
	runPump(t, device, source)
	const messages = 2000
	all := numbered(messages)
	source.put(all[:1000]...)
	eventually(t, "some messages", func() bool { return source.left() < 900 })
	kill()
	eventually(t, "the loss", func() bool { return !device.Connected() && !centre.Connected() })
	source.put(all[1000:]...)
	startMosquitto(t, path, address)
	eventually(t, "an empty source", func() bool { return source.left() == 0 })
	arrived := func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(seen)
	}
	// The broker kept nothing over its death: what it had acknowledged, but not yet
	// forwarded, and what came before the centre was back, is its loss, not ours.
	eventually(t, "the centre's return", centre.Connected)
	if err := device.Publish(t.Context(), "out/x", []byte("last"), 1, false); err != nil {
		t.Errorf("Publish: %v", err)
	}
	eventually(t, "the last message", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return seen["last"] > 0
	})
	t.Logf("%d of %d messages acknowledged by the broker, %d reached the centre through its death", len(source.acked), messages, arrived()-1)

	want := fmt.Sprintf("dead %d false", session.Load())
	p.cut()
	for deadline := time.After(10 * time.Second); ; {
		select {
		case state := <-states:
			if state == want {
				return
			}
		case <-deadline:
			t.Fatalf("no %q after 10s", want)
		}
	}
}

// OnUp's context ends with the connection, and a session that ends while it is
// connecting returns at once.
func TestMosquittoStopWhileBusy(t *testing.T) {
	path := findMosquitto(t)
	address := freeAddress(t)
	startMosquitto(t, path, address)
	ended := make(chan struct{})
	up := make(chan struct{})
	s, stop := start(t, Options{BrokerURL: "mqtt://" + address, OnUp: func(ctx context.Context, c *Conn) {
		close(up)
		<-ctx.Done()
		close(ended)
	}})
	<-up
	if !s.Connected() {
		t.Error("OnUp runs, but Connected is false")
	}
	began := time.Now()
	stop()
	<-ended
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("stopping took %v", took)
	}
}
