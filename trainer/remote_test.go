package trainer

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"kedge/trainer/fleet"
)

// mosquitto is a real broker that keeps what it has over a restart, as a broker
// for a trainer has to.
type mosquitto struct {
	t       *testing.T
	path    string
	conf    string
	address string
	cmd     *exec.Cmd
	log     bytes.Buffer
}

func newMosquitto(t *testing.T) *mosquitto {
	t.Helper()
	m := &mosquitto{t: t}
	for _, path := range []string{"mosquitto", "/usr/sbin/mosquitto"} {
		if found, err := exec.LookPath(path); err == nil {
			m.path = found
			break
		}
	}
	if m.path == "" {
		if os.Getenv("KEDGE_REQUIRE_MOSQUITTO") == "1" {
			t.Fatal("no mosquitto found")
		}
		t.Skip("no mosquitto found: not tested with a broker elsewhere")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m.address = l.Addr().String()
	l.Close()
	_, port, _ := net.SplitHostPort(m.address)
	dir := t.TempDir()
	m.conf = filepath.Join(dir, "mosquitto.conf")
	// As root mosquitto becomes another user before it opens its files.
	conf := fmt.Sprintf("user root\npersistence true\npersistence_location %s/\nautosave_interval 1\nautosave_on_changes true\n"+
		"log_dest stderr\nlistener %s 127.0.0.1\nallow_anonymous true\n", dir, port)
	if err := os.WriteFile(m.conf, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	m.start()
	t.Cleanup(m.stop)
	return m
}

func (m *mosquitto) start() {
	m.t.Helper()
	m.cmd = exec.Command(m.path, "-c", m.conf)
	m.cmd.Stderr = &m.log
	if err := m.cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		c, err := net.Dial("tcp", m.address)
		if err == nil {
			c.Close()
			return
		}
		if time.Now().After(deadline) {
			m.t.Fatalf("mosquitto does not listen: %v\n%s", err, m.log.Bytes())
		}
	}
}

func (m *mosquitto) stop() {
	if m.cmd == nil {
		return
	}
	if err := m.cmd.Process.Signal(os.Interrupt); err != nil {
		m.t.Error(err)
	}
	if err := m.cmd.Wait(); err != nil {
		m.t.Errorf("mosquitto: %v\n%s", err, m.log.Bytes())
	}
	m.cmd = nil
}

func (m *mosquitto) url() string { return "mqtt://" + m.address }

// What the broker acknowledged while the trainer was away reaches it when it is
// back, also over a restart of the broker, and what is to be published stands again.
func TestRemoteBroker(t *testing.T) {
	m := newMosquitto(t)
	dir := newDir(t)
	c := start(t, Options{Dir: dir, BrokerURL: m.url()})
	prepare(t, c)
	c.run()
	d := enroll(t, c, "b1")
	d.install(1)
	c.await(fleet.Committed, 1)
	c.stop()

	drifted := newWorld(2)
	drifted.drift = 1
	samples, labels := d.capture(drifted, 100)
	d.truth(labels)
	d.report("alarm-1", "e1", 100)
	d.upload("e1", 0, true, samples)
	m.stop()
	m.start()

	c = start(t, Options{Dir: dir, BrokerURL: m.url()})
	c.run()
	c.await(fleet.Drift, 1)
	c.await(fleet.Assigned, 1)
	d.peer = enroll(t, c, "b1").peer
	d.install(2)
	c.await(fleet.Committed, 1)

	m.stop()
	m.start()
	d.peer = enroll(t, c, "b1").peer
	d.report("alarm-2", "e2", 100)
	c.await(fleet.Drift, 2)
}
