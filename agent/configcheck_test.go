package agent

import (
	"errors"
	"testing"
)

// TestConfigAsRunSeesIt: what run would refuse is found before.
func TestConfigAsRunSeesIt(t *testing.T) {
	const device = "[device]\nsite = \"s\"\nid = \"d\"\n"
	mqtt := func(topic string) string {
		return device + "[mqtt]\nbroker = \"mqtt://h\"\n[source]\nkind = \"mqtt\"\ntopic = \"" + topic + "\"\n"
	}
	broker := func(url string) string {
		return device + "[mqtt]\nbroker = \"" + url + "\"\n[source]\nkind = \"stdin\"\n"
	}
	replay := func(path, more string) string {
		return device + "[source]\nkind = \"replay\"\npath = \"" + path + "\"\n" + more
	}
	for text, want := range map[string]string{
		broker("mqtt://h:1"):                       "",
		broker("mqtt://h:65535"):                   "",
		broker("mqtt://h:0"):                       "c:5:1: mqtt.broker: got port 0, want a port from 1 to 65535",
		broker("mqtt://h:65536"):                   "c:5:1: mqtt.broker: got port 65536, want a port from 1 to 65535",
		mqtt("a/+/b/#"):                            "",
		mqtt("#"):                                  "",
		mqtt("$share/g/a/+"):                       "",
		mqtt("a/#/b"):                              `c:8:1: source.topic: got "a/#/b": # that is not the whole last level, want a topic or a filter`,
		mqtt("a#"):                                 `c:8:1: source.topic: got "a#": # that is not the whole last level, want a topic or a filter`,
		mqtt("a/b+"):                               `c:8:1: source.topic: got "a/b+": + that is not a whole level, want a topic or a filter`,
		mqtt("$share/g"):                           `c:8:1: source.topic: got "$share/g": $share without a group and a filter behind it, want a topic or a filter`,
		replay("x.csv.gz", ""):                     "",
		replay("x.ndjson", ""):                     "",
		replay("x.txt", "format = \"csv\"\n"):      "",
		replay("x.txt", ""):                        `c:6:1: source.path: got "x.txt", whose extension names no format, want source.format, or .csv or .jsonl, also before .gz`,
		"\ufeff" + broker("mqtt://h"):              "",
		"\ufeff" + broker("mqtt://h") + "loop = 1": "c:8:1: source.loop: got the number 1, want true or false",
	} {
		_, err := ParseConfig("c", []byte(text))
		var ce *ConfigError
		if got := err; want == "" && got != nil || want != "" && (!errors.As(err, &ce) || ce.Error() != want) {
			t.Errorf("%q: got %v, want %s", text, got, want)
		}
	}
}
