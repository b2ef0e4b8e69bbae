package trainer

import (
	"errors"
	"net"
	"time"
)

// admission is how long a stranger has from connecting to CONNECT. After that
// mochi sets deadlines by the client's keep-alive.
const admission = 30 * time.Second

// acceptPause is the pause after a failure to accept, such as too many open files.
const acceptPause = 50 * time.Millisecond

// door is the broker's listener. mochi lets a connection wait for its CONNECT
// for ever, and stops listening at the first failure to accept.
type door struct{ net.Listener }

// Accept waits for the next connection. It fails only when the door is closed.
func (d door) Accept() (net.Conn, error) {
	for {
		c, err := d.Listener.Accept()
		if err == nil {
			err = c.SetDeadline(time.Now().Add(admission))
			if err == nil {
				return c, nil
			}
			c.Close()
		}
		if errors.Is(err, net.ErrClosed) {
			return nil, err
		}
		time.Sleep(acceptPause)
	}
}
