package trainer

import (
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// flaky fails some times before it gives a connection, and is closed then.
type flaky struct {
	net.Listener
	failures int
	conn     net.Conn
}

func (f *flaky) Accept() (net.Conn, error) {
	if f.failures > 0 {
		f.failures--
		return nil, errors.New("too many open files")
	}
	if c := f.conn; c != nil {
		f.conn = nil
		return c, nil
	}
	return nil, net.ErrClosed
}

func TestDoor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		defer there.Close()
		d := door{&flaky{failures: 3, conn: here}}
		c, err := d.Accept()
		if err != nil {
			t.Fatalf("got %v, want the connection after three failures", err)
		}
		began := time.Now()
		if _, err := c.Read(make([]byte, 1)); err == nil {
			t.Error("read something from a silent stranger")
		}
		if waited := time.Since(began); waited != admission {
			t.Errorf("a silent stranger may stay %v, want %v", waited, admission)
		}
		if _, err := d.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("got %v, want ErrClosed", err)
		}
	})
}
