package wire

import (
	"fmt"
	"strconv"
	"strings"

	"kedge/telemetry/form"
)

const prefix = "kedge/v1/"

// CheckName reports whether s can name a site, a device, a group or a source
// of truth: 1 to 64 letters, digits, dots, underscores and hyphens, beginning
// with a letter or a digit. What that leaves out would change the meaning of a topic.
func CheckName(s string) error {
	if !form.Name(s) {
		return fmt.Errorf("name %.80q: want 1 to 64 of A-Z a-z 0-9 . _ - beginning with a letter or digit: %w", s, ErrMalformed)
	}
	return nil
}

// DeviceTopics gives the topics of one device. Site and Device have passed CheckName.
type DeviceTopics struct {
	Site, Device string
}

func (t DeviceTopics) base() string { return prefix + "d/" + t.Site + "/" + t.Device + "/" }

// Source is the CloudEvents source of the device's events. It is no topic.
func (t DeviceTopics) Source() string { return "/kedge/" + t.Site + "/" + t.Device }

// State is retained and carries State; the will lies on it too.
func (t DeviceTopics) State() string { return t.base() + "state" }

// Reported is retained and carries Reported.
func (t DeviceTopics) Reported() string { return t.base() + "rep" }

// Event carries an Event of the kind, one of the Kind constants.
func (t DeviceTopics) Event(kind string) string { return t.base() + "evt/" + kind }

// Upload carries part n of the Evidence with that id.
func (t DeviceTopics) Upload(id string, n int) string {
	return t.base() + "up/" + id + "/" + strconv.Itoa(n)
}

// Get carries a Get, the device's request for chunks.
func (t DeviceTopics) Get() string { return t.base() + "get" }

// Chunk carries the raw bytes of chunk n of the blob with that SHA-256.
func (t DeviceTopics) Chunk(blob string, n int) string {
	return t.base() + "dn/" + blob + "/" + strconv.Itoa(n)
}

// Chunks is the filter for all chunks to the device.
func (t DeviceTopics) Chunks() string { return t.base() + "dn/+/+" }

// Assign is retained and carries an assign envelope for this device.
func (t DeviceTopics) Assign() string { return t.base() + "assign" }

// Reference is retained and carries a reference envelope for this device.
func (t DeviceTopics) Reference() string { return t.base() + "ref" }

// GroupAssign is retained and carries an assign envelope for a group of devices.
func GroupAssign(site, group string) string { return prefix + "g/" + site + "/" + group + "/assign" }

// Release is retained and carries the release envelope with that DocumentDigest.
func Release(digest string) string { return prefix + "rel/" + digest }

// Root is retained and carries the root envelope of version n.
func Root(n uint64) string { return prefix + "root/" + strconv.FormatUint(n, 10) }

// Roots is the filter for all root envelopes.
func Roots() string { return prefix + "root/+" }

// Truth carries Labels: ground truth that comes late, from a named source.
func Truth(site, source string) string { return prefix + "t/" + site + "/" + source }

// CentreFilters are the filters of everything that the centre listens to.
func CentreFilters() []string {
	d := prefix + "d/+/+/"
	return []string{d + "state", d + "rep", d + "evt/+", d + "up/+/+", d + "get", prefix + "t/+/+"}
}

// A Topic is a parsed topic of a device or of a source of truth.
type Topic struct {
	Site   string
	Device string // empty for truth
	Source string // of truth only
	Kind   string // state, rep, evt, up, get, dn, assign, ref; t for truth
	// Rest holds the levels behind Kind: the kind of the event for evt, the
	// evidence's id and the part for up, the blob's digest and the chunk for dn.
	Rest []string
}

// restForms holds what each level behind a kind of device's topic looks like.
// An event's kind may be one that this version does not know.
var restForms = map[string][]func(string) bool{
	"state": {}, "rep": {}, "get": {}, "assign": {}, "ref": {},
	"evt": {form.Name}, "up": {form.Name, isPart}, "dn": {form.Digest, isPart},
}

// isPart is for a part's or a chunk's number, 0 to 999999999, in its one form.
func isPart(s string) bool { return form.Number(s, 9) }

// ParseTopic reads a topic below kedge/v1/d or kedge/v1/t. All its levels are of
// the form that DeviceTopics and Truth give them.
func ParseTopic(topic string) (Topic, error) {
	rest, ok := strings.CutPrefix(topic, prefix)
	levels := strings.Split(rest, "/")
	if !ok || len(levels) < 3 || CheckName(levels[1]) != nil || CheckName(levels[2]) != nil {
		return Topic{}, fmt.Errorf("%.120q: %w", topic, ErrTopic)
	}
	switch {
	case levels[0] == "t" && len(levels) == 3:
		return Topic{Site: levels[1], Source: levels[2], Kind: "t"}, nil
	case levels[0] == "d" && len(levels) > 3:
		if matchLevels(levels[3], levels[4:]) {
			return Topic{Site: levels[1], Device: levels[2], Kind: levels[3], Rest: levels[4:]}, nil
		}
	}
	return Topic{}, fmt.Errorf("%.120q: %w", topic, ErrTopic)
}

func matchLevels(kind string, rest []string) bool {
	forms, known := restForms[kind]
	if !known || len(forms) != len(rest) {
		return false
	}
	for i, is := range forms {
		if !is(rest[i]) {
			return false
		}
	}
	return true
}
