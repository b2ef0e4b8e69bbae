package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"kedge/agent/drift"
	"kedge/runtime"
	"kedge/telemetry/trust"
)

// Files that others refer to.
const (
	root1File   = "documents/root-1.json"
	root2File   = "documents/root-2.json"
	releaseFile = "documents/release.json"
	bundleFile  = "bundle/bundle.zip"
	indexFile   = "bundle/index.bin"
)

// documents are the good ones, from which the refused ones are made.
type documents struct {
	root1, root2 *trust.RootDocument
	release      *trust.Release
	assign       *trust.Assign
	reference    *trust.ReferenceDocument
	parts        []part // of the bundle
	bundle       []byte
}

// sign returns an envelope.
func (s *set) sign(payloadType string, document any, names ...string) []byte {
	envelope, err := trust.Sign(payloadType, document, s.keys(names...)...)
	if err != nil {
		s.fail(fmt.Errorf("%s: %w", payloadType, err))
	}
	return envelope
}

// name returns the digest that names a document.
func (s *set) name(envelope []byte) string {
	_, payload, err := trust.PayloadOf(envelope)
	if err != nil {
		s.fail(err)
	}
	return trust.DocumentDigest(payload)
}

// accepted adds a document that verifies.
func (s *set) accepted(file, why, kind, root string, envelope []byte) {
	s.checked(envelope, check{File: file, Why: why, Check: kind, Root: root, Outcome: accept, Digest: s.name(envelope)})
}

// rootDocument gives the role root to the keys named and a threshold of two.
func (s *set) rootDocument(version uint64, release string, roots ...string) *trust.RootDocument {
	doc := &trust.RootDocument{
		Type: "root", Version: version, Issued: at.AddDate(0, 0, int(version)),
		Keys: make(map[string]trust.Key), Roles: make(map[trust.Role]trust.RoleEntry),
	}
	for role, names := range map[trust.Role][]string{trust.RoleRoot: roots, trust.RoleRelease: {release}, trust.RoleAssign: {"assign"}} {
		entry := trust.RoleEntry{Threshold: min(2, len(names))}
		for _, name := range names {
			k := s.key(name)
			doc.Keys[k.KeyID()] = trust.Key{Algorithm: "ed25519", Public: k.Public()}
			entry.KeyIDs = append(entry.KeyIDs, k.KeyID())
		}
		doc.Roles[role] = entry
	}
	return doc
}

// addDocuments adds a chain of two roots, a bundle, and what is signed about it.
func (s *set) addDocuments() *documents {
	d := &documents{
		root1: s.rootDocument(1, "release", "root-a", "root-b", "root-c"),
		root2: s.rootDocument(2, "release-new", "root-a", "root-b", "root-d"),
	}
	s.accepted(root1File, "the root that the device is enrolled with: two of three root keys", checkRoot, "", s.sign(trust.TypeRoot, d.root1, "root-a", "root-b"))
	s.accepted(root2File, "its successor: root-d for root-c, and another release key", checkNextRoot, root1File, s.sign(trust.TypeRoot, d.root2, "root-a", "root-b", "root-d"))

	model := pumpModel()
	d.parts = s.bundleParts(model)
	d.bundle = s.pack(d.parts)
	index := trust.NewChunkIndex(d.bundle)
	d.release = &trust.Release{
		Type: "release", Name: "pump", Version: 7, Issued: at,
		Bundle:    trust.BundleRef{SHA256: trust.Digest(d.bundle), Size: int64(len(d.bundle)), Index: trust.Digest(index)},
		Model:     trust.Digest(model),
		Platforms: []string{"linux/amd64", "linux/arm64", "linux/arm", "linux/riscv64"}, Operators: []string{"FULLY_CONNECTED", "SOFTMAX"},
		Inputs: []trust.Operand{{Type: "int8", Shape: []int{1, 2}}}, Outputs: []trust.Operand{{Type: "int8", Shape: []int{1, 2}}},
		MinAgent: "0.1.0", SecurityFloor: 5,
	}
	envelope := s.sign(trust.TypeRelease, d.release, "release")
	s.accepted(releaseFile, "a release", checkRelease, root1File, envelope)
	s.checked(d.bundle, check{File: bundleFile, Why: "its bundle", Check: checkBundle, Root: root1File, Release: releaseFile, Outcome: accept})
	s.checked(index, check{File: indexFile, Why: "the digests of its chunks, of which it has one", Check: checkIndex, Root: root1File, Release: releaseFile, Outcome: accept})
	s.checked(trust.Chunk(d.bundle, 0), check{File: "bundle/chunk-0.bin", Why: "chunk 0", Check: checkChunk, Root: root1File, Release: releaseFile, Outcome: accept})
	s.checked(s.kedgeFile(envelope, d.bundle), check{File: "pump.kedge", Why: "both in one file", Check: checkPackage, Root: root1File, Outcome: accept})

	d.assign = &trust.Assign{
		Type: "assign", Site: device.Site, Device: device.Device, Release: s.name(envelope), Sequence: 4, Mode: trust.ModeActive,
		Issued: at, NotAfter: at.AddDate(0, 0, 30), SpreadSeconds: 600,
	}
	s.accepted("documents/assign.json", "the device is to run it", checkAssign, root1File, s.sign(trust.TypeAssign, d.assign, "assign"))
	group := *d.assign
	group.Device, group.Group, group.SpreadSeconds = "", "pumps", 0
	s.accepted("documents/assign-group.json", "a group is to run it", checkAssign, root1File, s.sign(trust.TypeAssign, &group, "assign"))
	d.reference = &trust.ReferenceDocument{
		Type: "reference", Site: device.Site, Device: device.Device, Model: d.release.Model, Sequence: 1, Issued: at.Add(time.Hour),
		First: sampleID(1000), Reference: s.reference(),
	}
	s.accepted("documents/reference.json", "a reference of the device's own", checkReference, root1File, s.sign(trust.TypeReference, d.reference, "release"))
	return d
}

