package update

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kedge/runtime"
	"kedge/runtime/runtimetest"
	"kedge/telemetry/trust"
	"kedge/telemetry/wire"
)

var (
	signed   = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) // when the tests' documents were
	today    = signed.Add(time.Hour)
	notAfter = signed.AddDate(0, 1, 0)
)

// signer returns signer number n, the same one every time. In the root
// documents here 1 to 3 hold root, 10 and up release, 20 and up assign.
func signer(t testing.TB, n byte) *trust.Signer {
	t.Helper()
	seed := make([]byte, ed25519.SeedSize)
	seed[0] = n
	s, err := trust.NewSigner(ed25519.NewKeyFromSeed(seed))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// rootEnvelope is the root document of a version, 2 of 1, 2, 3, that gives
// release and assign to one signer each.
func rootEnvelope(t testing.TB, version uint64, release, assign byte, by ...byte) []byte {
	t.Helper()
	doc := trust.RootDocument{
		Type: "root", Version: version, Issued: signed,
		Keys: map[string]trust.Key{}, Roles: map[trust.Role]trust.RoleEntry{},
	}
	give := func(role trust.Role, threshold int, ns ...byte) {
		entry := trust.RoleEntry{Threshold: threshold}
		for _, n := range ns {
			s := signer(t, n)
			doc.Keys[s.KeyID()] = trust.Key{Algorithm: "ed25519", Public: s.Public()}
			entry.KeyIDs = append(entry.KeyIDs, s.KeyID())
		}
		doc.Roles[role] = entry
	}
	give(trust.RoleRoot, 2, 1, 2, 3)
	give(trust.RoleRelease, 1, release)
	give(trust.RoleAssign, 1, assign)
	if by == nil {
		by = []byte{1, 2}
	}
	return sign(t, trust.TypeRoot, doc, by...)
}

func sign(t testing.TB, payloadType string, document any, by ...byte) []byte {
	t.Helper()
	var signers []*trust.Signer
	for _, n := range by {
		signers = append(signers, signer(t, n))
	}
	envelope, err := trust.Sign(payloadType, document, signers...)
	if err != nil {
		t.Fatal(err)
	}
	return envelope
}

// made is a release with everything that belongs to it, as the centre has it.
type made struct {
	release  trust.Release
	digest   string
	envelope []byte
	bundle   []byte
	index    trust.ChunkIndex
}

// recipe is what the tests change of a release before it is packed and signed.
type recipe struct {
	bundle  *trust.Bundle
	release *trust.Release
	by      byte // signer of the release
}

// makeRelease makes a release of several chunks, of version n of the name
// "pump". Options may spoil it.
func makeRelease(t testing.TB, n uint64, options ...func(*recipe)) *made {
	t.Helper()
	r := &recipe{bundle: testBundle(t, n), release: &trust.Release{}, by: 10}
	*r.release = trust.Release{
		Type: "release", Name: "pump", Version: n, Issued: signed, Platforms: []string{"linux/arm64"},
		Operators: []string{"FULLY_CONNECTED"}, MinAgent: "0.1.0",
	}
	m, err := runtime.Load(r.bundle.Model, runtime.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r.release.Inputs, r.release.Outputs = operands(m.Inputs()), operands(m.Outputs())
	for _, o := range options {
		o(r)
	}
	data, err := r.bundle.Encode()
	if err != nil {
		t.Fatal(err)
	}
	index := trust.NewChunkIndex(data)
	if r.release.Model == "" {
		r.release.Model = trust.Digest(r.bundle.Model)
	}
	if r.release.Bundle.SHA256 == "" {
		r.release.Bundle = trust.BundleRef{SHA256: trust.Digest(data), Size: int64(len(data)), Index: trust.Digest(index)}
	}
	envelope := sign(t, trust.TypeRelease, r.release, r.by)
	_, payload, err := trust.PayloadOf(envelope)
	if err != nil {
		t.Fatal(err)
	}
	return &made{release: *r.release, digest: trust.DocumentDigest(payload), envelope: envelope, bundle: data, index: index}
}

func operands(tensors []runtime.TensorInfo) []trust.Operand {
	var os []trust.Operand
	for _, t := range tensors {
		os = append(os, trust.Operand{Type: t.Type.String(), Shape: t.Shape})
	}
	return os
}

// testBundle is a bundle of version n that works. Its reference is 150 kB of
// noise, so that it has five chunks.
func testBundle(t testing.TB, n uint64) *trust.Bundle {
	t.Helper()
	model := runtimetest.SmallNet().Bytes()
	m, err := runtime.Load(model, runtime.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := m.NewSession(runtime.SessionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(n, 1))
	const samples = 5
	b := &trust.Bundle{Model: model, Manifest: trust.Manifest{Format: 1, Name: "pump", Version: n, Signal: "top1", GoldenSamples: samples}}
	for range samples {
		for i := range s.Inputs() {
			for j := range s.Input(i) {
				s.Input(i)[j] = byte(rng.IntN(256))
			}
			b.GoldenInput = append(b.GoldenInput, s.Input(i)...)
		}
		if err := s.Invoke(); err != nil {
			t.Fatal(err)
		}
		for i := range s.Outputs() {
			b.GoldenOutput = append(b.GoldenOutput, s.Output(i)...)
		}
	}
	for i := range elements(s.Outputs()) {
		b.Manifest.Labels = append(b.Manifest.Labels, "class "+strings.Repeat("i", i+1))
	}
	b.Features = []byte("[" + strings.TrimSuffix(strings.Repeat(`{"name":"x"},`, elements(s.Inputs())), ",") + "]")
	noise := make([]byte, 150<<10)
	for i := range noise {
		noise[i] = byte(rng.IntN(256))
	}
	if b.Reference, err = json.Marshal(noise); err != nil {
		t.Fatal(err)
	}
	return b
}

func (m *made) file(t testing.TB) []byte {
	t.Helper()
	data, err := (&trust.Package{Release: m.envelope, Bundle: m.bundle}).Encode()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// assign is the device's own assignment of a release. Options may change it.
func assign(t testing.TB, sequence uint64, m *made, options ...func(*trust.Assign)) []byte {
	t.Helper()
	a := trust.Assign{
		Type: "assign", Site: "north", Device: "d1", Release: m.digest, Sequence: sequence,
		Mode: trust.ModeActive, Issued: signed, NotAfter: notAfter,
	}
	for _, o := range options {
		o(&a)
	}
	return sign(t, trust.TypeAssign, a, 20)
}

func forGroup(group string) func(*trust.Assign) {
	return func(a *trust.Assign) { a.Device, a.Group = "", group }
}

// memStore is a Store. It shares the power supply of its file system.
type memStore struct {
	mu     sync.Mutex
	values map[string][]byte
	fs     *crashFS
}

func (s *memStore) Get(key string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.values[key], nil
}

func (s *memStore) Put(key string, value []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fs != nil {
		if err := s.fs.step(); err != nil {
			return err
		}
	}
	s.values[key] = slices.Clone(value)
	return nil
}

// center answers requests, as far as the test lets it.
type center struct {
	mu       sync.Mutex
	updater  *Updater
	releases map[string][]byte
	blobs    map[string][]byte
	wanted   []string   // releases asked for
	requests []wire.Get // chunks asked for
	// answer, if set, decides what is sent for chunk n of a blob.
	answer func(blob string, n int, data []byte) [][]byte
}

func newCenter(ms ...*made) *center {
	c := &center{releases: map[string][]byte{}, blobs: map[string][]byte{}}
	for _, m := range ms {
		c.releases[m.digest] = m.envelope
		c.blobs[m.release.Bundle.SHA256] = m.bundle
		c.blobs[m.release.Bundle.Index] = m.index
	}
	return c
}

func (c *center) WantRelease(_ context.Context, digest string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wanted = append(c.wanted, digest)
	if envelope := c.releases[digest]; envelope != nil {
		c.updater.HandleRelease(envelope)
	}
	return nil
}

func (c *center) Request(_ context.Context, get wire.Get) error {
	if err := get.Check(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests = append(c.requests, get)
	for _, n := range get.Chunks() {
		data := trust.Chunk(c.blobs[get.Blob], n)
		if data == nil {
			continue
		}
		answers := [][]byte{data}
		if c.answer != nil {
			answers = c.answer(get.Blob, n, data)
		}
		for _, a := range answers {
			c.updater.HandleChunk(get.Blob, n, a)
		}
	}
	return nil
}

// chunksOf counts the chunks of a blob that were asked for.
func (c *center) chunksOf(blob string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for i := range c.requests {
		if c.requests[i].Blob == blob {
			n += len(c.requests[i].Chunks())
		}
	}
	return n
}

// bench is a device on the test's bench: an Updater, its disk, and what it said.
type bench struct {
	t       testing.TB
	fs      *crashFS
	store   *memStore
	center  *center
	u       *Updater
	options Options

	mu      sync.Mutex
	reports []wire.Update
	served  []*Installed // in the order in which they were activated
	fail    error        // what Activate returns
}

// newBench enrols a device whose centre has the releases.
func newBench(t testing.TB, ms ...*made) *bench {
	t.Helper()
	fs := newCrashFS()
	fs.MkdirAll("/state")
	if err := replaceFile(fs, "/state/root.json", rootEnvelope(t, 1, 10, 20)); err != nil {
		t.Fatal(err)
	}
	b := setUp(t, fs, map[string][]byte{}, newCenter(ms...))
	b.open()
	return b
}

// setUp puts a device on the bench that has this disk and this store.
func setUp(t testing.TB, fs *crashFS, values map[string][]byte, c *center) *bench {
	b := &bench{t: t, fs: fs, store: &memStore{values: values, fs: fs}, center: c}
	b.options = Options{
		Dir: "/state", Site: "north", Device: "d1", Groups: []string{"g1", "g2"},
		Platform: "linux/arm64", AgentVersion: "0.1.0", Store: b.store, Transport: b.center, Files: fs,
		Now: func() time.Time { return today }, Rand: func() float64 { return 0 },
		Report: func(w wire.Update) {
			if err := w.Check(); err != nil {
				t.Errorf("report %+v: %v", w, err)
			}
			b.mu.Lock()
			defer b.mu.Unlock()
			b.reports = append(b.reports, w)
		},
		Activate: func(_ context.Context, i *Installed) error {
			b.mu.Lock()
			defer b.mu.Unlock()
			if b.fail == nil {
				b.served = append(b.served, i)
			}
			return b.fail
		},
	}
	return b
}

// open is the start of the agent's process.
func (b *bench) open() {
	b.t.Helper()
	u, err := Open(b.options)
	if err != nil {
		b.t.Fatal(err)
	}
	b.u, b.center.updater = u, u
}

// settle lets the updater handle everything that is due now, without waiting for time to pass.
func (b *bench) settle() {
	b.u.begun()
	for {
		wake := b.u.turn(context.Background())
		if len(b.u.inbox.signal) == 0 && (wake.IsZero() || time.Now().Before(wake)) {
			return
		}
		select {
		case <-b.u.inbox.signal:
		default:
		}
	}
}

// states lists what was reported since the last call.
func (b *bench) states() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var states []string
	for _, r := range b.reports {
		states = append(states, r.State)
	}
	b.reports = nil
	return states
}

// last returns the latest report.
func (b *bench) last() wire.Update {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.reports) == 0 {
		return wire.Update{}
	}
	return b.reports[len(b.reports)-1]
}

// version returns the version in service; 0 for none.
func (b *bench) version() uint64 {
	i, err := b.u.Active()
	if err != nil {
		return 0
	}
	return i.Release.Version
}

// want checks the version in service and the latest report.
func (b *bench) want(version uint64, state, reason string) {
	b.t.Helper()
	if got := b.version(); got != version {
		b.t.Errorf("in service: got version %d, want %d", got, version)
	}
	if got := b.last(); got.State != state || !strings.Contains(got.Reason, reason) {
		b.t.Errorf("last report: got %+v, want state %q, reason with %q", got, state, reason)
	}
}

// run starts Run; the result ends it and waits.
func (b *bench) run() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- b.u.Run(ctx) }()
	return func() {
		cancel()
		if err := <-ended; err != context.Canceled {
			b.t.Errorf("Run: got %v, want context.Canceled", err)
		}
	}
}
