package main

import (
	"strings"

	"kedge/telemetry/wire"
)

// device is the one that all vectors are about.
var device = wire.DeviceTopics{Site: "north", Device: "pump-1"}

// sampleDigest stands for some blob.
var sampleDigest = strings.Repeat("0123456789abcdef", 4)

type topicVector struct {
	Topic  string   `json:"topic"`
	Site   string   `json:"site"`
	Device string   `json:"device,omitempty"`
	Source string   `json:"source,omitempty"`
	Kind   string   `json:"kind"`
	Rest   []string `json:"rest,omitempty"`
}

// addTopics shows which topics there are, which a reader takes, and which not.
func (s *set) addTopics() {
	d := func(topic, kind string, rest ...string) topicVector {
		return topicVector{Topic: topic, Site: device.Site, Device: device.Device, Kind: kind, Rest: rest}
	}
	base := "kedge/v1/d/north/pump-1/"
	s.json("topics.json", map[string]any{
		"read": []topicVector{
			d(device.State(), "state"),
			d(device.Reported(), "rep"),
			d(device.Event(wire.KindDrift), "evt", "drift"),
			d(base+"evt/of-the-future", "evt", "of-the-future"),
			d(device.Upload("17-3f9a12c0-904", 12), "up", "17-3f9a12c0-904", "12"),
			d(device.Get(), "get"),
			d(device.Chunk(sampleDigest, 3), "dn", sampleDigest, "3"),
			d(device.Assign(), "assign"),
			d(device.Reference(), "ref"),
			{Topic: wire.Truth("north", "lab"), Site: "north", Source: "lab", Kind: "t"},
		},
		"documents": map[string]string{
			"group_assign": wire.GroupAssign("north", "pumps"),
			"release":      wire.Release(sampleDigest),
			"root":         wire.Root(2),
		},
		"filters": map[string]any{
			"centre":        wire.CentreFilters(),
			"device_chunks": device.Chunks(),
			"device_roots":  wire.Roots(),
		},
		"refuse": []string{
			"", "kedge/v1/d/north/pump-1", base, "kedge/v2/d/north/pump-1/state", "/" + base + "state", base + "state/x",
			base + "evt/", base + "evt/a/b", base + "up/e1", base + "up//0", base + "up/e1/-1", base + "up/e1/01", base + "up/e1/x",
			base + "dn/abc/0", base + "dn/" + strings.ToUpper(sampleDigest) + "/0", base + "cmd",
			"kedge/v1/d/+/pump-1/state", "kedge/v1/d/no rth/pump-1/state", "kedge/v1/d/north/" + strings.Repeat("x", 65) + "/state",
			"kedge/v1/t/north/lab/x",
		},
		"sample_ids": map[string]any{
			"read": []map[string]any{
				{"id": "pump-1/17-3f9a12c0/904", "device": "pump-1", "boot": "17-3f9a12c0", "sequence": uint64(904)},
				{"id": "a/b/18446744073709551615", "device": "a", "boot": "b", "sequence": uint64(1<<64 - 1)},
			},
			"refuse": []string{"", "a/b", "a/b/", "a/b/c/1", "a/b/-1", "a/b/01", "a/b/1.0", "a/b/18446744073709551616", "a b/c/1"},
		},
	})
}
