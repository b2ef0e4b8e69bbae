package agent

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"kedge/agent/buffer"
	"kedge/agent/update"
	"kedge/telemetry/trust"
)

func TestRunRefuses(t *testing.T) {
	run := func(c Config) error { return Run(t.Context(), c, Options{}) }
	c := testConfig(t)
	b, err := buffer.Open(c.Device.State, buffer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := run(c); !errors.Is(err, buffer.ErrLocked) {
		t.Errorf("a store in use: got %v, want ErrLocked", err)
	}
	b.Close()

	absent := testConfig(t)
	if err := os.Remove(filepath.Join(absent.Device.State, "root.json")); err != nil {
		t.Fatal(err)
	}
	if err := run(absent); !errors.Is(err, update.ErrNotEnrolled) {
		t.Errorf("not enrolled: got %v, want ErrNotEnrolled", err)
	}
	foreign := testConfig(t)
	if err := os.WriteFile(filepath.Join(foreign.Device.State, "root.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run(foreign); !errors.Is(err, trust.ErrMalformed) && !errors.Is(err, trust.ErrPayloadType) {
		t.Errorf("a damaged root document: got %v", err)
	}
	for _, change := range []func(*Config){
		func(c *Config) { c.Source = SourceConfig{Kind: SourceReplay, Path: "absent.csv"} },
		func(c *Config) { c.MQTT.Broker, c.MQTT.Username, c.MQTT.PasswordFile = "mqtt://h", "u", "absent" },
		func(c *Config) { c.MQTT.Broker, c.MQTT.CA = "mqtts://h", "absent" },
		func(c *Config) { c.Output.Answers = "absent/dir" },
	} {
		c := testConfig(t)
		change(&c)
		if err := run(c); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("got %v, want os.ErrNotExist", err)
		}
	}
	checkLeaks(t)
}
