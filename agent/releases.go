package agent

import (
	"context"

	"kedge/telemetry/mqtt"
	"kedge/telemetry/wire"
)

// WantRelease implements update.Transport. It subscribes to the document's topic:
// whether the broker has it already, gets it later, or only after the connection
// was lost in between, it comes.
func (a *agent) WantRelease(ctx context.Context, digest string) error {
	if a.session == nil {
		return errOffline
	}
	if a.wanted != digest {
		a.forgetRelease()
		a.wanted = digest
	}
	return a.session.Subscribe(ctx, mqtt.Subscription{
		Filter: wire.Release(digest), QoS: 1,
		Optional: true, // a device without updates still has reports to send
		Handler: func(_ string, payload []byte, _ bool) {
			if len(payload) > 0 { // else it was deleted
				a.updater.HandleRelease(payload)
			}
		},
	})
}

// forgetRelease ends the subscription to a document that was wanted.
func (a *agent) forgetRelease() {
	if a.wanted != "" {
		a.session.Unsubscribe(wire.Release(a.wanted))
		a.wanted = ""
	}
}

// releaseSettled forgets the document of an update that has ended. A model that
// came into service ended whatever was under way.
func (a *agent) releaseSettled(u wire.Update) {
	switch u.State {
	case wire.UpdateCommitted:
		a.forgetRelease()
	case wire.UpdateRefused, wire.UpdateRolledBack:
		if u.Release == a.wanted {
			a.forgetRelease()
		}
	}
}
