package mqtt

import "testing"

func TestMatches(t *testing.T) {
	for _, tt := range []struct {
		filter, topic string
		want          bool
	}{
		{"a/b", "a/b", true},
		{"a/b", "a/b/c", false},
		{"a/b/c", "a/b", false},
		{"a/+", "a/b", true},
		{"a/+", "a/", true},
		{"a/+", "a", false},
		{"+/+", "/b", true},
		{"a/#", "a", true},
		{"a/#", "a/b/c", true},
		{"a/#", "ab", false},
		{"#", "a/b", true},
		{"#", "$SYS/x", false},
		{"+/x", "$SYS/x", false},
		{"$SYS/#", "$SYS/x", true},
		{"a/+/c", "a/b/c", true},
		{"a/+/c", "a/b/d", false},
		{"a/b", "a/b/", false},
		{"$share/g/a/+", "a/b", true},
		{"$share/g/a/+", "b/b", false},
		{"$share/g/#", "a", true},
	} {
		if got := matches(tt.filter, tt.topic); got != tt.want {
			t.Errorf("matches(%q, %q): got %t, want %t", tt.filter, tt.topic, got, tt.want)
		}
	}
}

func TestValidFilter(t *testing.T) {
	for filter, want := range map[string]bool{
		"a": true, "a/+/b": true, "#": true, "a/#": true, "+": true, "$share/g/a/#": true, "/": true,
		"": false, "a/#/b": false, "a#": false, "a/b+": false, "a\x00": false, "\xff": false,
	} {
		if got := validFilter(filter) == nil; got != want {
			t.Errorf("validFilter(%q): got valid %t, want %t", filter, got, want)
		}
	}
}

func TestValidTopic(t *testing.T) {
	for topic, want := range map[string]bool{
		"a/b": true, "/": true, "": false, "a/+": false, "#": false, "a\x00": false, "\xff": false,
	} {
		if got := validTopic(topic) == nil; got != want {
			t.Errorf("validTopic(%q): got valid %t, want %t", topic, got, want)
		}
	}
}
