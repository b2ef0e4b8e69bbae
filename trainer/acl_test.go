package trainer

import "testing"

func TestDeviceACL(t *testing.T) {
	device := identity{site: "s", name: "d"}
	source := identity{site: "s", name: "lab", source: true}
	for _, c := range []struct {
		id          identity
		topic       string
		write, read bool
	}{
		{device, "kedge/v1/d/s/d/state", true, false},
		{device, "kedge/v1/d/s/d/rep", true, false},
		{device, "kedge/v1/d/s/d/evt/drift", true, false},
		{device, "kedge/v1/d/s/d/up/e1/0", true, false},
		{device, "kedge/v1/d/s/d/get", true, false},
		{device, "kedge/v1/d/s/d/assign", false, true},
		{device, "kedge/v1/d/s/d/ref", false, true},
		{device, "kedge/v1/d/s/d/dn/+/+", false, true},
		{device, "kedge/v1/d/s/d/dn/abc/3", false, true},
		{device, "kedge/v1/d/s/d/evt/drift/more", false, false},
		{device, "kedge/v1/d/s/d/#", false, false},
		{device, "kedge/v1/d/s/d/+", false, false},
		{device, "kedge/v1/d/s/+/assign", false, false},
		{device, "kedge/v1/d/+/d/assign", false, false},
		{device, "kedge/v1/d/s/d2/state", false, false},
		{device, "kedge/v1/d/s2/d/state", false, false},
		{device, "kedge/v1/d/s/d2/assign", false, false},
		{device, "kedge/v1/g/s/presses/assign", false, true},
		{device, "kedge/v1/g/s/+/assign", false, true},
		{device, "kedge/v1/g/s2/presses/assign", false, false},
		{device, "kedge/v1/g/+/presses/assign", false, false},
		{device, "kedge/v1/g/s/#", false, false},
		{device, "kedge/v1/g/s/presses/#", false, false},
		{device, "kedge/v1/rel/+", false, true},
		{device, "kedge/v1/rel/abc", false, true},
		{device, "kedge/v1/root/+", false, true},
		{device, "kedge/v1/root/1", false, true},
		{device, "kedge/v1/root/#", false, false},
		{device, "kedge/v1/#", false, false},
		{device, "#", false, false},
		{device, "+/v1/root/+", false, false},
		{device, "$SYS/broker/clients", false, false},
		{device, "$share/x/kedge/v1/rel/+", false, false},
		{device, "kedge/v1/t/s/lab", false, false},
		{device, "kedge/v1/t/s/d", false, false},
		{source, "kedge/v1/t/s/lab", true, false},
		{source, "kedge/v1/t/s/other", false, false},
		{source, "kedge/v1/t/s2/lab", false, false},
		{source, "kedge/v1/d/s/lab/state", false, false},
		{source, "kedge/v1/d/s/lab/assign", false, false},
		{source, "kedge/v1/rel/+", false, false},
	} {
		if got := c.id.mayWrite(c.topic); got != c.write {
			t.Errorf("%+v writes %s: got %v, want %v", c.id, c.topic, got, c.write)
		}
		if got := c.id.mayRead(c.topic); got != c.read {
			t.Errorf("%+v reads %s: got %v, want %v", c.id, c.topic, got, c.read)
		}
	}
}
