package main

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"kedge/telemetry/trust"
	"kedge/telemetry/wire"
)

// The examples in docs/protocol.md are the vectors, and it names every schema,
// check and outcome that there is.
func TestProtocolText(t *testing.T) {
	text := string(readFile(t, "../../protocol.md"))
	files := onDisk(t)
	examples := regexp.MustCompile("(?s)\\(vectors/([a-z0-9/-]+\\.json)\\):\n\n```json\n(.*?)```").FindAllStringSubmatch(text, -1)
	if len(examples) < 9 {
		t.Errorf("got %d examples, want one for every message", len(examples))
	}
	for _, e := range examples {
		if !bytes.Equal(files[e[1]], []byte(e[2])) {
			t.Errorf("the example %s is not the vector", e[1])
		}
	}
	var m manifest
	decode(t, files, "manifest.json", &m)
	for _, c := range m.Checks {
		if !strings.Contains(text, "`"+c.Check+"`") || !strings.Contains(text, "`"+c.Outcome+"`") {
			t.Errorf("check %s or outcome %s is not explained", c.Check, c.Outcome)
		}
	}
	for name := range types {
		if !strings.Contains(text, "(schema/"+name+".schema.json)") {
			t.Errorf("schema %s is not linked", name)
		}
	}
	for _, link := range regexp.MustCompile(`\]\(((?:schema|vectors)/[^)]*\.json)\)`).FindAllStringSubmatch(text, -1) {
		readFile(t, "../../"+link[1])
	}
}

// The numbers of the text are those of the code.
func TestProtocolLimits(t *testing.T) {
	text := string(readFile(t, "../../protocol.md"))
	for what, n := range map[string]int{
		"| message | %d bytes |": wire.MaxMessage, "| envelope, payload | 32768 and %d bytes |": trust.MaxPayload,
		"| chunk, window | %d bytes, 16 chunks |": trust.ChunkBytes, "| chunk, window | 32768 bytes, %d chunks |": wire.GetWindow,
		"| bundle, its chunks, its index | %d bytes, 1024, 32768 bytes |":     trust.MaxBundle,
		"| bundle, its chunks, its index | 33554432 bytes, %d, 32768 bytes |": trust.Chunks(trust.MaxBundle),
	} {
		if row := strings.Replace(what, "%d", strconv.Itoa(n), 1); !strings.Contains(text, row) {
			t.Errorf("the table of limits lacks %q", row)
		}
	}
	for _, payloadType := range []string{trust.TypeRoot, trust.TypeRelease, trust.TypeAssign, trust.TypeReference} {
		if !strings.Contains(text, "`"+payloadType+"`") {
			t.Errorf("payload type %s is not there", payloadType)
		}
	}
}
