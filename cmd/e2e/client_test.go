package e2e

import (
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// A client is a plain MQTT client of the test's own, which keeps all that it
// receives. It comes back when the broker does.
type client struct {
	t *testing.T
	c paho.Client

	mu       sync.Mutex
	messages []message
}

type message struct {
	topic   string
	payload []byte
}

func connect(t *testing.T, url string, filters ...string) *client {
	t.Helper()
	c := &client{t: t}
	o := paho.NewClientOptions().AddBroker(url).SetClientID("test-" + t.Name()[4:]).SetMaxReconnectInterval(time.Second)
	o.SetOnConnectHandler(func(p paho.Client) {
		for _, f := range filters {
			p.Subscribe(f, 1, c.keep)
		}
	})
	c.c = paho.NewClient(o)
	if token := c.c.Connect(); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
		t.Fatalf("connect to %s: %v", url, token.Error())
	}
	t.Cleanup(func() { c.c.Disconnect(100) })
	return c
}

func (c *client) keep(_ paho.Client, m paho.Message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.messages = append(c.messages, message{m.Topic(), m.Payload()})
}

// received returns the messages so far on topics that match.
func (c *client) received(match func(topic string) bool) [][]byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	var found [][]byte
	for _, m := range c.messages {
		if match(m.topic) {
			found = append(found, m.payload)
		}
	}
	return found
}

func (c *client) publish(topic string, payload []byte, retain bool) {
	c.t.Helper()
	if token := c.c.Publish(topic, 1, retain, payload); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
		c.t.Fatalf("publish on %s: %v", topic, token.Error())
	}
}
