package agent

import (
	"context"
	"strings"
	"sync"

	"kedge/telemetry/mqtt"
	"kedge/telemetry/wire"
)

// maxReleases bounds the release documents that are kept in mind, in bytes:
// some two thousand.
const maxReleases = 4 << 20

// releases keeps the release documents that the broker has, by digest. They are
// retained, so they come once with every connection, in any order with the
// assignment that asks for one of them.
type releases struct {
	mu     sync.Mutex
	wanted string
	known  map[string][]byte
	bytes  int
}

// add keeps a document and reports whether it is wanted.
func (r *releases) add(digest string, envelope []byte) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known == nil {
		r.known = make(map[string][]byte)
	}
	r.bytes += len(envelope) - len(r.known[digest])
	r.known[digest] = envelope
	for d := range r.known { // any: which is of use is not known yet
		if r.bytes <= maxReleases {
			break
		}
		if d != digest {
			r.bytes -= len(r.known[d])
			delete(r.known, d)
		}
	}
	return digest == r.wanted
}

// want returns a document if it is known, and else has add report it.
func (r *releases) want(digest string) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wanted = digest
	return r.known[digest]
}

func (a *agent) releaseSubscription() mqtt.Subscription {
	all := wire.Release("+")
	prefix := strings.TrimSuffix(all, "+")
	return mqtt.Subscription{Filter: all, QoS: 1, Handler: func(topic string, payload []byte, _ bool) {
		if len(payload) == 0 {
			return
		}
		// The updater refuses what is not signed, so it gets none but the wanted.
		if a.releases.add(strings.TrimPrefix(topic, prefix), payload) {
			a.updater.HandleRelease(payload)
		}
	}}
}

// WantRelease implements update.Transport.
func (a *agent) WantRelease(_ context.Context, digest string) error {
	if a.session == nil {
		return errOffline
	}
	if envelope := a.releases.want(digest); envelope != nil {
		a.updater.HandleRelease(envelope)
	}
	return nil
}