// A part is one file of an archive.
type part struct {
	name string
	data []byte
}

// pack makes a stored archive: what compresses may differ between versions of a
// library, and the vectors must not.
func (s *set) pack(parts []part) []byte {
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for _, p := range parts {
		f, err := w.CreateHeader(&zip.FileHeader{Name: p.name, Method: zip.Store, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)})
		if err == nil {
			_, err = f.Write(p.data)
		}
		if err != nil {
			s.fail(err)
		}
	}
	if err := w.Close(); err != nil {
		s.fail(err)
	}
	return buf.Bytes()
}

func (s *set) kedgeFile(release, bundle []byte) []byte {
	data, err := (&trust.Package{Release: release, Bundle: bundle}).Encode()
	if err != nil {
		s.fail(err)
	}
	return data
}

// bundleParts lists the files of the bundle in their usual order.
func (s *set) bundleParts(model []byte) []part {
	input := []byte{0x00, 0x00, 0x7f, 0x80, 0xfd, 0x14, 0x30, 0x50}
	encode := func(v any) []byte {
		data, err := json.MarshalIndent(v, "", " ")
		if err != nil {
			s.fail(err)
		}
		return data
	}
	manifest := trust.Manifest{Format: 1, Name: "pump", Version: 7, Labels: []string{"good", "worn"}, Signal: "top1", GoldenSamples: len(input) / 2}
	return []part{
		{trust.FileManifest, encode(manifest)}, {trust.FileFeatures, encode(columns)}, {trust.FileReference, s.reference()},
		{trust.FileGoldenInput, input}, {trust.FileGoldenOutput, s.infer(model, input)}, {trust.FileModel, model},
	}
}

// infer computes the golden output with the runtime that the devices use.
func (s *set) infer(file, input []byte) []byte {
	model, err := runtime.Load(file, runtime.Options{})
	if err != nil {
		s.fail(fmt.Errorf("model: %w", err))
		return nil
	}
	session, err := model.NewSession(runtime.SessionOptions{})
	if err != nil {
		s.fail(fmt.Errorf("model: %w", err))
		return nil
	}
	var output []byte
	for len(input) > 0 {
		input = input[copy(session.Input(0), input):]
		if err := session.Invoke(); err != nil {
			s.fail(fmt.Errorf("model: %w", err))
		}
		output = append(output, session.Output(0)...)
	}
	return output
}

// reference is a histogram of 600 signals.
func (s *set) reference() json.RawMessage {
	r := drift.Reference{Counts: make([]int64, drift.LatticeSize), N: 600, Lags: []float64{0.25, 0.0625}}
	r.Counts[200], r.Counts[240], r.Counts[254], r.Counts[255] = 10, 40, 50, 500
	if err := r.Validate(); err != nil {
		s.fail(err)
	}
	data, err := json.Marshal(r)
	if err != nil {
		s.fail(err)
	}
	return data
}
