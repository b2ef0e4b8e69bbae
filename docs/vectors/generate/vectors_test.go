package main

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"kedge/runtime"
	"kedge/runtime/feature"
	"kedge/telemetry/trust"
	"kedge/telemetry/wire"
)

// decode reads one of the vectors strictly.
func decode(t *testing.T, files map[string][]byte, name string, v any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(files[name]))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// outcomes tells the manifest's words by our errors. Several may stand in one
// error; the first that does is its outcome.
var outcomes = []struct {
	err  error
	name string
}{
	{trust.ErrRootVersion, rootVersion}, {trust.ErrPayloadType, payloadType}, {trust.ErrSignature, signature}, {trust.ErrDigest, digest},
	{trust.ErrBundle, badBundle}, {trust.ErrTooLarge, "too-large"}, {trust.ErrMalformed, malformed},
	{wire.ErrTooLarge, "too-large"}, {wire.ErrMalformed, malformed},
}

func outcome(err error) string {
	if err == nil {
		return accept
	}
	for _, o := range outcomes {
		if errors.Is(err, o.err) {
			return o.name
		}
	}
	return err.Error()
}

// TestVectors is our implementation's answer to every check of the manifest.
func TestVectors(t *testing.T) {
	files := onDisk(t)
	var m manifest
	decode(t, files, "manifest.json", &m)
	kinds := make(map[string]int)
	for _, c := range m.Checks {
		kinds[c.Check+" "+c.Outcome]++
		t.Run(c.File, func(t *testing.T) {
			name, err := run(t, files, c)
			if got := outcome(err); got != c.Outcome {
				t.Errorf("%s: got %s (%v), want %s", c.Why, got, err, c.Outcome)
			}
			if err == nil && name != c.Digest {
				t.Errorf("digest: got %s, want %s", name, c.Digest)
			}
		})
	}
	for _, want := range []string{
		checkRoot + " " + accept, checkRoot + " " + signature, checkNextRoot + " " + rootVersion, checkRelease + " " + payloadType,
		checkAssign + " " + malformed, checkReference + " " + signature, checkBundle + " " + digest, checkIndex + " " + digest,
		checkChunk + " " + digest, checkPackage + " " + badBundle, checkMessage + " " + malformed,
	} {
		if kinds[want] == 0 {
			t.Errorf("no check %s", want)
		}
	}
}

// run does one check and returns the document's digest.
func run(t *testing.T, files map[string][]byte, c check) (string, error) {
	t.Helper()
	data, ok := files[c.File]
	if !ok {
		t.Fatal("file is missing")
	}
	switch c.Check {
	case checkMessage:
		return "", runMessage(data, c)
	case checkRoot:
		_, err := trust.OpenRoot(data)
		return nameOf(data), err
	case checkNextRoot:
		_, err := rootInForce(t, files, c.Root).Next(data)
		return nameOf(data), err
	case checkRelease:
		_, name, err := rootInForce(t, files, c.Root).VerifyRelease(data)
		return name, err
	case checkAssign:
		_, err := rootInForce(t, files, c.Root).VerifyAssign(data)
		return nameOf(data), err
	case checkReference:
		_, err := rootInForce(t, files, c.Root).VerifyReference(data)
		return nameOf(data), err
	case checkPackage:
		p, err := trust.OpenPackage(data)
		if err != nil {
			return "", err
		}
		release, _, err := rootInForce(t, files, c.Root).VerifyRelease(p.Release)
		if err != nil {
			return "", err
		}
		_, err = release.Open(p.Bundle)
		return "", err
	}
	release, _, err := rootInForce(t, files, c.Root).VerifyRelease(files[c.Release])
	if err != nil {
		t.Fatal(err)
	}
	switch c.Check {
	case checkBundle:
		_, err = release.Open(data)
	case checkIndex:
		_, err = trust.OpenChunkIndex(data, release.Bundle)
	case checkChunk:
		err = trust.ChunkIndex(files[indexFile]).Check(0, data)
	default:
		t.Fatalf("unknown check %q", c.Check)
	}
	return "", err
}

func nameOf(envelope []byte) string {
	_, payload, err := trust.PayloadOf(envelope)
	if err != nil {
		return ""
	}
	return trust.DocumentDigest(payload)
}

