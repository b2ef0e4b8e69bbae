package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kedge/telemetry/trust"
	"kedge/telemetry/wire"
	"kedge/trainer/release"
	"kedge/trainer/store"
)

// hub is a fleet with a broker that remembers.
type hub struct {
	*Fleet
	t        *testing.T
	registry *release.Registry

	mu       sync.Mutex
	sent     []string // topics, in order
	payloads map[string][]byte
	down     bool
	notices  []Notice
	now      time.Time
}

var errDown = errors.New("broker is down")

func newHub(t *testing.T) *hub {
	t.Helper()
	dir := t.TempDir()
	keyDir := filepath.Join(dir, "keys")
	if err := release.Init(keyDir, release.InitOptions{}); err != nil {
		t.Fatal(err)
	}
	keys, err := release.LoadKeys(keyDir)
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	h := &hub{
		t: t, registry: &release.Registry{Store: s, Keys: keys}, payloads: make(map[string][]byte),
		now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
	}
	h.Fleet = New(Options{
		Registry: h.registry,
		Publish: func(_ context.Context, topic string, payload []byte, retain bool) error {
			h.mu.Lock()
			defer h.mu.Unlock()
			if h.down {
				return errDown
			}
			if isChunk := strings.Contains(topic, "/dn/"); isChunk == retain {
				t.Errorf("%s: got retain %v", topic, retain)
			}
			h.sent = append(h.sent, topic)
			h.payloads[topic] = payload
			return nil
		},
		Notify: func(n Notice) { h.notices = append(h.notices, n) },
		Now:    func() time.Time { return h.now },
	})
	return h
}

func (h *hub) receive(topic string, message any) {
	h.t.Helper()
	payload, ok := message.([]byte)
	if !ok {
		var err error
		if payload, err = json.Marshal(message); err != nil {
			h.t.Fatal(err)
		}
	}
	if err := h.Receive(context.Background(), topic, payload); err != nil {
		h.t.Errorf("%s: %v", topic, err)
	}
}

// kinds lists the notices since the last call.
func (h *hub) kinds() []Kind {
	var all []Kind
	for _, n := range h.notices {
		all = append(all, n.Kind)
	}
	h.notices = nil
	return all
}

var topics = wire.DeviceTopics{Site: "s", Device: "d"}

func event(t *testing.T, kind, id string, data any) wire.Event {
	t.Helper()
	raw, err := json.Marshal(data)
	if err != nil {
		t.Fatal(err)
	}
	return wire.Event{
		SpecVersion: "1.0", ID: id, Source: "/kedge/s/d", Type: wire.EventType(kind),
		Time: time.Unix(1, 0), DataContentType: "application/json", Data: raw,
	}
}

func driftData() wire.Drift {
	return wire.Drift{
		Model: wire.ModelRef{Name: "m", SHA256: "abc"}, Sample: "d/b/7", Fired: []string{"e-sr"},
		Evidence: wire.EvidenceRef{ID: "e1", After: 100},
	}
}

