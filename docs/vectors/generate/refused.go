package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"

	"kedge/telemetry/trust"
)

// edited returns an object like document with one member replaced; nil removes it.
func (s *set) edited(document any, member string, value any) map[string]any {
	data, err := json.Marshal(document)
	if err != nil {
		s.fail(err)
	}
	var m map[string]any
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(&m); err != nil {
		s.fail(err)
	}
	if m[member] = value; value == nil {
		delete(m, member)
	}
	return m
}

// envelope takes one apart and puts it together by hand.
func (s *set) envelope(from []byte, change func(e map[string]any)) []byte {
	var e map[string]any
	if err := json.Unmarshal(from, &e); err != nil {
		s.fail(err)
	}
	change(e)
	data, err := json.Marshal(e)
	if err != nil {
		s.fail(err)
	}
	return data
}

func firstSignature(e map[string]any) map[string]any {
	return e["signatures"].([]any)[0].(map[string]any)
}

// addRefusedDocuments breaks one rule each; a few break none and look as if.
func (s *set) addRefusedDocuments(d *documents) {
	add := func(name, why, kind, root, outcome string, envelope []byte) {
		c := check{File: "more/" + name + ".json", Why: why, Check: kind, Root: root, Outcome: outcome}
		if outcome == accept {
			c.Digest = s.name(envelope)
		}
		s.checked(envelope, c)
	}
	s.addEnvelopes(d, add)
	s.addRoots(d, add)
	for _, c := range []struct {
		name, member string
		value        any
		why          string
	}{
		{"floor", "security_floor", 8, "a release below its own security floor"},
		{"name", "name", "../pump", "a name with a slash"},
		{"version", "version", 0, "versions count from 1"},
		{"digest", "model", strings.ToUpper(d.release.Model), "a digest in capitals"},
		{"size", "bundle", map[string]any{"sha256": d.release.Bundle.SHA256, "index": d.release.Bundle.Index, "size": trust.MaxBundle + 1}, "a bundle over the limit"},
		{"shape", "inputs", []any{map[string]any{"type": "int8", "shape": []int{1, 0}}}, "a dimension of 0"},
		{"case", "Version", 9, "a member that differs from another in case only"},
	} {
		add("release-"+c.name, c.why, checkRelease, root1File, malformed, s.sign(trust.TypeRelease, s.edited(d.release, c.member, c.value), "release"))
	}
	for _, c := range []struct {
		name, member string
		value        any
		why          string
	}{
		{"endless", "not_after", nil, "an assignment without an end"},
		{"backwards", "not_after", d.assign.Issued, "an assignment that ends when it begins"},
		{"both", "group", "pumps", "device and group"},
		{"nobody", "device", nil, "neither device nor group"},
		{"sequence", "sequence", 0, "sequences count from 1"},
		{"mode", "mode", "someday", "an unknown mode"},
		{"spread", "spread_seconds", 604801, "a spread of more than a week"},
	} {
		add("assign-"+c.name, c.why, checkAssign, root1File, malformed, s.sign(trust.TypeAssign, s.edited(d.assign, c.member, c.value), "assign"))
	}
	add("reference-null", "a reference without a histogram", checkReference, root1File, malformed,
		s.sign(trust.TypeReference, s.edited(d.reference, "reference", json.RawMessage("null")), "release"))
	add("reference-online-key", "a reference signed by the assign key", checkReference, root1File, signature, s.sign(trust.TypeReference, d.reference, "assign"))
	add("release-future", "a member of the future is passed over", checkRelease, root1File, accept,
		s.sign(trust.TypeRelease, s.edited(d.release, "notes", "x"), "release"))
}