// rootInForce opens a root of the vectors; those after the first by the chain.
func rootInForce(t *testing.T, files map[string][]byte, name string) *trust.Root {
	t.Helper()
	root, err := trust.OpenRoot(files[root1File])
	if err == nil && name == root2File {
		root, err = root.Next(files[root2File])
	}
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// newMessage returns an empty message by its schema's name.
func newMessage(kind string) wire.Message {
	switch kind {
	case "state":
		return new(wire.State)
	case "reported":
		return new(wire.Reported)
	case "event":
		return new(wire.Event)
	case "drift":
		return new(wire.Drift)
	case "update":
		return new(wire.Update)
	case "reference":
		return new(wire.Reference)
	case "health":
		return new(wire.Health)
	case "audit":
		return new(wire.Audit)
	case "evidence":
		return new(wire.Evidence)
	case "labels":
		return new(wire.Labels)
	case "get":
		return new(wire.Get)
	}
	panic("BUG: no message " + kind)
}

func runMessage(data []byte, c check) error {
	kind, inner, isEvent := strings.Cut(c.Message, "/")
	m := newMessage(kind)
	if err := wire.Decode(data, m); err != nil || !isEvent {
		return err
	}
	e := m.(*wire.Event)
	if e.Type != wire.EventType(inner) || e.Source != device.Source() || c.Topic != device.Event(inner) {
		return errors.New("type, source and topic disagree")
	}
	return wire.Decode(e.Data, newMessage(inner))
}

func TestKeys(t *testing.T) {
	var keys []struct{ Name, Seed, Public, KeyID string }
	decode(t, onDisk(t), "keys.json", &keys)
	for _, k := range keys {
		seed, err := hex.DecodeString(k.Seed)
		if err != nil || len(seed) != ed25519.SeedSize {
			t.Fatalf("%s: seed %q", k.Name, k.Seed)
		}
		public := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
		if got := hex.EncodeToString(public); got != k.Public {
			t.Errorf("%s: got public key %s, want %s", k.Name, got, k.Public)
		}
		if got := trust.KeyID(public); got != k.KeyID {
			t.Errorf("%s: got id %s, want %s", k.Name, got, k.KeyID)
		}
	}
}

func TestPAE(t *testing.T) {
	var all []struct {
		PayloadType  string
		Payload, PAE []byte
	}
	decode(t, onDisk(t), "pae.json", &all)
	if want := "DSSEv1 29 http://example.com/HelloWorld 11 hello world"; string(all[0].PAE) != want {
		t.Errorf("DSSE's example: got %q, want %q", all[0].PAE, want)
	}
	for _, v := range all {
		if got := trust.PAE(v.PayloadType, v.Payload); !bytes.Equal(got, v.PAE) {
			t.Errorf("%q: got %q, want %q", v.PayloadType, got, v.PAE)
		}
	}
}

func TestTopics(t *testing.T) {
	var v struct {
		Read      []topicVector
		Documents map[string]string
		Filters   struct {
			Centre                    []string
			DeviceChunks, DeviceRoots string
		}
		Refuse    []string
		SampleIDs struct {
			Read []struct {
				ID, Device, Boot string
				Sequence         uint64
			}
			Refuse []string
		} `json:"sample_ids"`
	}
	if err := json.Unmarshal(onDisk(t)["topics.json"], &v); err != nil {
		t.Fatal(err)
	}
	for _, want := range v.Read {
		got, err := wire.ParseTopic(want.Topic)
		if err != nil || got.Site != want.Site || got.Device != want.Device || got.Source != want.Source || got.Kind != want.Kind || !slices.Equal(got.Rest, want.Rest) {
			t.Errorf("%s: got %+v, %v, want %+v", want.Topic, got, err, want)
		}
	}
	for _, topic := range v.Refuse {
		if got, err := wire.ParseTopic(topic); err == nil {
			t.Errorf("%q: got %+v, want an error", topic, got)
		}
	}
	for _, want := range v.SampleIDs.Read {
		if got, err := wire.ParseSampleID(want.ID); err != nil || got != (wire.SampleID{Device: want.Device, Boot: want.Boot, Sequence: want.Sequence}) {
			t.Errorf("%s: got %+v, %v, want %+v", want.ID, got, err, want)
		}
	}
	for _, id := range v.SampleIDs.Refuse {
		if got, err := wire.ParseSampleID(id); err == nil {
			t.Errorf("%q: got %+v, want an error", id, got)
		}
	}
	if len(v.Read) == 0 || len(v.Refuse) == 0 || len(v.SampleIDs.Read) == 0 || len(v.SampleIDs.Refuse) == 0 || len(v.Documents) == 0 {
		t.Error("topics.json lacks a part")
	}
}

func TestChunks(t *testing.T) {
	var v struct {
		Blob struct {
			Size   int
			SHA256 string
			ByteI  string `json:"byte_i"`
		}
		Chunks      []string
		Index       []byte
		IndexSHA256 string `json:"index_sha256"`
		Requests    []struct {
			Get    wire.Get
			Chunks []int
		}
	}
	decode(t, onDisk(t), "chunks.json", &v)
	blob := make([]byte, v.Blob.Size)
	for i := range blob {
		blob[i] = byte(i % 251)
	}
	index, err := trust.OpenChunkIndex(v.Index, trust.BundleRef{SHA256: v.Blob.SHA256, Size: int64(v.Blob.Size), Index: v.IndexSHA256})
	if err != nil || trust.Digest(blob) != v.Blob.SHA256 || len(v.Chunks) != trust.Chunks(int64(len(blob))) {
		t.Fatalf("got blob %s of %d chunks, index %v", trust.Digest(blob), trust.Chunks(int64(len(blob))), err)
	}
	for n, want := range v.Chunks {
		if got := trust.Digest(trust.Chunk(blob, n)); got != want || index.Check(n, trust.Chunk(blob, n)) != nil {
			t.Errorf("chunk %d: got %s, want %s", n, got, want)
		}
	}
	for _, r := range v.Requests {
		if got := r.Get.Chunks(); r.Get.Check() != nil || !slices.Equal(got, r.Chunks) {
			t.Errorf("%+v: got %v, want %v", r.Get, got, r.Chunks)
		}
	}
}

func TestFeatures(t *testing.T) {
	var v struct {
		Features       feature.Set
		InputScale     float32 `json:"input_scale"`
		InputZeroPoint int32   `json:"input_zero_point"`
		Rows           []struct {
			X, Standardized wire.Float32s
			Input           []int8
		}
	}
	decode(t, onDisk(t), "features.json", &v)
	compiled, err := feature.Compile(v.Features)
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range v.Rows {
		x, err := row.X.Unpack()
		if err != nil {
			t.Fatal(err)
		}
		wide, got, input := make([]float64, len(x)), make([]float32, len(x)), make([]byte, len(x))
		for i := range x {
			wide[i] = float64(x[i])
		}
		if err := compiled.Apply(got, wide); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(wire.PackFloat32s(got), row.Standardized) {
			t.Errorf("row %d: got %v, want others", i, got)
		}
		if err := feature.Quantize(input, got, v.InputScale, v.InputZeroPoint); err != nil {
			t.Fatal(err)
		}
		for k, b := range input {
			if int8(b) != row.Input[k] {
				t.Errorf("row %d: got %v, want %v", i, input, row.Input)
			}
		}
	}
}

// The golden samples of the bundle are what the model computes: by hand for the
// first, by the runtime for all. Inputs 0 and 0 are 3 above the zero point;
// 900 − 3·(80+48) = 516 times 2^-7 is a logit of 4/16, its mirror image −4/16, and
// softmax(0.25, −0.25) = (0.6225, 0.3775), which is 159 and 97 of 256.
func TestGolden(t *testing.T) {
	b, err := trust.OpenBundle(onDisk(t)[bundleFile])
	if err != nil {
		t.Fatal(err)
	}
	if want := []byte{159 - 128, 256 + 97 - 128}; !bytes.Equal(b.GoldenOutput[:2], want) {
		t.Errorf("first sample: got %v, want %v", b.GoldenOutput[:2], want)
	}
	model, err := runtime.Load(b.Model, runtime.Options{})
	if err != nil {
		t.Fatal(err)
	}
	session, err := model.NewSession(runtime.SessionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range b.Manifest.GoldenSamples {
		copy(session.Input(0), b.GoldenInput[2*i:2*i+2])
		if err := session.Invoke(); err != nil {
			t.Fatal(err)
		}
		if got, want := session.Output(0), b.GoldenOutput[2*i:2*i+2]; !bytes.Equal(got, want) {
			t.Errorf("sample %d: got %v, want %v", i, got, want)
		}
	}
}
