package mqtt

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// validTopic checks a topic to publish on (MQTT 3.1.1, sections 1.5.3 and 4.7).
func validTopic(topic string) error {
	if topic == "" || len(topic) > 0xFFFF || strings.ContainsAny(topic, "+#\x00") || !utf8.ValidString(topic) {
		return fmt.Errorf("%w: topic %.80q", ErrInvalid, topic)
	}
	return nil
}

// validFilter checks a filter to subscribe to (MQTT 3.1.1, section 4.7.1).
func validFilter(filter string) error {
	bad := filter == "" || len(filter) > 0xFFFF || strings.ContainsRune(filter, 0) || !utf8.ValidString(filter)
	levels := strings.Split(plainFilter(filter), "/")
	for i, level := range levels {
		hash := strings.Contains(level, "#")
		bad = bad || hash && (level != "#" || i != len(levels)-1)
		bad = bad || strings.Contains(level, "+") && level != "+"
	}
	if bad {
		return fmt.Errorf("%w: filter %.80q", ErrInvalid, filter)
	}
	return nil
}

// plainFilter cuts $share/<group>/ off a filter: messages come under their topic.
func plainFilter(filter string) string {
	rest, shared := strings.CutPrefix(filter, "$share/")
	if !shared {
		return filter
	}
	_, rest, _ = strings.Cut(rest, "/")
	return rest
}

// matches reports whether a topic matches a filter (MQTT 3.1.1, section 4.7).
func matches(filter, topic string) bool {
	filter = plainFilter(filter)
	if strings.HasPrefix(topic, "$") && !strings.HasPrefix(filter, "$") {
		return false
	}
	for {
		f, filterRest, filterMore := strings.Cut(filter, "/")
		if f == "#" {
			return true
		}
		t, topicRest, topicMore := strings.Cut(topic, "/")
		if f != "+" && f != t {
			return false
		}
		switch {
		case !filterMore && !topicMore:
			return true
		case !topicMore:
			return filterRest == "#" // a/# matches a
		case !filterMore:
			return false
		}
		filter, topic = filterRest, topicRest
	}
}
