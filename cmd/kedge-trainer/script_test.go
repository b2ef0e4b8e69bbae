package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	mrand "math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/rogpeppe/go-internal/testscript"

	"kedge/runtime/feature"
	"kedge/runtime/runtimetest"
	"kedge/runtime/tflite"
	"kedge/telemetry/trust"
	"kedge/trainer/train"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"kedge-trainer": main})
}

// TestScripts runs what a person types, and compares what a person reads.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":    exits,
			"table":    writeTable,
			"csr":      writeRequest,
			"made":     writeMade,
			"models":   writeModels,
			"digest":   setDigest,
			"document": typeDocument,
			"retained": awaitRetained,
		},
	})
}

var shellBlock = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$")

// typeDocument is the script command "document FILE", which runs the commands of a
// document's shell blocks; FILE is relative to this folder. All have to succeed.
func typeDocument(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: document FILE")
	}
	text, err := os.ReadFile(filepath.FromSlash(args[0]))
	ts.Check(err)
	blocks := shellBlock.FindAllSubmatch(text, -1)
	if len(blocks) == 0 {
		ts.Fatalf("%s: no commands", args[0])
	}
	for _, block := range blocks {
		for line := range strings.Lines(string(block[1])) {
			words := strings.Fields(line)
			ts.Check(ts.Exec(words[0], words[1:]...))
		}
	}
}

// exits is the script command "exits CODE PROGRAM ARG...", which checks the exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARG...")
	}
	got := 0
	err := ts.Exec(args[1], args[2:]...)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("got exit code %d, want %s", got, args[0])
	}
}

// writeTable is the script command "table FILE ROWS SEED", a table of two classes.
func writeTable(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: table FILE ROWS SEED")
	}
	rows, err := strconv.Atoi(args[1])
	ts.Check(err)
	seed, err := strconv.ParseUint(args[2], 10, 64)
	ts.Check(err)
	rng := mrand.New(mrand.NewPCG(seed, 1))
	var b strings.Builder
	b.WriteString("state,serial,a,b,c\n")
	for i := range rows {
		class := i % 2
		fmt.Fprintf(&b, "%s,%d,%g,%g,%g\n", []string{"calm", "loud"}[class], i,
			rng.NormFloat64()+4*float64(class), rng.NormFloat64(), rng.NormFloat64())
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(b.String()), 0o600))
}

// writeRequest is the script command "csr FILE SITE DEVICE".
func writeRequest(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: csr FILE SITE DEVICE")
	}
	_, key, err := ed25519.GenerateKey(nil)
	ts.Check(err)
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		Subject: pkix.Name{CommonName: args[2], Organization: []string{args[1]}},
	}, key)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}), 0o600))
}

// writeMade is the script command "made", which writes what another tool made:
// model.tflite, features.json and golden.bin for three inputs and two classes, and
// unsupported.tflite, which no kedge can run.
func writeMade(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: made")
	}
	rng := mrand.New(mrand.NewPCG(1, 2))
	net, err := train.NewDense([]int{3, 4, 2}, rng)
	ts.Check(err)
	x := make([]float32, 3*20)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	model, err := net.Int8(context.Background(), x, "")
	ts.Check(err)
	features, err := json.Marshal(feature.Set{
		{Name: "a", Transform: feature.None, Scale: 1}, {Name: "b", Transform: feature.None, Scale: 1}, {Name: "c", Transform: feature.None, Scale: 1},
	})
	ts.Check(err)
	foreign := runtimetest.SmallNet()
	foreign.Ops[6] = runtimetest.Op{Code: tflite.Custom, Custom: "Magic", Inputs: []int{13, -1}, Outputs: []int{14}}
	for name, data := range map[string][]byte{"model.tflite": model, "unsupported.tflite": foreign.Bytes(), "features.json": features, "golden.bin": []byte("abcdef")} {
		ts.Check(os.WriteFile(ts.MkAbs(name), data, 0o600))
	}
}

// setDigest is the script command "digest VARIABLE", which takes the digest of a
// release out of the last output.
func setDigest(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: digest VARIABLE")
	}
	for line := range strings.Lines(ts.ReadFile("stdout")) {
		if digest, ok := strings.CutPrefix(strings.TrimSpace(line), "release: "); ok {
			ts.Setenv(args[0], digest)
			return
		}
	}
	ts.Fatalf("no release in the output")
}

// awaitRetained is the script command "retained FILE TOPIC ROOT": it connects to
// the broker whose first line of output is in FILE, waits for a document on the
// topic, and verifies it through the root document as a device would.
func awaitRetained(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: retained FILE TOPIC ROOT")
	}
	root, err := trust.OpenRoot([]byte(ts.ReadFile(args[2])))
	ts.Check(err)
	url := servingAt(ts, args[0])
	got := make(chan []byte, 1)
	o := paho.NewClientOptions().AddBroker(url).SetClientID("reader").SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) {
		select {
		case got <- m.Payload():
		default:
		}
	})
	c := paho.NewClient(o)
	defer c.Disconnect(0)
	for _, step := range []func() paho.Token{c.Connect, func() paho.Token { return c.Subscribe(args[1], 1, nil) }} {
		if token := step(); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
			ts.Fatalf("%s: %v", url, token.Error())
		}
	}
	select {
	case envelope := <-got:
		_, err := root.VerifyAssign(envelope)
		ts.Check(err)
	case <-time.After(10 * time.Second):
		ts.Fatalf("nothing on %s", args[1])
	}
}

// servingAt waits until the server has written where it serves.
func servingAt(ts *testscript.TestScript, file string) string {
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		data, err := os.ReadFile(ts.MkAbs(file))
		if err != nil {
			continue
		}
		first, _, whole := strings.Cut(string(data), "\n")
		var v struct{ Broker string }
		if whole && json.Unmarshal([]byte(first), &v) == nil && v.Broker != "" {
			return v.Broker
		}
	}
	ts.Fatalf("%s: no server", file)
	return ""
}
