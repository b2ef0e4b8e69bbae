package wire

import (
	"encoding/json"
	"reflect"
	"testing"
)

// fuzzDecode holds for one kind of message: what Decode took can be written and
// read again and is the same.
func fuzzDecode[M any, P interface {
	*M
	Message
}](f *testing.F) {
	for _, example := range examples() {
		if _, ok := example.(P); !ok {
			continue
		}
		data, err := json.Marshal(example)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var m, again M
		if Decode(data, P(&m)) != nil {
			return
		}
		written, err := json.Marshal(&m)
		if err != nil {
			t.Fatalf("read but not written: %v", err)
		}
		// Writing may escape what was read plain and so grow over the limit.
		if len(written) > MaxMessage {
			return
		}
		if err := Decode(written, P(&again)); err != nil {
			t.Fatalf("written but not read: %v", err)
		}
		if rewritten, _ := json.Marshal(&again); string(rewritten) != string(written) {
			t.Fatalf("got %s, want %s", rewritten, written)
		}
	})
}

func FuzzDecodeState(f *testing.F)     { fuzzDecode[State](f) }
func FuzzDecodeReported(f *testing.F)  { fuzzDecode[Reported](f) }
func FuzzDecodeEvent(f *testing.F)     { fuzzDecode[Event](f) }
func FuzzDecodeDrift(f *testing.F)     { fuzzDecode[Drift](f) }
func FuzzDecodeUpdate(f *testing.F)    { fuzzDecode[Update](f) }
func FuzzDecodeReference(f *testing.F) { fuzzDecode[Reference](f) }
func FuzzDecodeHealth(f *testing.F)    { fuzzDecode[Health](f) }
func FuzzDecodeEvidence(f *testing.F)  { fuzzDecode[Evidence](f) }
func FuzzDecodeLabels(f *testing.F)    { fuzzDecode[Labels](f) }
func FuzzDecodeGet(f *testing.F)       { fuzzDecode[Get](f) }

func FuzzParseTopic(f *testing.F) {
	for _, topic := range []string{testTopics.State(), testTopics.Event(KindDrift), testTopics.Upload("e1", 7), testTopics.Chunk(testDigest, 0), Truth("north", "lab")} {
		f.Add(topic)
	}
	f.Fuzz(func(t *testing.T, topic string) {
		got, err := ParseTopic(topic)
		if err != nil {
			return
		}
		again := Truth(got.Site, got.Source)
		if got.Kind != "t" {
			again = DeviceTopics{got.Site, got.Device}.base() + got.Kind
			for _, level := range got.Rest {
				again += "/" + level
			}
		}
		if again != topic {
			t.Fatalf("got %q, want %q", again, topic)
		}
	})
}

func FuzzParseSampleID(f *testing.F) {
	f.Add("pump-1/b1/8")
	f.Fuzz(func(t *testing.T, text string) {
		id, err := ParseSampleID(text)
		if err != nil {
			return
		}
		if id.String() != text {
			t.Fatalf("got %q, want %q", id, text)
		}
		if again, err := ParseSampleID(id.String()); err != nil || !reflect.DeepEqual(again, id) {
			t.Fatalf("got %+v, %v, want %+v", again, err, id)
		}
	})
}
