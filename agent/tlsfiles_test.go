package agent

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kedge/agent/update"
)

// TestFilesNamedByKey: an error about a file says which key names it, what is wrong
// with it, and nothing of Go.
func TestFilesNamedByKey(t *testing.T) {
	dir := t.TempDir()
	_, ca := brokerCertificate(t)
	none := filepath.Join(dir, "none")
	foreign := filepath.Join(dir, "foreign.pem")
	if err := os.WriteFile(foreign, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		change func(*Config)
		want   string
	}{
		{"no CA", func(c *Config) { c.MQTT.CA = none }, "mqtt.ca: " + none + ": no such file or directory"},
		{"foreign CA", func(c *Config) { c.MQTT.CA = foreign }, "mqtt.ca: " + foreign + ": holds no certificate, want one in PEM form"},
		{"CA is a folder", func(c *Config) { c.MQTT.CA = dir }, "mqtt.ca: " + dir + ": is a directory"},
		{"no certificate", func(c *Config) { c.MQTT.Cert, c.MQTT.Key = none, none }, "mqtt.cert: " + none + ": no such file or directory"},
		{"foreign certificate", func(c *Config) { c.MQTT.Cert, c.MQTT.Key = foreign, ca }, "mqtt.cert: " + foreign + ": holds no certificate, want one in PEM form"},
		{"foreign key", func(c *Config) { c.MQTT.Cert, c.MQTT.Key = ca, foreign }, "mqtt.key: " + foreign + ": holds no private key in PEM form"},
		{"key of something else", func(c *Config) { c.MQTT.Cert, c.MQTT.Key = ca, ca }, "mqtt.key: " + ca + ": holds no private key in PEM form that fits the certificate " + ca},
		{"no password", func(c *Config) { c.MQTT.Username, c.MQTT.PasswordFile = "u", none }, "mqtt.password_file: " + none + ": no such file or directory"},
		{"no output folder", func(c *Config) { c.Output.Answers = none + "/a" }, "output.answers: " + none + "/a: no such file or directory"},
		{"source is a folder", func(c *Config) { c.Source = SourceConfig{Kind: SourceReplay, Path: dir, Format: "csv"} }, "source: " + dir + ": is a directory"},
	} {
		c := testConfig(t)
		c.MQTT.Broker = "mqtts://127.0.0.1:1"
		tt.change(&c)
		if err := Run(t.Context(), c, Options{}); err == nil || err.Error() != tt.want {
			t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
		}
	}
}

// TestStateNotMade: a state directory that is not there is not begun.
func TestStateNotMade(t *testing.T) {
	c := testConfig(t)
	c.Device.State = filepath.Join(t.TempDir(), "slip")
	if err := Run(t.Context(), c, Options{}); !errors.Is(err, update.ErrNotEnrolled) {
		t.Errorf("got %v, want ErrNotEnrolled", err)
	}
	if _, err := os.Stat(c.Device.State); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want no directory", err)
	}
	c.Device.State = filepath.Join(t.TempDir(), strings.Repeat("x", 300))
	if err := Run(t.Context(), c, Options{}); err == nil || errors.Is(err, update.ErrNotEnrolled) {
		t.Errorf("a name that cannot be: got %v, want another error than ErrNotEnrolled", err)
	}
}

// TestFIFOAsConfig: a configuration that is no file does not make Load wait for ever.
func TestFIFOAsConfig(t *testing.T) {
	done := make(chan error, 1)
	go func() { _, err := LoadConfig(os.DevNull); done <- err }()
	select {
	case err := <-done:
		if err == nil || err.Error() != os.DevNull+": not a regular file" {
			t.Errorf("got %v, want it refused", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("LoadConfig does not return")
	}
}
