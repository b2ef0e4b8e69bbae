package e2e

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// A broker is a real mosquitto on a free loopback port, which can be stopped
// and started again at the same address.
type broker struct {
	t    *testing.T
	addr string
	conf string
	cmd  *exec.Cmd
	log  bytes.Buffer
}

// mosquittoPath finds the program; Debian puts it where plain users do not look.
func mosquittoPath() (string, error) {
	if p, err := exec.LookPath("mosquitto"); err == nil {
		return p, nil
	}
	return exec.LookPath("/usr/sbin/mosquitto")
}

func startBroker(t *testing.T) *broker {
	t.Helper()
	b := &broker{t: t, addr: freeAddr(t), conf: filepath.Join(t.TempDir(), "mosquitto.conf")}
	_, port, _ := net.SplitHostPort(b.addr)
	// As root mosquitto becomes another user before it reads its files. It keeps the
	// centre's session over a restart, as the centre asks of a broker of one's own.
	conf := fmt.Sprintf("user root\nper_listener_settings true\npersistence true\npersistence_location %s/\nlog_dest stderr\nmax_queued_messages 100000\n"+
		"listener %s 127.0.0.1\nallow_anonymous true\n", t.TempDir(), port)
	if err := os.WriteFile(b.conf, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	b.start()
	t.Cleanup(b.stop)
	return b
}

// freeAddr returns a loopback address that nobody listens on.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (b *broker) url() string { return "tcp://" + b.addr }

func (b *broker) start() {
	b.t.Helper()
	path, err := mosquittoPath()
	if err != nil {
		b.t.Fatal(err)
	}
	b.cmd = exec.Command(path, "-c", b.conf)
	b.cmd.Stderr = &b.log
	if err := b.cmd.Start(); err != nil {
		b.t.Fatalf("mosquitto: %v", err)
	}
	eventually(b.t, 10*time.Second, "mosquitto listens", func() bool {
		c, err := net.Dial("tcp", b.addr)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

func (b *broker) stop() {
	if b.cmd == nil {
		return
	}
	_ = b.cmd.Process.Signal(syscall.SIGTERM)
	_ = b.cmd.Wait() // it ends by our signal
	b.cmd = nil
}

// eventually waits until done, or fails with what it waited for.
func eventually(t *testing.T, limit time.Duration, what string, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for !done() {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v in vain: %s", limit, what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
