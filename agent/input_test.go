package agent

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReplayToFile answers a file without a network.
func TestReplayToFile(t *testing.T) {
	c := testConfig(t)
	install(t, c, testRelease(t, 1))
	dir := t.TempDir()
	c.Source = SourceConfig{Kind: SourceReplay, Path: filepath.Join(dir, "x.csv")}
	c.Output.Answers = filepath.Join(dir, "answers.jsonl")
	if err := os.WriteFile(c.Source.Path, []byte("b,class,a,ref\n0,ok,18,r1\n0,ok,x,r2\n0.5,worn,10,r3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := startDevice(t, c)
	d.wait()
	got, err := os.ReadFile(c.Output.Answers)
	if err != nil {
		t.Fatal(err)
	}
	boot := d.boot()
	want := `{"id":"pump-1/` + boot + `/1","ref":"r1","label":"ok","confidence":0.9921875,"model":{"name":"pump","version":1},"drift":"stable","alarm":false}
{"error":"` + c.Source.Path + `:3: column 3: \"x\": not a number"}
{"id":"pump-1/` + boot + `/2","ref":"r3","label":"worn","confidence":0.73046875,"model":{"name":"pump","version":1},"drift":"stable","alarm":false}
`
	if string(got) != want {
		t.Errorf("answers: got\n%swant\n%s", got, want)
	}
	if d.logs.count("K0702") != 1 || d.logs.count("K0602") != 0 {
		t.Error("want the end of the input in the log, and nothing about a broker")
	}
}

// TestReplayOutrunsDisk: without a rate the replay is as fast as the ring.
func TestReplayOutrunsDisk(t *testing.T) {
	c := testConfig(t)
	install(t, c, testRelease(t, 1))
	c.Source = SourceConfig{Kind: SourceReplay, Path: filepath.Join(t.TempDir(), "x.csv")}
	c.Output.Answers = ""
	const n = 30000
	if err := os.WriteFile(c.Source.Path, []byte(strings.Repeat("18,0\n", n)), 0o600); err != nil {
		t.Fatal(err)
	}
	d := startDevice(t, c)
	d.wait()
	if got := d.logs.count("K0502"); got != 0 {
		t.Errorf("got %d lines K0502, want 0", got)
	}
	ring := checkStore(t, c).Ring
	if ring.Produced != n || ring.Queued != uint64(c.Buffer.RingRecords) || !ring.Balanced() {
		t.Errorf("ring: got %v, want %d produced, %d queued", ring, n, c.Buffer.RingRecords)
	}
}

// TestMQTTSource takes samples from the centre's broker and from another one.
func TestMQTTSource(t *testing.T) {
	for _, own := range []bool{false, true} {
		t.Run(fmt.Sprintf("own broker %v", own), func(t *testing.T) {
			c := testConfig(t)
			install(t, c, testRelease(t, 1))
			centre, addr := startCentre(t, "")
			sensors := centre
			c.MQTT.Broker = "mqtt://" + addr
			c.Source = SourceConfig{Kind: SourceMQTT, Topic: "sensors/+/x", Queue: 8}
			if own {
				sensors, addr = startCentre(t, "")
				c.Source.Broker = "mqtt://" + addr
			}
			c.Output.Answers = "-"
			d := startDevice(t, c)
			eventually(t, "the connections", func() bool { return d.logs.count("K0601") == map[bool]int{false: 1, true: 2}[own] })
			sensors.publish("sensors/7/x", []byte(`{"x":[18,0],"ref":"m1"}`), false)
			// Without a process that waits, answers come within a second.
			reply, err := d.answers.ReadString('\n')
			var a answer
			if err != nil || json.Unmarshal([]byte(reply), &a) != nil || a.Ref != "m1" || a.Label != "ok" {
				t.Errorf("got %s, %v, want the answer to m1", reply, err)
			}
			d.stop()
			d.wait()
		})
	}
}
