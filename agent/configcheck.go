package agent

import (
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"kedge/agent/drift"
	"kedge/agent/source"
	"kedge/telemetry/wire"
)

// checker collects what is out of range in a Config whose keys and types are right.
type checker struct{ problems []Problem }

func (k *checker) add(key, found, want string) {
	k.problems = append(k.problems, Problem{Key: key, Found: found, Want: want})
}

// name checks a value that becomes a level of a topic.
func (k *checker) name(key, value string) {
	const want = "1 to 64 of A-Z a-z 0-9 . _ -, beginning with a letter or digit"
	if value == "" {
		k.add(key, "missing", want)
	} else if wire.CheckName(value) != nil {
		k.add(key, fmt.Sprintf("got %.80q", value), want)
	}
}

func (k *checker) oneOf(key, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		found := fmt.Sprintf("got %.40q", value)
		if value == "" {
			found = "missing"
		}
		k.add(key, found, "one of "+strings.Join(allowed, ", "))
	}
}

func (k *checker) number(key string, value, least, most float64) {
	if !(value >= least && value <= most) {
		plain := func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
		k.add(key, "got "+plain(value), plain(least)+" to "+plain(most))
	}
}

func (k *checker) whole(key string, value, least, most int64) {
	if value < least || value > most {
		k.add(key, fmt.Sprintf("got %d", value), fmt.Sprintf("%d to %d", least, most))
	}
}

func (k *checker) duration(key string, value Duration, least, most time.Duration) {
	if value.Duration < least || value.Duration > most {
		k.add(key, fmt.Sprintf("got %v", value), fmt.Sprintf("%v to %v", least, most))
	}
}

// only reports a key that has no effect: who wrote it expects one.
func (k *checker) only(present bool, key, when string) {
	if present {
		k.add(key, "no effect here", "it only with "+when)
	}
}

// check returns every value that is missing or out of range. given tells
// whether a key stands in the file.
func (c *Config) check(given func(key string) bool) []Problem {
	k := &checker{}
	c.checkDevice(k)
	c.checkMQTT(k)
	c.checkSource(k, given)
	c.checkDrift(k, given)
	c.checkBuffer(k)
	k.duration("maintenance.limit", c.Maintenance.Limit, time.Minute, 7*24*time.Hour)
	k.oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	k.oneOf("log.format", c.Log.Format, "text", "json")
	return k.problems
}

func (c *Config) checkDevice(k *checker) {
	k.name("device.site", c.Device.Site)
	k.name("device.id", c.Device.ID)
	for i, g := range c.Device.Groups {
		k.name("device.groups", g)
		if slices.Contains(c.Device.Groups[:i], g) {
			k.add("device.groups", fmt.Sprintf("%q twice", g), "different groups")
		}
	}
	if c.Device.State == "" {
		k.add("device.state", "got an empty string", "a directory")
	}
}

func (c *Config) checkMQTT(k *checker) {
	m := c.MQTT
	secure := false
	if m.Broker != "" {
		secure = k.broker("mqtt.broker", m.Broker)
	}
	for _, f := range []struct{ key, value string }{{"mqtt.ca", m.CA}, {"mqtt.cert", m.Cert}, {"mqtt.key", m.Key}} {
		k.only(f.value != "" && !secure, f.key, "an mqtts:// broker")
	}
	if (m.Cert == "") != (m.Key == "") {
		k.add("mqtt.cert", "mqtt.cert and mqtt.key are not both set", "both or neither")
	}
	k.only(m.PasswordFile != "" && m.Username == "", "mqtt.password_file", "mqtt.username")
	k.duration("mqtt.keep_alive", m.KeepAlive, 5*time.Second, time.Hour)
	k.duration("mqtt.drain", m.Drain, 0, 5*time.Minute)
}

// brokerSchemes says which URL schemes name a broker, and which of them use TLS.
var brokerSchemes = map[string]bool{"mqtt": false, "tcp": false, "mqtts": true, "ssl": true, "tls": true}

// broker checks a broker's URL and reports whether it uses TLS.
func (k *checker) broker(key, value string) bool {
	const want = "mqtt://host:port or mqtts://host:port"
	u, err := url.Parse(value)
	if err != nil {
		k.add(key, "not a URL", want) // the error would repeat a password in it
		return false
	}
	secure, known := brokerSchemes[u.Scheme]
	switch {
	case !known || u.Hostname() == "":
		k.add(key, fmt.Sprintf("got %.80q", u.Redacted()), want)
	case u.User != nil:
		k.add(key, "a user name in the URL", "it in mqtt.username and mqtt.password_file")
	case !validPort(u.Port()):
		k.add(key, "got port "+u.Port(), "a port from 1 to 65535")
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "":
		k.add(key, fmt.Sprintf("got %.80q", value), want)
	}
	return secure
}

// validPort reports whether a port is one; an empty one stands for the usual.
func validPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return port == "" || err == nil && n > 0
}

