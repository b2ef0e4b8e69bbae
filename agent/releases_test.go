package agent

import (
	"slices"
	"testing"

	"kedge/telemetry/trust"
	"kedge/telemetry/wire"
)

// subscribed returns a condition: the broker has so many subscriptions that match a topic.
func (c *centre) subscribed(topic string, n int) func() bool {
	return func() bool { return len(c.server.Topics.Subscribers(topic).Subscriptions) == n }
}

// updates lists the states that updates were reported in.
func (c *centre) updates() []string {
	var all []string
	for _, u := range events[wire.Update](c, wire.KindUpdate) {
		all = append(all, u.State)
	}
	return all
}

// TestReleaseOnDemand: a device subscribes to the release that it was assigned and
// to no other, gets it whenever it is published, also after a lost connection, and
// ends the subscription with the update.
func TestReleaseOnDemand(t *testing.T) {
	c := testConfig(t)
	centre, addr := startCentre(t, "")
	c.MQTT.Broker = "mqtt://" + addr
	d := startDevice(t, c)
	eventually(t, "the device to be online", func() bool { return len(centre.states()) == 1 })
	first, second, third := testRelease(t, 1), testRelease(t, 2), testRelease(t, 3)
	centre.assign(first, 1)
	eventually(t, "a subscription to the release", centre.subscribed(wire.Release(first.digest), 1))
	if !centre.subscribed(wire.Release(second.digest), 0)() {
		t.Error("the device subscribes to a release that nobody assigned")
	}

	// Another assignment takes its place before it ever came.
	centre.assign(second, 2)
	eventually(t, "a subscription to the second", centre.subscribed(wire.Release(second.digest), 1))
	eventually(t, "the first to be forgotten", centre.subscribed(wire.Release(first.digest), 0))

	// The broker that heard of it is gone, and the next one knows nothing.
	centre.stop()
	eventually(t, "the loss to be noticed", func() bool { return d.logs.count("K0603") == 1 })
	back, _ := startCentre(t, addr)
	eventually(t, "the subscription to be made again", back.subscribed(wire.Release(second.digest), 1))
	back.offer(second)
	eventually(t, "the model to be committed", func() bool { return slices.Contains(back.updates(), wire.UpdateCommitted) })
	eventually(t, "the second to be forgotten", back.subscribed(wire.Release(second.digest), 0))

	// A refusal ends it as well.
	third.envelope = sign(t, trust.TypeRelease, map[string]string{"type": "release"}, foreignKey)
	back.offer(third)
	back.assign(third, 3)
	eventually(t, "the refusal", func() bool { return slices.Contains(back.updates(), wire.UpdateRefused) })
	eventually(t, "the third to be forgotten", back.subscribed(wire.Release(third.digest), 0))
	d.finish()
}
