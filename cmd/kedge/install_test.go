package main

import (
	"bytes"
	"crypto/ed25519"
	"os"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"kedge/agent/buffer"
	"kedge/runtime"
	"kedge/runtime/runtimetest"
	"kedge/telemetry/trust"
)

// madeFiles are the files that the script command "made" writes, by name.
var madeFiles = map[string]func(*testscript.TestScript) []byte{
	"root.json":       func(ts *testscript.TestScript) []byte { return testRoot(ts, 1) },
	"root-half.json":  func(ts *testscript.TestScript) []byte { return signedRoot(ts, 1, 1) },
	"root-other.json": func(ts *testscript.TestScript) []byte { return testRoot(ts, 50) },
	"pump-1.kedge":    func(ts *testscript.TestScript) []byte { return testPackage(ts, 1, nil) },
	"pump-2.kedge":    func(ts *testscript.TestScript) []byte { return testPackage(ts, 2, nil) },
	"stranger.kedge":  func(ts *testscript.TestScript) []byte { return testPackage(ts, 2, func(p *parts) { p.signer = 60 }) },
	"unsupported.kedge": func(ts *testscript.TestScript) []byte {
		return testPackage(ts, 2, func(p *parts) { p.model = p.model[:50] })
	},
	"golden.kedge":  func(ts *testscript.TestScript) []byte { return testPackage(ts, 2, func(p *parts) { p.golden[1] ^= 1 }) },
	"floor-4.kedge": func(ts *testscript.TestScript) []byte { return testPackage(ts, 4, func(p *parts) { p.floor = 3 }) },
	"platform.kedge": func(ts *testscript.TestScript) []byte {
		return testPackage(ts, 2, func(p *parts) { p.platform = "plan9/mips" })
	},
	"no-labels.kedge": func(ts *testscript.TestScript) []byte {
		return testPackage(ts, 2, func(p *parts) { p.labels = nil })
	},
	"labels.kedge": func(ts *testscript.TestScript) []byte {
		return testPackage(ts, 2, func(p *parts) { p.labels = p.labels[:3] })
	},
	"features.kedge": func(ts *testscript.TestScript) []byte {
		return testPackage(ts, 2, func(p *parts) { p.features = `[{"name":"a","scale":1}]` })
	},
	"scale.kedge": func(ts *testscript.TestScript) []byte {
		return testPackage(ts, 2, func(p *parts) { p.features = strings.Replace(p.features, `"scale":1`, `"scale":0`, 1) })
	},
	"signal.kedge": func(ts *testscript.TestScript) []byte {
		return testPackage(ts, 2, func(p *parts) { p.signal = "margin" })
	},
	"reference.kedge": func(ts *testscript.TestScript) []byte {
		return testPackage(ts, 2, func(p *parts) { p.reference = `{"n":1}` })
	},
	"tampered.kedge": func(ts *testscript.TestScript) []byte {
		// The archive's own checksum is not what protects the model: make it right again.
		p, err := trust.OpenPackage(testPackage(ts, 2, nil))
		ts.Check(err)
		p.Bundle = bytes.Clone(p.Bundle)
		p.Bundle[len(p.Bundle)/2] ^= 1
		data, err := p.Encode()
		ts.Check(err)
		return data
	},
}

// writeMade is the script command "made NAME...", which writes files that a
// centre makes, one of madeFiles each.
func writeMade(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: made NAME...")
	}
	for _, name := range args {
		file, ok := madeFiles[name]
		if !ok {
			ts.Fatalf("made %s: unknown", name)
		}
		ts.Check(os.WriteFile(ts.MkAbs(name), file(ts), 0o644))
	}
}

// lockState is the script command "lock DIR", which holds the store of a state
// directory until the end of the script, as a running agent does.
func lockState(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: lock DIR")
	}
	store, err := buffer.Open(ts.MkAbs(args[0]), buffer.Options{})
	ts.Check(err)
	ts.Defer(func() { store.Close() })
}