// filterProblem says what is wrong with a topic filter (MQTT 3.1.1, section 4.7);
// empty if nothing is.
func filterProblem(filter string) string {
	if len(filter) > math.MaxUint16 || strings.ContainsRune(filter, 0) || !utf8.ValidString(filter) {
		return "no text that a topic can be"
	}
	levels := strings.Split(filter, "/")
	if levels[0] == "$share" {
		if len(levels) < 3 || levels[1] == "" || levels[2] == "" && len(levels) == 3 {
			return "$share without a group and a filter behind it"
		}
		levels = levels[2:]
	}
	for i, level := range levels {
		switch {
		case strings.Contains(level, "#") && (level != "#" || i != len(levels)-1):
			return "# that is not the whole last level"
		case strings.Contains(level, "+") && level != "+":
			return "+ that is not a whole level"
		}
	}
	return ""
}

// maxSamples bounds how many samples go with one report, and reference.samples:
// a reference has to fit into one message.
const maxSamples = 65536

func (c *Config) checkSource(k *checker, given func(string) bool) {
	s := c.Source
	k.oneOf("source.kind", s.Kind, SourceReplay, SourceStdin, SourceMQTT)
	replay, overMQTT := s.Kind == SourceReplay, s.Kind == SourceMQTT
	if replay && s.Path == "" {
		k.add("source.path", "missing", "the file to replay")
	}
	if replay && s.Path != "" && s.Format == "" && source.FormatOf(s.Path) == "" {
		k.add("source.path", fmt.Sprintf("got %.80q, whose extension names no format", s.Path), "source.format, or .csv or .jsonl, also before .gz")
	}
	for _, key := range []string{"source.path", "source.rate", "source.loop"} {
		k.only(!replay && given(key), key, `source.kind = "replay"`)
	}
	if overMQTT {
		if s.Topic == "" {
			k.add("source.topic", "missing", "a topic or a filter")
		} else if found := filterProblem(s.Topic); found != "" {
			k.add("source.topic", fmt.Sprintf("got %.80q: %s", s.Topic, found), "a topic or a filter")
		}
		if s.Broker != "" {
			k.broker("source.broker", s.Broker)
		} else if c.MQTT.Broker == "" {
			k.add("source.broker", "missing", "a broker here or in mqtt.broker")
		}
	}
	for _, key := range []string{"source.topic", "source.broker", "source.queue"} {
		k.only(!overMQTT && given(key), key, `source.kind = "mqtt"`)
	}
	k.only(overMQTT && given("source.format"), "source.format", "a replay or stdin source; over MQTT samples are JSON")
	k.number("source.rate", s.Rate, 0, 1e6)
	k.whole("source.queue", int64(s.Queue), 1, maxSamples)
	if s.Format != "" {
		k.oneOf("source.format", s.Format, "csv", "jsonl")
	}
}

// Thresholds are computed for run lengths between these.
const leastRunLength, mostRunLength = 100, 1e9

func (c *Config) checkDrift(k *checker, given func(key string) bool) {
	if d := &c.Drift; d.FalseAlarms != "" {
		k.only(given("drift.expected_run_length"), "drift.expected_run_length", "drift.false_alarms left out, which says the same")
		n, err := drift.PromisedRunLength(d.FalseAlarms, d.Rate, d.Devices)
		if err != nil {
			k.add("drift.false_alarms", err.Error(), `a number per time, such as "1/30d", with drift.rate = "10/s"`)
		} else if !(n >= leastRunLength && n <= mostRunLength) {
			k.add("drift.false_alarms", fmt.Sprintf("one false alarm in %.0f inferences", n), "one in 100 to 1000000000")
		}
	} else {
		k.only(given("drift.rate"), "drift.rate", "drift.false_alarms")
		k.only(given("drift.devices"), "drift.devices", "drift.false_alarms")
		k.number("drift.expected_run_length", d.ExpectedRunLength, leastRunLength, mostRunLength)
	}
	if len(c.Drift.Detectors) == 0 {
		k.add("drift.detectors", "got none", "at least one")
	}
	for i, d := range c.Drift.Detectors {
		k.oneOf("drift.detectors", d, drift.PageHinkley, drift.EDetector, drift.PageHinkleyRiver, drift.CUSUM, drift.ADWIN)
		if slices.Contains(c.Drift.Detectors[:i], d) {
			k.add("drift.detectors", fmt.Sprintf("%q twice", d), "different detectors")
		}
	}
	k.whole("evidence.before", int64(c.Evidence.Before), 1, 4096)
	k.whole("evidence.after", int64(c.Evidence.After), 0, maxSamples)
	k.whole("reference.samples", int64(c.Reference.Samples), drift.MinReference, maxSamples)
}

func (c *Config) checkBuffer(k *checker) {
	b := c.Buffer
	k.whole("buffer.max_bytes", b.MaxBytes, 1<<20, 1<<30)
	k.whole("buffer.ring_records", int64(b.RingRecords), int64(max(c.Evidence.Before, 1)), math.MaxInt32)
	k.whole("buffer.commit_records", int64(b.CommitRecords), 1, 4096)
	k.duration("buffer.commit_age", b.CommitAge, 10*time.Millisecond, time.Minute)
}
