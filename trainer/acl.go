package trainer

import (
	"crypto/tls"
	"crypto/x509"
	"slices"
	"strings"

	"kedge/telemetry/wire"
	"kedge/trainer/release"
)

// identity is who a client of the embedded broker is, by its certificate.
type identity struct {
	site, name string
	source     bool // of ground truth, otherwise a device
}

// identify reads the identity out of a verified client certificate: common name
// the device, organization its site, the unit "source" for sources of truth.
func identify(cert *x509.Certificate) (identity, bool) {
	if len(cert.Subject.Organization) != 1 {
		return identity{}, false
	}
	id := identity{
		site: cert.Subject.Organization[0], name: cert.Subject.CommonName,
		source: slices.Equal(cert.Subject.OrganizationalUnit, []string{release.UnitSource}),
	}
	if wire.CheckName(id.site) != nil || wire.CheckName(id.name) != nil {
		return identity{}, false
	}
	return id, id.source || len(cert.Subject.OrganizationalUnit) == 0
}

// peerIdentity identifies the other end of a TLS connection that has shaken hands.
func peerIdentity(c *tls.Conn) (identity, bool) {
	chains := c.ConnectionState().VerifiedChains
	if len(chains) == 0 || len(chains[0]) == 0 {
		return identity{}, false
	}
	return identify(chains[0][0])
}

// writable lists the kinds of topics below a device's own that it may write to.
var writable = []string{"state", "rep", "evt", "up", "get"}

// readable lists those that it may read.
var readable = []string{"assign", "ref", "dn"}

// mayWrite reports whether the client may publish to the topic.
func (id identity) mayWrite(topic string) bool {
	t, err := wire.ParseTopic(topic)
	if err != nil || t.Site != id.site {
		return false
	}
	if id.source {
		return t.Kind == "t" && t.Source == id.name
	}
	return t.Device == id.name && slices.Contains(writable, t.Kind)
}

// mayRead reports whether the client may receive from the topic, or subscribe to
// the filter. A filter is allowed only if everything that it can match is: with
// a wildcard above its last levels it never is.
func (id identity) mayRead(filter string) bool {
	if id.source {
		return false
	}
	rest, ok := strings.CutPrefix(filter, "kedge/v1/")
	if !ok {
		return false // also $share/… and $SYS/…
	}
	levels := strings.Split(rest, "/")
	switch {
	case len(levels) == 2 && (levels[0] == "rel" || levels[0] == "root"):
		return levels[1] != "#"
	case len(levels) == 4 && levels[0] == "g":
		// Which groups a device is in is its own configuration; of its site it may know all.
		return levels[1] == id.site && levels[3] == "assign" && levels[2] != "#"
	case len(levels) >= 4 && levels[0] == "d":
		return levels[1] == id.site && levels[2] == id.name && slices.Contains(readable, levels[3])
	}
	return false
}
