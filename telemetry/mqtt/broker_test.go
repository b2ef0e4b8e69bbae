package mqtt

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

func TestParseBroker(t *testing.T) {
	for _, tt := range []struct {
		url, address string
		secure       bool
	}{
		{"tcp://h", "h:1883", false},
		{"mqtt://h:1", "h:1", false},
		{"mqtt://[::1]:2/", "[::1]:2", false},
		{"ssl://h", "h:8883", true},
		{"tls://h:9", "h:9", true},
		{"mqtts://h", "h:8883", true},
	} {
		b, err := parseBroker(tt.url, nil)
		if err != nil || b.address != tt.address || (b.tls != nil) != tt.secure {
			t.Errorf("parseBroker(%q): got %q, TLS %t, %v; want %q, TLS %t", tt.url, b.address, b.tls != nil, err, tt.address, tt.secure)
		}
		if b.tls != nil && (b.tls.MinVersion != tls.VersionTLS12 || b.tls.ServerName != "h") {
			t.Errorf("parseBroker(%q): got TLS from %#x for %q, want 1.2 for h", tt.url, b.tls.MinVersion, b.tls.ServerName)
		}
	}
}

func TestParseBrokerRefuses(t *testing.T) {
	for _, tt := range []struct {
		url, want string
		config    *tls.Config
	}{
		{"", "scheme", nil},
		{"broker:1883", "scheme", nil},
		{"http://h", "scheme", nil},
		{"tcp://", "names no host", nil},
		{"tcp://h:0", "port", nil},
		{"tcp://h:99999", "port", nil},
		{"tcp://h/path", "nothing after the port", nil},
		{"tcp://me:secret@h", "user name", nil},
		{"tcp://me:sec ret@h", "cannot be read", nil},
		{"mqtt://h", "not encrypted", &tls.Config{}},
	} {
		_, err := parseBroker(tt.url, tt.config)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("parseBroker(%q): got %v, want an error with %q", tt.url, err, tt.want)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("parseBroker(%q): error shows the password: %v", tt.url, err)
		}
	}
}

func TestOptionsRefused(t *testing.T) {
	handler := func(string, []byte, bool) {}
	for name, o := range map[string]Options{
		"no client id":  {BrokerURL: "tcp://h"},
		"no URL":        {ClientID: "c"},
		"keep alive":    {BrokerURL: "tcp://h", ClientID: "c", KeepAlive: time.Millisecond},
		"negative":      {BrokerURL: "tcp://h", ClientID: "c", AckTimeout: -1},
		"backoff order": {BrokerURL: "tcp://h", ClientID: "c", BackoffMin: time.Hour},
		"filter":        {BrokerURL: "tcp://h", ClientID: "c", Subscriptions: []Subscription{{Filter: "a/#/b", Handler: handler}}},
		"no handler":    {BrokerURL: "tcp://h", ClientID: "c", Subscriptions: []Subscription{{Filter: "a"}}},
		"queue":         {BrokerURL: "tcp://h", ClientID: "c", QueueLen: -1},
	} {
		if _, err := New(o); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

func TestTLSConfigErrors(t *testing.T) {
	dir := t.TempDir()
	junk := filepath.Join(dir, "junk.pem")
	if err := os.WriteFile(junk, []byte("junk"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ ca, cert, key, want string }{
		{filepath.Join(dir, "absent"), "", "", "CA file"},
		{junk, "", "", "no PEM certificate"},
		{"", junk, "", "both"},
		{"", "", junk, "both"},
		{"", junk, junk, "client certificate"},
	} {
		if _, err := TLSConfig(tt.ca, tt.cert, tt.key, nil); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("TLSConfig(%q, %q, %q): got %v, want an error with %q", tt.ca, tt.cert, tt.key, err, tt.want)
		}
	}
	c, err := TLSConfig("", "", "", nil)
	if err != nil || c.MinVersion != tls.VersionTLS12 || c.RootCAs != nil {
		t.Errorf("TLSConfig of nothing: got %+v, %v", c, err)
	}
}

func TestAdvice(t *testing.T) {
	for want, err := range map[string]error{
		"user name":    fmt.Errorf("connect: %w", packets.ErrorRefusedNotAuthorised),
		"client id":    packets.ErrorRefusedIDRejected,
		"access list":  ErrRefused,
		"DNS":          fmt.Errorf("dial: %w", &net.OpError{Err: &net.DNSError{}}),
		"firewall":     &net.OpError{Err: errors.New("refused")},
		"broker's log": errors.New("unknown"),
	} {
		if got := advice(err); !strings.Contains(got, want) {
			t.Errorf("advice(%v): got %q, want it to name %q", err, got, want)
		}
	}
}
