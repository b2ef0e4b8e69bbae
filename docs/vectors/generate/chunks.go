package main

import (
	"kedge/telemetry/trust"
	"kedge/telemetry/wire"
)

// chunkedSize makes two whole chunks and a short one.
const chunkedSize = 2*trust.ChunkBytes + 4464

// addChunks shows the index of a blob that anybody can make, and requests.
func (s *set) addChunks() {
	blob := make([]byte, chunkedSize)
	for i := range blob {
		blob[i] = byte(i % 251)
	}
	var digests []string
	for n := range trust.Chunks(chunkedSize) {
		digests = append(digests, trust.Digest(trust.Chunk(blob, n)))
	}
	index := trust.NewChunkIndex(blob)
	type request struct {
		Get    wire.Get `json:"get"`
		Chunks []int    `json:"chunks"`
	}
	var requests []request
	for _, g := range []wire.Get{
		{First: 0, Want: 1}, {First: 0, Want: 0b111}, {First: 1, Want: 0b11}, {First: 16, Want: 0x8001}, {First: 1008, Want: 0xffff},
	} {
		g.V, g.Blob = wire.Version, trust.Digest(blob)
		requests = append(requests, request{g, g.Chunks()})
	}
	s.json("chunks.json", map[string]any{
		"blob":   map[string]any{"size": chunkedSize, "byte_i": "i mod 251", "sha256": trust.Digest(blob)},
		"chunks": digests, "index": []byte(index), "index_sha256": trust.Digest(index), "requests": requests,
	})
}
