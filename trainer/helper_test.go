package trainer

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"kedge/telemetry/wire"
	"kedge/trainer/dataset"
	"kedge/trainer/fleet"
	"kedge/trainer/release"
	"kedge/trainer/store"
)

// patience is how long a test waits for what has to happen.
const patience = 60 * time.Second

// world gives samples of three kinds of hum; drift moves them all.
type world struct {
	rng   *rand.Rand
	drift float64
}

func newWorld(seed uint64) *world { return &world{rng: rand.New(rand.NewPCG(seed, 1))} }

var kinds = []string{"calm", "rough", "loud"}

const dims = 6

func (w *world) sample() (x []float32, class int) {
	class = w.rng.IntN(len(kinds))
	for j := range dims {
		center := 0.0
		if j%len(kinds) == class {
			center = 3
		}
		if (j+1)%len(kinds) == class { // drift blurs one kind into the next
			center += 3.2 * w.drift
		}
		x = append(x, float32(center+w.rng.NormFloat64()*0.6))
	}
	return x, class
}

func (w *world) table(n int) *dataset.Table {
	t := &dataset.Table{Classes: kinds}
	for j := range dims {
		t.Columns = append(t.Columns, store.Column{Name: fmt.Sprintf("f%d", j), Transform: dataset.TransformNone})
	}
	for range n {
		x, y := w.sample()
		t.X, t.Y = append(t.X, x...), append(t.Y, y)
	}
	return t
}

// center is a trainer under test with what it said.
type center struct {
	*Trainer
	t       *testing.T
	mu      sync.Mutex
	heard   []Notice
	changed chan struct{}
	stop    func()
}

// newDir makes a folder with keys.
func newDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := release.Init(filepath.Join(dir, "keys"), release.InitOptions{}); err != nil {
		t.Fatal(err)
	}
	return dir
}

// start opens a trainer in dir; run lets devices in.
func start(t *testing.T, o Options) *center {
	t.Helper()
	c := &center{t: t, changed: make(chan struct{}, 1)}
	if o.Listen == "" && o.BrokerURL == "" {
		o.Listen = "127.0.0.1:0"
	}
	o.Poll = 50 * time.Millisecond
	o.Notify = func(n Notice) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.heard = append(c.heard, n)
		select {
		case c.changed <- struct{}{}:
		default:
		}
	}
	o.Log = slog.New(slog.NewTextHandler(testWriter{t}, nil))
	var err error
	if c.Trainer, err = Open(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *center) run() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	var once sync.Once
	c.stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				c.t.Errorf("run: %v", err)
			}
			if err := c.Close(); err != nil {
				c.t.Errorf("close: %v", err)
			}
		})
	}
	c.t.Cleanup(c.stop)
}

// await waits until n notices of the kind have been heard and returns the last.
func (c *center) await(kind fleet.Kind, n int) Notice {
	c.t.Helper()
	deadline := time.After(patience)
	for {
		c.mu.Lock()
		var all []Notice
		for _, one := range c.heard {
			if one.Kind == kind {
				all = append(all, one)
			}
		}
		heard := fmt.Sprintf("%+v", c.heard)
		c.mu.Unlock()
		if len(all) >= n {
			return all[n-1]
		}
		select {
		case <-c.changed:
		case <-deadline:
			c.t.Fatalf("no notice %d of kind %s, heard %s", n, kind, heard)
		}
	}
}

// never reports a notice of the kind that was heard.
func (c *center) never(kind fleet.Kind) {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range c.heard {
		if n.Kind == kind {
			c.t.Errorf("got notice %+v, want none of kind %s", n, kind)
		}
	}
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Logf("%s", p)
	return len(p), nil
}

// peer is an MQTT client that stands for a device or a source of truth.
type peer struct {
	t      *testing.T
	client paho.Client
	topics wire.DeviceTopics
	mu     sync.Mutex
	last   map[string][]byte // latest message by topic
	news   chan struct{}
}

// connect dials the broker as id. edit may change the options.
func connect(t *testing.T, url, id string, edit func(*paho.ClientOptions)) *peer {
	t.Helper()
	p := &peer{t: t, topics: wire.DeviceTopics{Site: "hall", Device: id}, last: make(map[string][]byte), news: make(chan struct{}, 1)}
	o := paho.NewClientOptions().AddBroker(url).SetClientID(id).SetAutoReconnect(false).SetConnectTimeout(5 * time.Second).
		SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.last[m.Topic()] = m.Payload()
			select {
			case p.news <- struct{}{}:
			default:
			}
		})
	if edit != nil {
		edit(o)
	}
	p.client = paho.NewClient(o)
	if token := p.client.Connect(); !token.WaitTimeout(patience) || token.Error() != nil {
		t.Fatalf("%s connects: %v", id, token.Error())
	}
	t.Cleanup(func() { p.client.Disconnect(0) })
	return p
}

// subscribe reports whether the broker granted the filter.
func (p *peer) subscribe(filter string) bool {
	p.t.Helper()
	token := p.client.Subscribe(filter, 1, nil)
	if !token.WaitTimeout(patience) {
		p.t.Fatalf("no answer to subscribing %s", filter)
	}
	for _, granted := range token.(*paho.SubscribeToken).Result() { // paho drops $share/<group>/ from the key
		if granted > 2 {
			return false
		}
	}
	return token.Error() == nil
}

// publish sends a message and waits for its acknowledgement.
func (p *peer) publish(topic string, message any) {
	p.t.Helper()
	payload, ok := message.([]byte)
	if !ok {
		var err error
		if payload, err = json.Marshal(message); err != nil {
			p.t.Fatal(err)
		}
	}
	if token := p.client.Publish(topic, 1, false, payload); !token.WaitTimeout(patience) || token.Error() != nil {
		p.t.Fatalf("publish %s: %v", topic, token.Error())
	}
}

// event sends an event of the device's.
func (p *peer) event(kind, id string, data wire.Message) {
	p.t.Helper()
	e, err := wire.NewEvent(p.topics, kind, id, time.Now(), data)
	if err != nil {
		p.t.Fatal(err)
	}
	p.publish(p.topics.Event(kind), e)
}

// await waits for a message on the topic that want accepts.
func (p *peer) await(topic string, want func([]byte) bool) []byte {
	p.t.Helper()
	deadline := time.After(patience)
	for {
		p.mu.Lock()
		got := p.last[topic]
		p.mu.Unlock()
		if got != nil && (want == nil || want(got)) {
			return got
		}
		select {
		case <-p.news:
		case <-deadline:
			p.t.Fatalf("nothing that was expected on %s", topic)
		}
	}
}
