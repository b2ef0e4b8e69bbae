package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"kedge/telemetry/wire"
	"kedge/trainer"
	"kedge/trainer/dataset"
	"kedge/trainer/fleet"
	"kedge/trainer/release"
	"kedge/trainer/store"
)

// server is a kedge-trainer serve process.
type server struct {
	t      *testing.T
	cmd    *exec.Cmd
	lines  chan map[string]any
	client paho.Client
}

// serve starts one on the folder and connects to it.
func serve(t *testing.T, dir string) *server {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, lines: make(chan map[string]any, 100)}
	// The test's binary is the program if it is called by its name.
	s.cmd = &exec.Cmd{Path: self, Args: []string{"kedge-trainer", "serve", "--dir", dir, "--listen", "127.0.0.1:0", "--json"}, Stderr: os.Stderr}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.kill)
	go func() {
		defer close(s.lines)
		for scan := bufio.NewScanner(out); scan.Scan(); {
			var line map[string]any
			if json.Unmarshal(scan.Bytes(), &line) == nil {
				s.lines <- line
			}
		}
	}()
	url, _ := s.await("serving")["broker"].(string)
	s.client = paho.NewClient(paho.NewClientOptions().AddBroker(url).SetClientID("d").SetAutoReconnect(false))
	if token := s.client.Connect(); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
		t.Fatalf("connect: %v", token.Error())
	}
	return s
}

// await reads the output until a line of the kind comes.
func (s *server) await(kind string) map[string]any {
	s.t.Helper()
	for limit := time.After(30 * time.Second); ; {
		select {
		case line, ok := <-s.lines:
			if !ok {
				s.t.Fatalf("the server ended before it said %q", kind)
			}
			if line["kind"] == kind {
				return line
			}
		case <-limit:
			s.t.Fatalf("the server did not say %q", kind)
		}
	}
}

// send publishes and waits for the acknowledgement.
func (s *server) send(topic string, message any) {
	s.t.Helper()
	payload, err := json.Marshal(message)
	if err != nil {
		s.t.Fatal(err)
	}
	if token := s.client.Publish(topic, 1, false, payload); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
		s.t.Fatalf("publish %s: %v", topic, token.Error())
	}
}

// kill ends the process as a power cut would.
func (s *server) kill() {
	if s.cmd.ProcessState == nil {
		s.cmd.Process.Kill()
		s.cmd.Wait()
		s.client.Disconnect(0)
	}
}

// What was acknowledged is never sent again, so none of it may be lost when the
// process is killed right after, or in the middle of a training.
func TestKilledServer(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	if err := release.Init(filepath.Join(dir, "keys"), release.InitOptions{}); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	table := dataset.Table{Columns: []store.Column{{Name: "a", Transform: dataset.TransformNone}}, Classes: []string{"calm", "loud"}}
	row := func(shift float64) (float32, int) {
		y := rng.IntN(2)
		return float32(2*float64(y) + shift + 0.3*rng.NormFloat64()), y
	}
	for range 4000 {
		x, y := row(0)
		table.X, table.Y = append(table.X, x), append(table.Y, y)
	}
	w, err := trainer.OpenWorkbench(ctx, trainer.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.ImportBase(ctx, "hum", &table); err != nil {
		t.Fatal(err)
	}
	first, err := w.TrainFirst(ctx, "hum")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}

	topics := wire.DeviceTopics{Site: "hall", Device: "d"}
	evidence := wire.Evidence{V: 1, ID: "e1", Last: true, Model: first.Release.Model}
	labels := wire.Labels{V: 1}
	for i := range 60 {
		x, y := row(1.2)
		id := wire.SampleID{Device: "d", Boot: "b", Sequence: uint64(i)}.String()
		evidence.Samples = append(evidence.Samples, wire.Sample{
			ID: id, Time: time.Unix(int64(i), 0), X: wire.PackFloat32s([]float32{x}), Label: "loud", Confidence: 1,
		})
		labels.Labels = append(labels.Labels, wire.Label{Sample: id, Label: table.Classes[y]})
	}
	event, err := wire.NewEvent(topics, wire.KindDrift, "alarm", time.Now(), &wire.Drift{
		Model: wire.ModelRef{Name: "hum", Version: 1, SHA256: first.Release.Model}, Sample: "d/b/0",
		Fired: []string{"e-sr"}, Evidence: wire.EvidenceRef{ID: "e1", After: 60},
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, step := range []struct {
		topic   string
		message any
	}{
		{topics.Event(wire.KindDrift), event},
		{wire.Truth("hall", "lab"), labels},
		{topics.Upload("e1", 0), evidence},
	} {
		s := serve(t, dir)
		s.send(step.topic, step.message)
		if i == 2 {
			s.await(string(fleet.Training))
		}
		s.kill()
	}
	serve(t, dir)
	if w, err = trainer.OpenWorkbench(ctx, trainer.Options{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	answered := func() (done bool, err error) {
		err = w.Store().View(ctx, func(tx *store.Tx) error {
			reports, err := tx.DriftReports("hall", "d")
			if err != nil || len(reports) != 1 || reports[0].Status == store.StatusOpen {
				return err
			}
			a, err := tx.Assignment(store.Target{Site: "hall", Kind: store.TargetDevice, Name: "d"})
			if err == nil && (reports[0].Release != a.Release || a.Sequence != 1) {
				err = fmt.Errorf("got report %+v and assignment %+v, want them to agree", reports[0], a)
			}
			done = true
			return err
		})
		return done, err
	}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		done, err := answered()
		if err != nil {
			t.Fatal(err)
		}
		if done {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the report was not answered after the restart")
		}
	}
}