// addEnvelopes is about DSSE alone.
func (s *set) addEnvelopes(d *documents, add func(name, why, kind, root, outcome string, envelope []byte)) {
	good := s.files[releaseFile]
	release := func(name, why, outcome string, envelope []byte) {
		add("envelope-"+name, why, checkRelease, root1File, outcome, envelope)
	}
	release("wrong-key", "signed by the assign key", signature, s.sign(trust.TypeRelease, d.release, "assign"))
	release("stranger", "signed by a key that no root names", signature, s.sign(trust.TypeRelease, d.release, "stranger"))
	release("unsigned", "signed by nobody", signature, s.sign(trust.TypeRelease, d.release))
	release("stranger-beside", "a stranger's signature beside the right one changes nothing", accept, s.sign(trust.TypeRelease, d.release, "stranger", "release"))
	release("wrong-type", "an assignment where a release is wanted", payloadType, s.files["documents/assign.json"])
	release("moved-type", "signed as a reference, said to be a release", signature,
		s.envelope(s.sign(trust.TypeReference, d.release, "release"), func(e map[string]any) { e["payloadType"] = trust.TypeRelease }))
	release("tampered-signature", "a changed byte in the signature", signature, s.envelope(good, func(e map[string]any) {
		sig, err := base64.StdEncoding.DecodeString(firstSignature(e)["sig"].(string))
		if err != nil {
			s.fail(err)
		}
		sig[10] ^= 1
		firstSignature(e)["sig"] = sig
	}))
	tampered, _ := json.Marshal(s.edited(d.release, "version", 8))
	release("tampered-payload", "version 8 under the signature of version 7", signature,
		s.envelope(good, func(e map[string]any) { e["payload"] = tampered }))
	release("url-base64", "the other alphabet of base64", accept, s.envelope(good, func(e map[string]any) {
		e["payload"] = urlAlphabet(e["payload"].(string))
		firstSignature(e)["sig"] = urlAlphabet(firstSignature(e)["sig"].(string))
	}))
	release("no-keyid", "a signature without keyid is tried with every key of the role", accept,
		s.envelope(good, func(e map[string]any) { delete(firstSignature(e), "keyid") }))
	release("other-keyid", "a signature under another key's id", signature,
		s.envelope(good, func(e map[string]any) { firstSignature(e)["keyid"] = s.key("assign").KeyID() }))
	release("no-sig", "sig is missing", malformed, s.envelope(good, func(e map[string]any) { delete(firstSignature(e), "sig") }))
	release("twice", "a member twice", malformed, bytes.Replace(good, []byte(`{`), []byte(`{"payload":"",`), 1))
	release("case", "a member that differs from payload in case only", malformed, bytes.Replace(good, []byte(`{`), []byte(`{"Payload":"",`), 1))
	release("trailing", "something behind the envelope", malformed, append(bytes.Clone(good), '1'))
	release("truncated", "the last byte is missing", malformed, good[:len(good)-1])
	release("large", "an envelope over 32 KiB", "too-large", append(bytes.Clone(good), bytes.Repeat([]byte{' '}, 32<<10)...))
}

func urlAlphabet(s string) string { return strings.NewReplacer("+", "-", "/", "_").Replace(s) }

// addRoots is about thresholds and rotation.
func (s *set) addRoots(d *documents, add func(name, why, kind, root, outcome string, envelope []byte)) {
	next := func(name, why, root, outcome string, envelope []byte) {
		add("root-"+name, why, checkNextRoot, root, outcome, envelope)
	}
	add("root-one-signature", "one of two signatures", checkRoot, "", signature, s.sign(trust.TypeRoot, d.root1, "root-a"))
	add("root-one-key-twice", "one key's signature twice", checkRoot, "", signature,
		s.envelope(s.sign(trust.TypeRoot, d.root1, "root-a"), func(e map[string]any) {
			e["signatures"] = []any{firstSignature(e), firstSignature(e)}
		}))
	moved := s.edited(d.root1, "keys", nil)
	keys := make(map[string]trust.Key)
	for id, key := range d.root1.Keys {
		keys[id] = key
	}
	keys[s.key("root-b").KeyID()] = keys[s.key("root-a").KeyID()]
	moved["keys"] = keys
	add("root-key-under-two-ids", "root-a's key under root-b's id", checkRoot, "", malformed, s.sign(trust.TypeRoot, moved, "root-a", "root-b"))
	high := *d.root1
	high.Roles = map[trust.Role]trust.RoleEntry{}
	for role, entry := range d.root1.Roles {
		entry.Threshold = len(entry.KeyIDs) + 1
		high.Roles[role] = entry
	}
	add("root-threshold", "thresholds that the keys cannot reach", checkRoot, "", malformed, s.sign(trust.TypeRoot, &high, "root-a", "root-b", "root-c"))

	other := s.rootDocument(2, "release-new", "root-c", "root-d", "stranger")
	next("old-keys-only", "all new root keys, signed by the old ones only", root1File, signature, s.sign(trust.TypeRoot, other, "root-a", "root-b", "root-c"))
	next("new-keys-only", "all new root keys, signed by the new ones only", root1File, signature, s.sign(trust.TypeRoot, other, "root-c", "root-d", "stranger"))
	next("both-keys", "all new root keys but one, signed by two old and two new ones", root1File, accept, s.sign(trust.TypeRoot, other, "root-a", "root-b", "root-c", "root-d"))
	next("replayed", "version 1 again where version 2 is in force", root2File, rootVersion, s.files[root1File])
	next("same", "version 2 where version 2 is in force", root2File, rootVersion, s.files[root2File])
	next("skipped", "version 3 where version 1 is in force", root1File, rootVersion,
		s.sign(trust.TypeRoot, s.rootDocument(3, "release-new", "root-a", "root-b", "root-d"), "root-a", "root-b", "root-d"))
	add("release-after-rotation", "a release of the former release key", checkRelease, root2File, signature, s.files[releaseFile])
	add("release-new-key", "a release of the new one", checkRelease, root2File, accept, s.sign(trust.TypeRelease, d.release, "release-new"))
}

