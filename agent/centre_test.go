package agent

import (
	"crypto/ed25519"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"

	"kedge/agent/drift"
	"kedge/runtime"
	"kedge/runtime/runtimetest"
	"kedge/runtime/tflite"
	"kedge/telemetry/trust"
	"kedge/telemetry/wire"
)

var topics = wire.DeviceTopics{Site: "plant", Device: "pump-1"}

// testSigner returns the signer number n, the same one every time.
func testSigner(t testing.TB, n byte) *trust.Signer {
	t.Helper()
	s, err := trust.NewSigner(ed25519.NewKeyFromSeed(slices.Repeat([]byte{n}, ed25519.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Signers of the roles.
const (
	rootKey byte = iota + 1
	releaseKey
	assignKey
	foreignKey
)

func sign(t testing.TB, typ string, document any, key byte) []byte {
	t.Helper()
	envelope, err := trust.Sign(typ, document, testSigner(t, key))
	if err != nil {
		t.Fatal(err)
	}
	return envelope
}

var issued = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func rootEnvelope(t testing.TB) []byte {
	t.Helper()
	doc := trust.RootDocument{Type: "root", Version: 1, Issued: issued, Keys: map[string]trust.Key{}, Roles: map[trust.Role]trust.RoleEntry{}}
	for role, key := range map[trust.Role]byte{trust.RoleRoot: rootKey, trust.RoleRelease: releaseKey, trust.RoleAssign: assignKey} {
		s := testSigner(t, key)
		doc.Keys[s.KeyID()] = trust.Key{Algorithm: "ed25519", Public: s.Public()}
		doc.Roles[role] = trust.RoleEntry{KeyIDs: []string{s.KeyID()}, Threshold: 1}
	}
	return sign(t, trust.TypeRoot, doc, rootKey)
}

// release is a signed model: two features, the larger one wins.
type release struct {
	envelope []byte
	digest   string
	bundle   []byte
	model    string // digest
}

func testRelease(t testing.TB, version uint64, changes ...func(*trust.Bundle)) *release {
	t.Helper()
	b := runtimetest.Builder{
		Tensors: []runtimetest.Tensor{
			runtimetest.Int8("x", 0.02, 0, 1, 2),
			runtimetest.Weights("w", 0.02, []int{2, 2}, 100, 0, 0, 100),
			runtimetest.Const32("b", []int{2}, int(version), int(version)), // other bytes, the same answers
			runtimetest.Int8("logits", 0.1, 0, 1, 2),
			runtimetest.Int8("p", 1.0/256, -128, 1, 2),
		},
		Inputs: []int{0}, Outputs: []int{4},
		Ops: []runtimetest.Op{
			{Code: tflite.FullyConnected, Inputs: []int{0, 1, 2}, Outputs: []int{3}, Options: []any{byte(0)}},
			{Code: tflite.Softmax, Inputs: []int{3}, Outputs: []int{4}, Options: []any{float32(1)}},
		},
	}
	file := b.Bytes()
	bundle := &trust.Bundle{
		Manifest:  trust.Manifest{Format: 1, Name: "pump", Version: version, Labels: []string{"ok", "worn"}, Signal: "top1", GoldenSamples: 1},
		Model:     file,
		Features:  []byte(`[{"name":"a","transform":"none","mean":10,"scale":2},{"name":"b","transform":"none","mean":0,"scale":1}]`),
		Reference: referenceJSON(t, 600), GoldenInput: []byte{100, 0},
	}
	bundle.GoldenOutput = golden(t, file, bundle.GoldenInput)
	for _, change := range changes {
		change(bundle)
	}
	encoded, err := bundle.Encode()
	if err != nil {
		t.Fatal(err)
	}
	rel := &trust.Release{
		Type: "release", Name: "pump", Version: version, Issued: issued, Model: trust.Digest(file),
		Bundle:    trust.BundleRef{SHA256: trust.Digest(encoded), Size: int64(len(encoded)), Index: trust.Digest(trust.NewChunkIndex(encoded))},
		Platforms: []string{"*"}, Operators: []string{"FULLY_CONNECTED", "SOFTMAX"},
		Inputs: []trust.Operand{{Type: "int8", Shape: []int{1, 2}}}, Outputs: []trust.Operand{{Type: "int8", Shape: []int{1, 2}}},
	}
	envelope := sign(t, trust.TypeRelease, rel, releaseKey)
	_, payload, err := trust.PayloadOf(envelope)
	if err != nil {
		t.Fatal(err)
	}
	return &release{envelope: envelope, digest: trust.DocumentDigest(payload), bundle: encoded, model: rel.Model}
}

func (r *release) kedgeFile(t testing.TB) []byte {
	t.Helper()
	p := trust.Package{Release: r.envelope, Bundle: r.bundle}
	file, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func golden(t testing.TB, file, input []byte) []byte {
	t.Helper()
	m, err := runtime.Load(file, runtime.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := m.NewSession(runtime.SessionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	copy(s.Input(0), input)
	if err := s.Invoke(); err != nil {
		t.Fatal(err)
	}
	return slices.Clone(s.Output(0))
}

// referenceJSON describes a signal that is 255/256 but now and then a bit less.
func referenceJSON(t testing.TB, n int) []byte {
	t.Helper()
	xs := make([]float64, n)
	for i := range xs {
		xs[i] = 255.0 / 256
		if i%16 == 0 {
			xs[i] = 240.0 / 256
		}
	}
	ref, err := drift.NewReference(xs)
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(ref)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// A centre is a broker with what the real centre does for one device: it serves
// chunks and notes what arrives.
type centre struct {
	mochi.HookBase
	t        *testing.T
	server   *mochi.Server
	password string // that clients have to give

	mu     sync.Mutex
	blobs  map[string][]byte
	got    []packets.Packet // published by clients, retained ones too
	serves sync.WaitGroup
	ended  sync.Once
}

func (c *centre) ID() string { return "centre" }
func (c *centre) Provides(b byte) bool {
	return slices.Contains([]byte{mochi.OnConnectAuthenticate, mochi.OnACLCheck, mochi.OnPublish}, b)
}
func (c *centre) OnConnectAuthenticate(_ *mochi.Client, pk packets.Packet) bool {
	return string(pk.Connect.Password) == c.password
}
func (c *centre) OnACLCheck(*mochi.Client, string, bool) bool { return true }

func (c *centre) OnPublish(cl *mochi.Client, pk packets.Packet) (packets.Packet, error) {
	if cl.Net.Inline {
		return pk, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got = append(c.got, pk)
	if pk.TopicName == topics.Get() {
		payload := slices.Clone(pk.Payload)
		c.serves.Go(func() { c.serveChunks(payload) })
	}
	return pk, nil
}

func (c *centre) serveChunks(payload []byte) {
	var get wire.Get
	if err := wire.Decode(payload, &get); err != nil {
		c.t.Errorf("request: %v", err)
		return
	}
	c.mu.Lock()
	blob := c.blobs[get.Blob]
	c.mu.Unlock()
	for _, n := range get.Chunks() {
		if chunk := trust.Chunk(blob, n); chunk != nil {
			c.publish(topics.Chunk(get.Blob, n), chunk, false)
		}
	}
}

// startCentre listens at addr, or at a free port if it is empty.
func startCentre(t *testing.T, addr string) (*centre, string) {
	t.Helper()
	return startSecureCentre(t, addr, nil, "")
}

// startSecureCentre is startCentre with TLS and a password.
func startSecureCentre(t *testing.T, addr string, secure *tls.Config, password string) (*centre, string) {
	t.Helper()
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	c := &centre{t: t, blobs: map[string][]byte{}, password: password}
	c.server = mochi.New(&mochi.Options{InlineClient: true, Logger: slog.New(slog.DiscardHandler)})
	if err := c.server.AddHook(c, nil); err != nil {
		t.Fatal(err)
	}
	l := listeners.NewTCP(listeners.Config{ID: "t", Address: addr, TLSConfig: secure})
	if err := c.server.AddListener(l); err != nil {
		t.Fatal(err)
	}
	if err := c.server.Serve(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.stop)
	return c, l.Address()
}

func (c *centre) stop() {
	c.ended.Do(func() {
		c.serves.Wait()
		c.server.Close()
	})
}

func (c *centre) publish(topic string, payload []byte, retain bool) {
	if err := c.server.Publish(topic, payload, retain, 1); err != nil {
		c.t.Errorf("publish on %s: %v", topic, err)
	}
}

// offer publishes a release and serves its bundle.
func (c *centre) offer(r *release) {
	index := trust.NewChunkIndex(r.bundle)
	c.mu.Lock()
	c.blobs[trust.Digest(r.bundle)], c.blobs[trust.Digest(index)] = r.bundle, index
	c.mu.Unlock()
	c.publish(wire.Release(r.digest), r.envelope, true)
}

func (c *centre) assign(r *release, sequence uint64) {
	c.publish(topics.Assign(), sign(c.t, trust.TypeAssign, trust.Assign{
		Type: "assign", Site: topics.Site, Device: topics.Device, Release: r.digest, Sequence: sequence,
		Mode: trust.ModeActive, Issued: issued, NotAfter: time.Now().AddDate(1, 0, 0),
	}, assignKey), true)
}

func (c *centre) reference(model string, sequence uint64, n int, first string, key byte) {
	c.publish(topics.Reference(), sign(c.t, trust.TypeReference, trust.ReferenceDocument{
		Type: "reference", Site: topics.Site, Device: topics.Device, Model: model, Sequence: sequence, Issued: issued, First: first,
		Reference: referenceJSON(c.t, n),
	}, key), true)
}

// published returns the payloads that clients published on topics with a prefix.
func (c *centre) published(prefix string) [][]byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all [][]byte
	for _, pk := range c.got {
		if strings.HasPrefix(pk.TopicName, prefix) {
			all = append(all, pk.Payload)
		}
	}
	return all
}

// last returns the topics of the n latest messages.
func (c *centre) last(n int) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []string
	for _, pk := range c.got[max(0, len(c.got)-n):] {
		all = append(all, pk.TopicName)
	}
	return all
}

// events returns the data of the events of a kind, each once.
func events[T any, P interface {
	*T
	wire.Message
}](c *centre, kind string) []T {
	c.t.Helper()
	var all []T
	seen := map[string]bool{}
	for _, payload := range c.published(topics.Event(kind)) {
		var e wire.Event
		if err := wire.Decode(payload, &e); err != nil {
			c.t.Fatal(err)
		}
		if seen[e.ID] {
			continue
		}
		seen[e.ID] = true
		var data T
		if err := wire.Decode(e.Data, P(&data)); err != nil {
			c.t.Fatal(err)
		}
		all = append(all, data)
	}
	return all
}

// evidence returns the parts with an id by number, checked.
func (c *centre) evidence(id string) map[int]wire.Evidence {
	c.t.Helper()
	parts := map[int]wire.Evidence{}
	for _, payload := range c.published(strings.TrimSuffix(topics.Upload(id, 0), "0")) {
		var e wire.Evidence
		if err := wire.Decode(payload, &e); err != nil {
			c.t.Fatal(err)
		}
		if len(payload) > partBytes || len(e.Samples) > partSamples {
			c.t.Errorf("part %d: %d samples in %d bytes, want at most %d in %d", e.Part, len(e.Samples), len(payload), partSamples, partBytes)
		}
		parts[e.Part] = e
	}
	return parts
}

// samplesOf returns the samples of parts in order, or nil while some are missing.
func samplesOf(parts map[int]wire.Evidence) []wire.Sample {
	var all []wire.Sample
	for n := range len(parts) {
		part, ok := parts[n]
		if !ok {
			return nil
		}
		all = append(all, part.Samples...)
		if part.Last {
			return all
		}
	}
	return nil
}

// reported returns the latest retained account.
func (c *centre) reported() *wire.Reported {
	all := c.published(topics.Reported())
	if len(all) == 0 {
		return &wire.Reported{}
	}
	var r wire.Reported
	if err := wire.Decode(all[len(all)-1], &r); err != nil {
		c.t.Fatal(err)
	}
	return &r
}

// states describes the messages on the state topic.
func (c *centre) states() []string {
	var all []string
	for _, payload := range c.published(topics.State()) {
		var s wire.State
		if err := wire.Decode(payload, &s); err != nil {
			c.t.Fatal(err)
		}
		all = append(all, fmt.Sprintf("session %d online %v", s.Session, s.Online))
	}
	return all
}

// eventually waits for cond.
func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		if cond() {
			return
		}
	}
	t.Fatalf("waited 20s for %s", what)
}
