package e2e

import (
	"crypto/ed25519"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kedge/telemetry/trust"
	"kedge/telemetry/wire"
)

// A forge plays a centre from the protocol alone, with the real keys of one:
// it signs what it is told to and serves chunks.
type forge struct {
	*client
	release, assign *trust.Signer
	sequence        uint64
	blobs           map[string][]byte
	topics          wire.DeviceTopics
}

func newForge(t *testing.T, url, keys string) *forge {
	t.Helper()
	topics := wire.DeviceTopics{Site: site, Device: device}
	f := &forge{blobs: map[string][]byte{}, topics: topics, release: signer(t, keys, "release"), assign: signer(t, keys, "assign")}
	f.client = connect(t, url, topics.Event(wire.KindUpdate), topics.Get())
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop) })
	go f.serveChunks(stop)
	return f
}

// signer loads the only key of a role.
func signer(t *testing.T, keys, role string) *trust.Signer {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(keys, role+"-*.key"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%s keys in %s: %v %v", role, keys, files, err)
	}
	data, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	key, err := trust.ParseKey(data)
	if err != nil {
		t.Fatal(err)
	}
	s, err := trust.NewSigner(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// serveChunks answers every request once.
func (f *forge) serveChunks(stop chan struct{}) {
	for answered := 0; ; {
		select {
		case <-stop:
			return
		case <-time.After(10 * time.Millisecond):
		}
		requests := f.received(func(topic string) bool { return topic == f.topics.Get() })
		for _, payload := range requests[answered:] {
			answered++
			var get wire.Get
			if wire.Decode(payload, &get) != nil {
				continue
			}
			for _, n := range get.Chunks() {
				if chunk := trust.Chunk(f.blobs[get.Blob], n); chunk != nil {
					f.c.Publish(f.topics.Chunk(get.Blob, n), 1, false, chunk)
				}
			}
		}
	}
}

// offer publishes a release as it is and assigns it, properly signed.
func (f *forge) offer(t *testing.T, envelope []byte) string {
	t.Helper()
	_, payload, err := trust.PayloadOf(envelope)
	if err != nil {
		t.Fatal(err)
	}
	digest := trust.DocumentDigest(payload)
	f.sequence++
	now := time.Now().UTC().Truncate(time.Second)
	assign, err := trust.Sign(trust.TypeAssign, trust.Assign{
		Type: "assign", Site: site, Device: device, Release: digest, Sequence: f.sequence, Mode: trust.ModeActive,
		Issued: now, NotAfter: now.Add(time.Hour),
	}, f.assign)
	if err != nil {
		t.Fatal(err)
	}
	f.publish(wire.Release(digest), envelope, true)
	f.publish(f.topics.Assign(), assign, true)
	return digest
}

// ended waits for the update event that ends the release's update.
func (f *forge) ended(t *testing.T, digest string) wire.Update {
	t.Helper()
	var u wire.Update
	eventually(t, 30*time.Second, "the update to "+digest[:8]+" ends", func() bool {
		for _, payload := range f.received(func(topic string) bool { return strings.HasSuffix(topic, "/evt/update") }) {
			var e wire.Event
			if err := wire.Decode(payload, &e); err != nil {
				t.Fatal(err)
			}
			if err := wire.Decode(e.Data, &u); err != nil {
				t.Fatal(err)
			}
			final := u.State == wire.UpdateCommitted || u.State == wire.UpdateRefused || u.State == wire.UpdateRolledBack
			if final && u.Release == digest {
				return true
			}
		}
		return false
	})
	return u
}

// Forged and broken releases are refused and reported, the old model goes on
// serving, and a good one is still taken afterwards.
func TestRefusals(t *testing.T) {
	needMosquitto(t)
	b := startBroker(t)
	w := newWorld(3)
	dir := t.TempDir()
	keys, table, pack := filepath.Join(dir, "keys"), filepath.Join(dir, "base.csv"), filepath.Join(dir, "clouds.kedge")
	w.writeCSV(t, table, 300)
	run(t, "kedge-trainer", "keys", "init", keys)
	run(t, "kedge-trainer", "train", table, "--dir", dir, "--name", "clouds", "--label", "class", "--package", pack)
	state, config := enroll(t, filepath.Join(keys, "roots", "1.json"), b.url())
	run(t, "kedge", "install", pack, "--state", state)
	d := start(t, "kedge", "run", "--config", config)
	f := newForge(t, b.url(), keys)

	p := openPackage(t, pack)
	answering := func(version uint64) {
		t.Helper()
		for range 20 {
			x, _ := w.sample(0)
			if a := d.infer(x); a.Model.Version != version {
				t.Fatalf("answered by version %d, want %d", a.Model.Version, version)
			}
		}
	}
	answering(1)

	for _, tt := range []struct {
		name   string
		make   func() []byte
		reason string
	}{
		{"tampered release", func() []byte { return tamper(t, p.Release) }, "sign"},
		{"foreign key", func() []byte { return f.next(t, p, 2, foreign(t), nil) }, "sign"},
		{"golden vector fails", func() []byte {
			return f.next(t, p, 2, f.release, func(b *trust.Bundle) { b.GoldenOutput[3] ^= 1 })
		}, "golden"},
		{"model of another shape", func() []byte {
			return f.next(t, p, 2, f.release, func(b *trust.Bundle) { b.Model = b.Model[:len(b.Model)/2] })
		}, ""},
	} {
		u := f.ended(t, f.offer(t, tt.make()))
		if u.State != wire.UpdateRefused || u.Code != "K0405" || !strings.Contains(u.Reason, tt.reason) {
			t.Errorf("%s: got %+v, want refused with K0405 and a reason with %q", tt.name, u, tt.reason)
		}
		t.Logf("%s: %s", tt.name, u.Reason)
		answering(1)
	}
	if u := f.ended(t, f.offer(t, f.next(t, p, 3, f.release, nil))); u.State != wire.UpdateCommitted {
		t.Fatalf("good release: got %+v, want committed", u)
	}
	answering(3)
}

// next makes a release of a higher version from a package, its bundle changed.
func (f *forge) next(t *testing.T, p *trust.Package, version uint64, by *trust.Signer, change func(*trust.Bundle)) []byte {
	t.Helper()
	bundle, err := trust.OpenBundle(p.Bundle)
	if err != nil {
		t.Fatal(err)
	}
	bundle.Manifest.Version = version
	if change != nil {
		change(bundle)
	}
	data, err := bundle.Encode()
	if err != nil {
		t.Fatal(err)
	}
	var release trust.Release
	_, payload, err := trust.PayloadOf(p.Release)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(payload, &release); err != nil {
		t.Fatal(err)
	}
	index := trust.NewChunkIndex(data)
	release.Version, release.Model = version, trust.Digest(bundle.Model)
	release.Bundle = trust.BundleRef{SHA256: trust.Digest(data), Size: int64(len(data)), Index: trust.Digest(index)}
	envelope, err := trust.Sign(trust.TypeRelease, release, by)
	if err != nil {
		t.Fatal(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.blobs[release.Bundle.SHA256], f.blobs[release.Bundle.Index] = data, index
	return envelope
}

// unpack writes the model of a package into a file.
func unpack(t *testing.T, pack, model string) {
	t.Helper()
	bundle, err := trust.OpenBundle(openPackage(t, pack).Bundle)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(model, bundle.Model, 0o600); err != nil {
		t.Fatal(err)
	}
}

func openPackage(t *testing.T, path string) *trust.Package {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	p, err := trust.OpenPackage(file)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// foreign is a key that no root document names.
func foreign(t *testing.T) *trust.Signer {
	t.Helper()
	s, err := trust.NewSigner(ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// tamper changes a release behind its signature.
func tamper(t *testing.T, envelope []byte) []byte {
	t.Helper()
	var e trust.Envelope
	if err := json.Unmarshal(envelope, &e); err != nil {
		t.Fatal(err)
	}
	e.Payload = []byte(strings.Replace(string(e.Payload), `"version":1`, `"version":9`, 1))
	changed, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return changed
}