// addRefusedBundles: archives that were signed by mistake, and ones that were not signed.
func (s *set) addRefusedBundles(d *documents) {
	good := func(name, why, kind, outcome string, data []byte) {
		s.checked(data, check{File: "more/" + name, Why: why, Check: kind, Root: root1File, Release: releaseFile, Outcome: outcome})
	}
	good("bundle-truncated.zip", "the last byte is missing", checkBundle, digest, d.bundle[:len(d.bundle)-1])
	flipped := bytes.Clone(d.bundle)
	flipped[len(flipped)/2] ^= 1
	good("bundle-tampered.zip", "a changed bit", checkBundle, digest, flipped)
	good("chunk-tampered.bin", "a changed bit", checkChunk, digest, flipped)
	index := trust.NewChunkIndex(d.bundle)
	good("index-truncated.bin", "the last byte is missing", checkIndex, digest, index[:len(index)-1])
	good("index-tampered.bin", "a changed bit", checkIndex, digest, trust.NewChunkIndex(flipped))

	edit := func(name, why string, change func([]part) []part) {
		bundle := s.pack(change(slices.Clone(d.parts)))
		rel := *d.release
		rel.Bundle = trust.BundleRef{SHA256: trust.Digest(bundle), Size: int64(len(bundle)), Index: trust.Digest(trust.NewChunkIndex(bundle))}
		s.checked(s.kedgeFile(s.sign(trust.TypeRelease, &rel, "release"), bundle),
			check{File: "more/" + name + ".kedge", Why: why, Check: checkPackage, Root: root1File, Outcome: badBundle})
	}
	edit("bundle-no-golden", "properly signed, without golden output", func(p []part) []part { return slices.Delete(p, 4, 5) })
	edit("bundle-model-twice", "properly signed, with the model twice", func(p []part) []part { return append(p, p[5]) })
	edit("bundle-other-model", "properly signed, with another model than the release says", func(p []part) []part {
		p[5].data = append(bytes.Clone(p[5].data), 0)
		return p
	})
	edit("bundle-other-version", "properly signed, of another version than the release says", func(p []part) []part {
		p[0].data = bytes.Replace(p[0].data, []byte(`"version": 7`), []byte(`"version": 6`), 1)
		return p
	})
	edit("bundle-format", "properly signed, of a format that is not known", func(p []part) []part {
		p[0].data = bytes.Replace(p[0].data, []byte(`"format": 1`), []byte(`"format": 2`), 1)
		return p
	})
	edit("bundle-empty-features", "properly signed, with an empty file", func(p []part) []part { p[1].data = nil; return p })

	packages := func(name, why, outcome string, data []byte) {
		s.checked(data, check{File: "more/" + name + ".kedge", Why: why, Check: checkPackage, Root: root1File, Outcome: outcome})
	}
	kedge := s.files["pump.kedge"]
	packages("package-truncated", "the last byte is missing", badBundle, kedge[:len(kedge)-1])
	packages("package-no-release", "the release is missing", badBundle, s.pack([]part{{"bundle.zip", d.bundle}}))
	packages("package-tampered-bundle", "a changed bit in the bundle", digest, s.kedgeFile(s.files[releaseFile], flipped))
	packages("package-tampered-release", "a changed byte in the signature", signature, s.kedgeFile(s.files["more/envelope-tampered-signature.json"], d.bundle))
}
