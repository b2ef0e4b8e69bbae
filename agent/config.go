package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"kedge/agent/drift"
)

// A Config is the content of kedge.toml. docs/config.md describes every key
// with its range; LoadConfig is the only way to get one that was checked.
type Config struct {
	Device      DeviceConfig      `toml:"device"`
	MQTT        MQTTConfig        `toml:"mqtt"`
	Source      SourceConfig      `toml:"source"`
	Output      OutputConfig      `toml:"output"`
	Drift       DriftConfig       `toml:"drift"`
	Evidence    EvidenceConfig    `toml:"evidence"`
	Reference   ReferenceConfig   `toml:"reference"`
	Maintenance MaintenanceConfig `toml:"maintenance"`
	Buffer      BufferConfig      `toml:"buffer"`
	Log         LogConfig         `toml:"log"`
}

// DeviceConfig names the device.
type DeviceConfig struct {
	Site   string   `toml:"site"`
	ID     string   `toml:"id"`
	Groups []string `toml:"groups"`
	State  string   `toml:"state"` // directory of keys, models and buffers
}

// MQTTConfig says where the centre's broker is. An empty Broker means that the
// device works offline.
type MQTTConfig struct {
	Broker       string   `toml:"broker"`
	CA           string   `toml:"ca"`
	Cert         string   `toml:"cert"`
	Key          string   `toml:"key"`
	Username     string   `toml:"username"`
	PasswordFile string   `toml:"password_file"`
	KeepAlive    Duration `toml:"keep_alive"`
	Drain        Duration `toml:"drain"` // how long to go on sending when the input has ended
}

// Kinds of sources.
const (
	SourceReplay = "replay"
	SourceStdin  = "stdin"
	SourceMQTT   = "mqtt"
)

// SourceConfig says where samples come from.
type SourceConfig struct {
	Kind   string  `toml:"kind"`
	Path   string  `toml:"path"`
	Format string  `toml:"format"`
	Rate   float64 `toml:"rate"` // samples per second, 0: as fast as they are answered
	Loop   bool    `toml:"loop"`
	Topic  string  `toml:"topic"`
	Broker string  `toml:"broker"`
	Queue  int     `toml:"queue"`
}

// OutputConfig says where answers go: "-" is standard output, "" nowhere. Without
// the key they go to standard output if the source is standard input (another
// process waits for them), else nowhere (a service's output fills the journal).
type OutputConfig struct {
	Answers string `toml:"answers"`
}

// DriftConfig configures the drift monitor.
type DriftConfig struct {
	FalseAlarms       string   `toml:"false_alarms"`        // at most, per time: "1/30d"; or empty
	Rate              string   `toml:"rate"`                // of inferences, per time: "10/s"
	Devices           int      `toml:"devices"`             // that share FalseAlarms
	ExpectedRunLength float64  `toml:"expected_run_length"` // inferences between two false alarms, where FalseAlarms is empty
	Detectors         []string `toml:"detectors"`
}

// runLength is the number of inferences between two false alarms that the
// configuration, which was checked, asks for.
func (c *DriftConfig) runLength() float64 {
	if c.FalseAlarms == "" {
		return c.ExpectedRunLength
	}
	n, err := drift.PromisedRunLength(c.FalseAlarms, c.Rate, c.Devices)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return n
}

// EvidenceConfig says how many samples go with a drift report.
type EvidenceConfig struct {
	Before int `toml:"before"` // up to and with the alarm's
	After  int `toml:"after"`
}

// ReferenceConfig says how many signals of a new model are sent as its reference.
type ReferenceConfig struct {
	Samples int `toml:"samples"`
}

// MaintenanceConfig bounds the time without alarms that a technician may ask for.
type MaintenanceConfig struct {
	Limit Duration `toml:"limit"`
}

// BufferConfig bounds the store of samples and unsent messages.
type BufferConfig struct {
	MaxBytes      int64    `toml:"max_bytes"`
	RingRecords   int      `toml:"ring_records"`
	CommitRecords int      `toml:"commit_records"`
	CommitAge     Duration `toml:"commit_age"`
}

// LogConfig says what is logged on standard error.
type LogConfig struct {
	Level  string `toml:"level"`
	Format string `toml:"format"`
}

// A Duration is written as a string with a unit: "500ms", "1m30s".
type Duration struct{ time.Duration }

// UnmarshalText reads the form of time.ParseDuration.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("duration %.40q: want a form such as \"500ms\" or \"1m30s\"", text)
	}
	d.Duration = v
	return nil
}

// MarshalText writes the form that UnmarshalText reads.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// DefaultConfig returns what is in force where the file says nothing. It is not
// complete: device.site, device.id and source.kind have no default.
func DefaultConfig() Config {
	return Config{
		Device:      DeviceConfig{State: "/var/lib/kedge"},
		MQTT:        MQTTConfig{KeepAlive: Duration{30 * time.Second}, Drain: Duration{5 * time.Second}},
		Source:      SourceConfig{Queue: 256},
		Drift:       DriftConfig{Devices: 1, ExpectedRunLength: 10000, Detectors: []string{"page-hinkley", "e-sr"}},
		Evidence:    EvidenceConfig{Before: 32, After: 100},
		Reference:   ReferenceConfig{Samples: 500},
		Maintenance: MaintenanceConfig{Limit: Duration{8 * time.Hour}},
		Buffer: BufferConfig{
			MaxBytes: 64 << 20, RingRecords: 4096, CommitRecords: 64, CommitAge: Duration{time.Second},
		},
		Log: LogConfig{Level: "info", Format: "text"},
	}
}

// LoadConfig reads and checks the file at path. Relative paths in it count from
// the folder in which it lies, so that it means the same from everywhere. What
// is wrong with its content comes back as a *ConfigError.
func LoadConfig(path string) (Config, error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		return Config{}, fmt.Errorf("%s: not a regular file", path) // reading it may never end
	}
	if err == nil && info.Size() > maxConfig {
		return Config{}, fmt.Errorf("%s: %d bytes, a configuration has at most %d", path, info.Size(), maxConfig)
	}
	var data []byte
	if err == nil {
		data, err = os.ReadFile(path)
	}
	if err != nil {
		if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
			err = pe.Err
		}
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	c, err := ParseConfig(path, data)
	if err != nil {
		return Config{}, err
	}
	dir := filepath.Dir(path)
	for _, p := range []*string{&c.Device.State, &c.MQTT.CA, &c.MQTT.Cert, &c.MQTT.Key, &c.MQTT.PasswordFile, &c.Source.Path, &c.Output.Answers} {
		if *p != "" && *p != "-" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
	return c, nil
}
