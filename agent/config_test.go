package agent

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const minimal = "[device]\nsite = \"s\"\nid = \"d\"\n[source]\nkind = \"stdin\"\n"

func TestParseConfigDefaults(t *testing.T) {
	c, err := ParseConfig("kedge.toml", []byte(minimal))
	if err != nil {
		t.Fatal(err)
	}
	want := DefaultConfig()
	want.Device.Site, want.Device.ID, want.Source.Kind, want.Output.Answers = "s", "d", "stdin", "-"
	if got, want := fmt.Sprintf("%+v", c), fmt.Sprintf("%+v", want); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	c, err = ParseConfig("kedge.toml", []byte(strings.Replace(minimal, `"stdin"`, "\"replay\"\npath = \"x.csv\"", 1)))
	if err != nil || c.Output.Answers != "" {
		t.Errorf("replay: got answers to %q, %v, want them to go nowhere", c.Output.Answers, err)
	}
}

func TestParseConfigValues(t *testing.T) {
	c, err := ParseConfig("kedge.toml", []byte(`
device = { site = "plant-1", id = "pump.7", groups = ["pumps", "all"] }
mqtt.broker = "mqtts://broker.example:8883"
mqtt.keep_alive = "1m30s"
[source]
kind = "replay"
path = "x.csv"
rate = 100
loop = true
[buffer]
commit_age = "250ms"
`))
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case c.Device.ID != "pump.7" || len(c.Device.Groups) != 2:
		t.Errorf("device: got %+v", c.Device)
	case c.MQTT.KeepAlive.Duration != 90*time.Second || c.Buffer.CommitAge.Duration != 250*time.Millisecond:
		t.Errorf("durations: got %v and %v, want 1m30s and 250ms", c.MQTT.KeepAlive, c.Buffer.CommitAge)
	case c.Source.Rate != 100 || !c.Source.Loop:
		t.Errorf("source: got %+v", c.Source)
	}
}