func testSigner(ts *testscript.TestScript, n byte) *trust.Signer {
	seed := make([]byte, ed25519.SeedSize)
	seed[0] = n
	s, err := trust.NewSigner(ed25519.NewKeyFromSeed(seed))
	ts.Check(err)
	return s
}

// testRoot gives root to the signers n and n+1, release to n+9, assign to n+19.
func testRoot(ts *testscript.TestScript, n byte) []byte { return signedRoot(ts, n, 2) }

// signedRoot is testRoot with so many of its two signatures.
func signedRoot(ts *testscript.TestScript, n byte, signatures int) []byte {
	doc := trust.RootDocument{
		Type: "root", Version: 1, Issued: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		Keys: map[string]trust.Key{}, Roles: map[trust.Role]trust.RoleEntry{},
	}
	for _, r := range []struct {
		role    trust.Role
		signers []byte
	}{{trust.RoleRoot, []byte{n, n + 1}}, {trust.RoleRelease, []byte{n + 9}}, {trust.RoleAssign, []byte{n + 19}}} {
		entry := trust.RoleEntry{Threshold: len(r.signers)}
		for _, i := range r.signers {
			s := testSigner(ts, i)
			doc.Keys[s.KeyID()] = trust.Key{Algorithm: "ed25519", Public: s.Public()}
			entry.KeyIDs = append(entry.KeyIDs, s.KeyID())
		}
		doc.Roles[r.role] = entry
	}
	signers := []*trust.Signer{testSigner(ts, n), testSigner(ts, n+1)}
	envelope, err := trust.Sign(trust.TypeRoot, doc, signers[:signatures]...)
	ts.Check(err)
	return envelope
}

// parts is what madeFiles change of a package.
type parts struct {
	model, golden       []byte
	labels              []string
	features, reference string
	signal, platform    string
	floor               uint64
	signer              byte
}

// testPackage is a .kedge file of version n of a model that adds one.
func testPackage(ts *testscript.TestScript, n uint64, change func(*parts)) []byte {
	model := runtimetest.Successor().Bytes()
	loaded, err := runtime.Load(model, runtime.Options{})
	ts.Check(err)
	p := parts{
		model: model, golden: []byte{1, 2, 3, 4, 11, 12, 13, 14}, labels: []string{"a", "b", "c", "d"},
		features:  `[{"name":"a","scale":1},{"name":"b","scale":1},{"name":"c","scale":1},{"name":"d","scale":1}]`,
		reference: "{}", signal: "top1", platform: "*", signer: 10,
	}
	if change != nil {
		change(&p)
	}
	bundle := trust.Bundle{
		Manifest: trust.Manifest{
			Format: 1, Name: "pump", Version: n, Labels: p.labels, Signal: p.signal, GoldenSamples: 2,
		},
		Model: p.model, Features: []byte(p.features), Reference: []byte(p.reference),
		GoldenInput: []byte{0, 1, 2, 3, 10, 11, 12, 13}, GoldenOutput: p.golden,
	}
	encoded, err := bundle.Encode()
	ts.Check(err)
	release := trust.Release{
		Type: "release", Name: "pump", Version: n, Issued: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		Model: trust.Digest(p.model), Platforms: []string{p.platform}, Operators: []string{"QUANTIZE"}, SecurityFloor: p.floor,
		Bundle: trust.BundleRef{
			SHA256: trust.Digest(encoded), Size: int64(len(encoded)), Index: trust.Digest(trust.NewChunkIndex(encoded)),
		},
		Inputs:  []trust.Operand{{Type: "int8", Shape: loaded.Inputs()[0].Shape}},
		Outputs: []trust.Operand{{Type: "int8", Shape: loaded.Outputs()[0].Shape}},
	}
	envelope, err := trust.Sign(trust.TypeRelease, release, testSigner(ts, p.signer))
	ts.Check(err)
	data, err := (&trust.Package{Release: envelope, Bundle: encoded}).Encode()
	ts.Check(err)
	return data
}