// What is not for us, or lies, is passed over: an error would bring it back for ever.
func TestPassedOver(t *testing.T) {
	h := newHub(t)
	foreignSource := event(t, wire.KindDrift, "1", driftData())
	foreignSource.Source = "/kedge/s/d2"
	otherType := event(t, wire.KindDrift, "1", driftData())
	otherType.Type = "kedge.update.v1"
	otherSample := driftData()
	otherSample.Sample = "d2/b/7"
	sample := wire.Sample{ID: "d2/b/1", Confidence: 1}
	for name, c := range map[string]struct {
		topic   string
		message any
	}{
		"somebody else's topic":      {"weather/berlin", []byte("12")},
		"our own document":           {topics.Assign(), []byte("{}")},
		"nothing":                    {topics.State(), []byte{}},
		"no JSON":                    {topics.State(), []byte("hello")},
		"too large":                  {topics.Reported(), make([]byte, wire.MaxMessage+1)},
		"another device's state":     {topics.State(), wire.State{V: 1, Device: "d2", Boot: "b", Session: 1, Online: true}},
		"another device's account":   {topics.Reported(), wire.Reported{V: 1, Device: "d2", Boot: "b"}},
		"another device's event":     {topics.Event(wire.KindDrift), foreignSource},
		"an event of another type":   {topics.Event(wire.KindDrift), otherType},
		"an event of no known kind":  {topics.Event("song"), event(t, "song", "1", struct{}{})},
		"drift at another's sample":  {topics.Event(wire.KindDrift), event(t, wire.KindDrift, "2", otherSample)},
		"an update in no state":      {topics.Event(wire.KindUpdate), event(t, wire.KindUpdate, "3", wire.Update{State: "lost"})},
		"evidence on another topic":  {topics.Upload("e1", 0), wire.Evidence{V: 1, ID: "e2", Part: 0}},
		"another part":               {topics.Upload("e1", 0), wire.Evidence{V: 1, ID: "e1", Part: 1}},
		"another device's sample":    {topics.Upload("e1", 0), wire.Evidence{V: 1, ID: "e1", Samples: []wire.Sample{sample}}},
		"a label without a sample":   {wire.Truth("s", "lab"), wire.Labels{V: 1, Labels: []wire.Label{{Label: "x"}}}},
		"a request for no blob":      {topics.Get(), wire.Get{V: 1, Blob: "../../etc/passwd", Want: 1}},
		"a request for another blob": {topics.Get(), wire.Get{V: 1, Blob: trust.Digest([]byte("x")), Want: 1}},
	} {
		h.receive(c.topic, c.message)
		if len(h.notices) != 0 || len(h.sent) != 0 {
			t.Errorf("%s: got notices %v and messages %v, want none", name, h.notices, h.sent)
		}
	}
	err := h.store.View(context.Background(), func(tx *store.Tx) error {
		reports, err := tx.DriftReports("s", "d")
		if len(reports) != 0 {
			t.Errorf("got reports %+v", reports)
		}
		if _, err := tx.Sample("d2/b/1"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a foreign sample was kept: %v", err)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A failing store is an error, so that the message is not acknowledged.
func TestStoreFailureIsReported(t *testing.T) {
	h := newHub(t)
	h.store.Close()
	payload, err := json.Marshal(event(t, wire.KindDrift, "1", driftData()))
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Receive(context.Background(), topics.Event(wire.KindDrift), payload); err == nil {
		t.Error("got no error")
	}
	if len(h.notices) != 0 {
		t.Errorf("got notices %v, want none", h.notices)
	}
}

func TestEvents(t *testing.T) {
	h := newHub(t)
	update := func(id, state string) wire.Event {
		return event(t, wire.KindUpdate, id, wire.Update{State: state, Code: "K0400", Reason: "why"})
	}
	health := event(t, wire.KindHealth, "h", wire.Health{Code: "K0501", Severity: "E", Text: "damaged store set aside"})
	for _, c := range []struct {
		topic   string
		message any
		want    []Kind
	}{
		{topics.State(), wire.State{V: 1, Device: "d", Boot: "b", Session: 1, Online: true}, []Kind{Online}},
		{topics.State(), wire.State{V: 1, Device: "d", Boot: "b", Session: 1, Online: true}, nil},
		{topics.State(), wire.State{V: 1, Device: "d", Boot: "b", Session: 1}, []Kind{Offline}},
		{topics.Event(wire.KindDrift), event(t, wire.KindDrift, "1", driftData()), []Kind{Drift}},
		{topics.Event(wire.KindDrift), event(t, wire.KindDrift, "1", driftData()), nil},
		{topics.Event(wire.KindUpdate), update("2", wire.UpdateDownloading), []Kind{Progress}},
		{topics.Event(wire.KindUpdate), update("3", wire.UpdateCommitted), []Kind{Committed}},
		{topics.Event(wire.KindUpdate), update("4", wire.UpdateRefused), []Kind{Refused}},
		{topics.Event(wire.KindUpdate), update("5", wire.UpdateRolledBack), []Kind{Refused}},
		{topics.Event(wire.KindUpdate), update("5", wire.UpdateRolledBack), nil},
		{topics.Event(wire.KindHealth), health, []Kind{Health}},
		{topics.Event(wire.KindAudit), event(t, wire.KindAudit, "a", wire.Audit{Action: wire.MaintenanceStarted, Who: "ann", Why: "x"}), []Kind{Audit}},
		{topics.Event(wire.KindAudit), event(t, wire.KindAudit, "b", wire.Audit{Action: wire.MaintenanceStarted}), nil},
	} {
		h.receive(c.topic, c.message)
		if got := h.kinds(); !slices.Equal(got, c.want) {
			t.Errorf("%s %+v: got %v, want %v", c.topic, c.message, got, c.want)
		}
	}
	err := h.store.View(context.Background(), func(tx *store.Tx) error {
		updates, err := tx.Updates("s", "d")
		if len(updates) != 4 {
			t.Errorf("got %d updates, want 4", len(updates))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestChunks(t *testing.T) {
	h := newHub(t)
	blob := make([]byte, 3*trust.ChunkBytes+5)
	for i := range blob {
		blob[i] = byte(i >> 10)
	}
	digest, err := h.store.PutBlob(blob)
	if err != nil {
		t.Fatal(err)
	}
	h.receive(topics.Get(), wire.Get{V: 1, Blob: digest, First: 1, Want: 0b10111}) // 1, 2, 3 and 5, which there is not
	slices.Sort(h.sent)
	want := []string{topics.Chunk(digest, 1), topics.Chunk(digest, 2), topics.Chunk(digest, 3)}
	if !slices.Equal(h.sent, want) {
		t.Errorf("got %v, want %v", h.sent, want)
	}
	for n := 1; n <= 3; n++ {
		if got := h.payloads[topics.Chunk(digest, n)]; !slices.Equal(got, trust.Chunk(blob, n)) {
			t.Errorf("chunk %d: got %d bytes, want its own %d", n, len(got), len(trust.Chunk(blob, n)))
		}
	}
	h.down = true
	h.receive(topics.Get(), wire.Get{V: 1, Blob: digest, Want: 1}) // no error: the device asks again
}

// A device that asks for everything without end gets no more than its share.
func TestChunkRate(t *testing.T) {
	h := newHub(t)
	digest, err := h.store.PutBlob(make([]byte, 20*trust.ChunkBytes))
	if err != nil {
		t.Fatal(err)
	}
	all := wire.Get{V: 1, Blob: digest, Want: 0xffff}
	for range 10 {
		h.receive(topics.Get(), all)
	}
	if len(h.sent) != chunkBurst {
		t.Errorf("got %d chunks at once, want %d", len(h.sent), chunkBurst)
	}
	h.now = h.now.Add(time.Second / 8)
	h.receive(topics.Get(), all)
	h.receive(topics.Get(), all)
	h.receive(topics.Get(), all)
	if got := len(h.sent) - chunkBurst; got != chunksPerSecond/8 {
		t.Errorf("got %d chunks in the next eighth of a second, want %d", got, chunksPerSecond/8)
	}
	h.receive(wire.DeviceTopics{Site: "s", Device: "other"}.Get(), all)
	if got := len(h.sent) - chunkBurst - chunksPerSecond/8; got != wire.GetWindow {
		t.Errorf("got %d chunks for another device, want %d", got, wire.GetWindow)
	}
}

func TestPublish(t *testing.T) {
	ctx := context.Background()
	h := newHub(t)
	target := store.Target{Site: "s", Kind: store.TargetDevice, Name: "d"}
	group := store.Target{Site: "s", Kind: store.TargetGroup, Name: "g"}
	err := h.store.Update(ctx, func(tx *store.Tx) error {
		for n := range 2 {
			r := store.Release{Digest: trust.Digest([]byte{byte(n)}), Name: "m", Version: uint64(n + 1), Envelope: []byte{byte(n)}}
			if err := tx.AddRelease(r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	assign := func(to store.Target, n byte) {
		if _, err := h.registry.Assign(ctx, to, trust.Digest([]byte{n}), 0); err != nil {
			t.Fatal(err)
		}
	}
	publish := func(want ...string) {
		t.Helper()
		h.sent = nil
		if err := h.Publish(ctx); err != nil {
			t.Error(err)
		}
		if !slices.Equal(h.sent, want) {
			t.Errorf("got %q, want %q", h.sent, want)
		}
	}
	first, second := wire.Release(trust.Digest([]byte{0})), wire.Release(trust.Digest([]byte{1}))
	assign(target, 0)
	publish(wire.Root(1), first, topics.Assign())
	publish()
	assign(group, 0)
	assign(target, 1)
	h.down = true
	if err := h.Publish(ctx); !errors.Is(err, errDown) {
		t.Errorf("got %v, want the broker's error", err)
	}
	h.down = false
	publish(wire.GroupAssign("s", "g"), second, topics.Assign())
	assign(target, 0)
	publish(topics.Assign())
	if a, err := h.registry.Keys.Root().VerifyAssign(h.payloads[topics.Assign()]); err != nil || a.Sequence != 3 || a.Device != "d" {
		t.Errorf("got %+v, %v, want sequence 3", a, err)
	}
	if a, err := h.registry.Keys.Root().VerifyAssign(h.payloads[wire.GroupAssign("s", "g")]); err != nil || a.Group != "g" || a.Sequence != 1 {
		t.Errorf("got %+v, %v, want the group's first", a, err)
	}
	h.Forget()
	publish(wire.Root(1), first, wire.GroupAssign("s", "g"), topics.Assign())
}

// No bytes from a stranger may do more than be passed over.
func FuzzReceive(f *testing.F) {
	dir := f.TempDir()
	keyDir := filepath.Join(dir, "keys")
	if err := release.Init(keyDir, release.InitOptions{}); err != nil {
		f.Fatal(err)
	}
	keys, err := release.LoadKeys(keyDir)
	if err != nil {
		f.Fatal(err)
	}
	s, err := store.Open(context.Background(), dir)
	if err != nil {
		f.Fatal(err)
	}
	defer s.Close()
	fleet := New(Options{
		Registry: &release.Registry{Store: s, Keys: keys},
		Publish:  func(context.Context, string, []byte, bool) error { return nil },
	})
	f.Add(topics.State(), []byte(`{"v":1,"device":"d","boot":"b","session":1,"online":true}`))
	f.Add(topics.Upload("e", 0), []byte(`{"v":1,"id":"e","samples":[{"id":"d/b/1","x":"AAAAAA==","confidence":0.5}]}`))
	f.Add(wire.Truth("s", "lab"), []byte(`{"v":1,"labels":[{"device":"d","time":"2026-01-01T00:00:00Z","label":"x"}]}`))
	f.Add(topics.Event(wire.KindReference), fmt.Appendf(nil, `{"specversion":"1.0","id":"1","source":"/kedge/s/d","type":%q,"data":{"model":{"sha256":"x"},"first":"d/b/1","signals":"AAAA"}}`, wire.EventType(wire.KindReference)))
	f.Fuzz(func(t *testing.T, topic string, payload []byte) {
		if err := fleet.Receive(context.Background(), topic, payload); err != nil {
			t.Errorf("%s: %v", topic, err)
		}
	})
}
