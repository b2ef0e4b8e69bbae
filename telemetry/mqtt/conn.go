package mqtt

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"net/url"
	"sync"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// Conn is one connection of a Session. It is never reconnected.
type Conn struct {
	s      *Session
	number uint64
	client paho.Client
	ctx    context.Context // ends with the connection
	cancel context.CancelFunc
	lost   chan error // why it ended; capacity 1, the first cause counts

	inbound chan paho.Message
	slots   chan struct{} // a token for each publication in flight
	ready   bool          // OnUp has returned; guarded by Session.mu

	link      *link
	keepAlive time.Duration
	made      []*Subscription // those that connect made

	mu      sync.Mutex
	ending  bool           // no more workers
	workers sync.WaitGroup // joined by end: OnUp, handlers, late acknowledgements
}

// Session returns the number of the connection, as given to Options.Will.
func (c *Conn) Session() uint64 { return c.number }

// connect makes a connection whose subscriptions stand.
func (s *Session) connect(ctx context.Context, number uint64) (*Conn, error) {
	c := &Conn{
		s:       s,
		number:  number,
		lost:    make(chan error, 1),
		inbound: make(chan paho.Message, s.o.QueueLen),
		slots:   make(chan struct{}, Window),
	}
	// The connection outlives Run's context by the goodbye.
	c.ctx, c.cancel = context.WithCancel(context.WithoutCancel(ctx))
	dialCtx, dialed := context.WithTimeout(ctx, s.o.ConnectTimeout)
	defer dialed()
	if err := c.dial(dialCtx); err != nil {
		c.cancel()
		return nil, fmt.Errorf("mqtt: connect: %w", err)
	}
	// Answers that do not come end with the time for dialing, too.
	done := context.AfterFunc(dialCtx, func() { c.link.breakOff(dialCtx.Err()) })
	c.client = paho.NewClient(c.pahoOptions())
	err := c.greet()
	if !done() || err != nil && c.link.broken.Load() {
		c.link.breakOff(dialCtx.Err()) // waits for AfterFunc's, if that is under way
		err = c.link.cause             // without what paho wraps round it
	}
	if err != nil {
		c.end(err)
		return nil, fmt.Errorf("mqtt: connect: %w", err)
	}
	return c, nil
}

// greet waits for CONNACK and SUBACK.
func (c *Conn) greet() error {
	token := c.client.Connect()
	if !token.WaitTimeout(c.patience()) {
		return errors.New("no answer to CONNECT")
	}
	if err := token.Error(); err != nil {
		return err
	}
	c.spawn(c.handle)
	c.made = c.s.subscriptions()
	ctx, cancel := context.WithTimeout(c.ctx, c.patience())
	defer cancel()
	return c.granted(ctx, c.askForAll(c.made))
}

// patience is longer than what connect allows: the link breaks first, and every token
// completes.
func (c *Conn) patience() time.Duration { return c.s.o.ConnectTimeout + c.s.o.WriteTimeout }

// pingCheck is how often paho looks whether to ping.
const pingCheck = 5 * time.Second

// dial opens the link.
func (c *Conn) dial(ctx context.Context) error {
	o := &c.s.o
	c.keepAlive = o.KeepAlive
	if c.keepAlive == 0 {
		c.keepAlive = 50*time.Second + time.Duration(o.Rand()*float64(20*time.Second))
	}
	conn, err := c.s.broker.dial(ctx, o)
	if err != nil {
		return err
	}
	c.link = &link{
		Conn:         conn,
		writeTimeout: o.WriteTimeout,
		silence:      c.keepAlive + pingCheck + o.WriteTimeout,
		onBroken:     c.fail,
	}
	return nil
}

// spawn runs fn on a goroutine that end joins. It reports false, and does not run fn,
// once the connection is ending.
func (c *Conn) spawn(fn func()) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ending {
		c.workers.Go(fn)
	}
	return !c.ending
}

// pahoOptions configures a client for a single connection; the package comment says
// why each is set so.
func (c *Conn) pahoOptions() *paho.ClientOptions {
	s := c.s
	o := paho.NewClientOptions().
		AddBroker("tcp://" + s.broker.address). // only a name: the link stands already
		SetClientID(s.o.ClientID).
		SetUsername(s.o.Username).
		SetPassword(s.o.Password).
		SetProtocolVersion(4).
		SetCleanSession(true).
		SetAutoReconnect(false).
		SetConnectRetry(false).
		SetResumeSubs(false).
		// In order, because the handler only appends to a queue: without order paho
		// starts a goroutine for each message, and they overtake each other.
		SetOrderMatters(true).
		SetAutoAckDisabled(true).
		SetKeepAlive(c.keepAlive).
		SetPingTimeout(math.MaxInt64). // link sees to it
		SetConnectTimeout(s.o.ConnectTimeout).
		SetWriteTimeout(s.o.WriteTimeout).
		SetStore(paho.NewMemoryStore()).
		SetDefaultPublishHandler(c.enqueue).
		SetConnectionLostHandler(func(_ paho.Client, err error) { c.fail(err) }).
		SetCustomOpenConnectionFn(func(*url.URL, paho.ClientOptions) (net.Conn, error) {
			return c.link, nil
		})
	if s.o.Will != nil {
		if w := s.o.Will(c.number); w != nil {
			o.SetBinaryWill(w.Topic, w.Payload, w.QoS, w.Retain)
		}
	}
	return o
}

// fail ends the connection for a reason; the first one counts.
func (c *Conn) fail(err error) {
	select {
	case c.lost <- err:
	default:
	}
}

// quiesce is how long a DISCONNECT may take.
const quiesce = 250 * time.Millisecond

// end disconnects, politely if there is no cause, and joins every goroutine of the
// connection.
func (c *Conn) end(cause error) {
	c.cancel()
	if cause != nil {
		c.link.breakOff(cause)
	}
	c.link.shut()
	// Also after a loss: paho's goroutines end for certain only so.
	c.client.Disconnect(uint(quiesce / time.Millisecond))
	c.mu.Lock()
	c.ending = true
	c.mu.Unlock()
	c.workers.Wait()
}