func TestParseConfigProblems(t *testing.T) {
	for _, c := range []struct{ name, doc, want string }{
		{"empty", "", "k.toml: device.site: missing, want 1 to 64 of A-Z a-z 0-9 . _ -, beginning with a letter or digit\n" +
			"k.toml: device.id: missing, want 1 to 64 of A-Z a-z 0-9 . _ -, beginning with a letter or digit\n" +
			"k.toml: source.kind: missing, want one of replay, stdin, mqtt"},
		{"syntax", "[device\n", "k.toml:1:8: expected ']' to close table name"},
		{"key twice", "[device]\nid=\"a\"\nid=\"b\"\n", "k.toml:3:1: id: key id is already defined"},
		{"unknown keys, all at once", minimal + "pat = 1\n[mqtt]\nbrokr = \"x\"\n\n[extra]\na = 1\nb = 2\n",
			"k.toml:6:1: source.pat: unknown key, want one of broker, format, kind, loop, path, queue, rate, topic\n" +
				"k.toml:8:1: mqtt.brokr: unknown key, want one of broker, ca, cert, drain, keep_alive, key, password_file, username\n" +
				"k.toml:10:2: extra: unknown key, want one of buffer, device, drift, evidence, log, maintenance, mqtt, output, reference, source"},
		{"unknown key in an inline table", "device = {site = \"a\", idd = \"b\"}\n",
			"k.toml:1:23: device.idd: unknown key, want one of groups, id, site, state"},
		{"wrong types, all at once", "[device]\nsite = 5\n  id = [\"a\"]\ngroups = [\"a\", 1]\n[mqtt]\nkeep_alive = 30\n[source]\nloop = \"yes\"\nrate = \"fast\"\n[buffer]\nring_records = 1.5\n",
			"k.toml:2:1: device.site: got the number 5, want a string\n" +
				"k.toml:3:3: device.id: got an array, want a string\n" +
				"k.toml:4:1: device.groups: got an array, want an array of strings\n" +
				"k.toml:6:1: mqtt.keep_alive: got the number 30, want a duration such as \"30s\"\n" +
				"k.toml:8:1: source.loop: got the string \"yes\", want true or false\n" +
				"k.toml:9:1: source.rate: got the string \"fast\", want a number\n" +
				"k.toml:11:1: buffer.ring_records: got the number 1.5, want a whole number"},
		{"section of a wrong type", "mqtt = 3\n", "k.toml:1:1: mqtt: got the number 3, want a table"},
		{"array of tables", "[[source]]\nkind = \"stdin\"\n", "k.toml:1:3: source: got an array of tables, want a table"},
		{"bad duration", minimal + "[mqtt]\ndrain = \"soon\"\n", "k.toml:7:9: mqtt.drain: duration \"soon\": want a form such as \"500ms\" or \"1m30s\""},
		{"out of range", "[device]\nsite = \"a/b\"\nid = \"d\"\ngroups = [\"g\", \"g\"]\n[source]\nkind = \"replay\"\npath = \"x.csv\"\nrate = -1\n[drift]\ndetectors = [\"ddm\"]\n[buffer]\nmax_bytes = 4096\n",
			"k.toml:2:1: device.site: got \"a/b\", want 1 to 64 of A-Z a-z 0-9 . _ -, beginning with a letter or digit\n" +
				"k.toml:4:1: device.groups: \"g\" twice, want different groups\n" +
				"k.toml:8:1: source.rate: got -1, want 0 to 1000000\n" +
				"k.toml:10:1: drift.detectors: got \"ddm\", want one of page-hinkley, e-sr, page-hinkley-river, cusum, adwin\n" +
				"k.toml:12:1: buffer.max_bytes: got 4096, want 1048576 to 1073741824"},
		{"two promises", minimal + "[drift]\nfalse_alarms = \"1/30d\"\nrate = \"10/s\"\nexpected_run_length = 5000\n", "k.toml:9:1: drift.expected_run_length: no effect here, want it only with drift.false_alarms left out, which says the same"},
		{"a promise without rate", minimal + "[drift]\nfalse_alarms = \"1/30d\"\n", "k.toml:7:1: drift.false_alarms: rate \"\": not understood, want for example 10/s, want a number per time, such as \"1/30d\", with drift.rate = \"10/s\""},
		{"a promise too long", minimal + "[drift]\nfalse_alarms = \"1/30d\"\nrate = \"10/s\"\ndevices = 100\n", "k.toml:7:1: drift.false_alarms: one false alarm in 2592000000 inferences, want one in 100 to 1000000000"},
		{"a rate without promise", minimal + "[drift]\nrate = \"10/s\"\n", "k.toml:7:1: drift.rate: no effect here, want it only with drift.false_alarms"},
		{"not a number", minimal + "[drift]\nexpected_run_length = nan\n", "k.toml:7:1: drift.expected_run_length: got NaN, want 100 to 1000000000"},
		{"no effect", minimal + "rate = 5\ntopic = \"t\"\n",
			"k.toml:6:1: source.rate: no effect here, want it only with source.kind = \"replay\"\n" +
				"k.toml:7:1: source.topic: no effect here, want it only with source.kind = \"mqtt\""},
		{"certificates without TLS", minimal + "[mqtt]\nbroker = \"mqtt://h\"\nca = \"x\"\ncert = \"y\"\n",
			"k.toml:8:1: mqtt.ca: no effect here, want it only with an mqtts:// broker\n" +
				"k.toml:9:1: mqtt.cert: no effect here, want it only with an mqtts:// broker\n" +
				"k.toml:9:1: mqtt.cert: mqtt.cert and mqtt.key are not both set, want both or neither"},
		{"password in the URL", minimal + "[mqtt]\nbroker = \"mqtt://u:geheim@h\"\n",
			"k.toml:7:1: mqtt.broker: a user name in the URL, want it in mqtt.username and mqtt.password_file"},
		{"password in a broken URL", minimal + "[mqtt]\nbroker = \"http://u:geheim@h\"\n",
			"k.toml:7:1: mqtt.broker: got \"http://u:xxxxx@h\", want mqtt://host:port or mqtts://host:port"},
		{"topic without a broker", "[device]\nsite=\"s\"\nid=\"d\"\n[source]\nkind=\"mqtt\"\ntopic=\"t\"\n",
			"k.toml: source.broker: missing, want a broker here or in mqtt.broker"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ParseConfig("k.toml", []byte(c.doc))
			var ce *ConfigError
			if !errors.As(err, &ce) {
				t.Fatalf("got %v, want a *ConfigError", err)
			}
			if ce.Error() != c.want {
				t.Errorf("got\n%s\nwant\n%s", ce, c.want)
			}
		})
	}
}

func TestLoadConfigResolvesPaths(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "kedge.toml")
	doc := "[device]\nsite = \"s\"\nid = \"d\"\nstate = \"state\"\n[source]\nkind = \"replay\"\npath = \"/abs/x.csv\"\n[output]\nanswers = \"-\"\n"
	if err := os.WriteFile(path, []byte(doc), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := LoadConfig(path)
	if err != nil {
		t.Fatal(err)
	}
	if c.Device.State != filepath.Join(dir, "state") || c.Source.Path != "/abs/x.csv" || c.Output.Answers != "-" || c.MQTT.CA != "" {
		t.Errorf("got state %q, path %q, answers %q, ca %q", c.Device.State, c.Source.Path, c.Output.Answers, c.MQTT.CA)
	}
	if _, err := LoadConfig(filepath.Join(dir, "absent.toml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("absent file: got %v, want os.ErrNotExist", err)
	}
}

func FuzzParseConfig(f *testing.F) {
	f.Add([]byte(minimal))
	f.Add([]byte("device = { site = \"a\" }\nmqtt.broker = \"mqtt://h\"\n[[source]]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ParseConfig("f", data)
		var ce *ConfigError
		switch {
		case err == nil:
			if ps := c.check(func(string) bool { return false }); len(ps) > 0 {
				t.Errorf("accepted, but %+v", ps)
			}
		case !errors.As(err, &ce) || len(ce.Problems) == 0:
			t.Errorf("got %v, want a *ConfigError with problems", err)
		}
	})
}
