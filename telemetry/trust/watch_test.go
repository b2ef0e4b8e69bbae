package trust

import (
	"bytes"
	"reflect"
	"testing"
)

// watchBundle declares two signals and references for all that is watched.
func watchBundle() *Bundle {
	b := testBundle()
	b.Manifest.Signals = []Signal{{Name: "top1"}, {Name: "margin", High: 12.5}}
	b.References, b.Inputs = []byte(`{"margin":{}}`), []byte(`{"n":30}`)
	return b
}

func TestBundleOfWatches(t *testing.T) {
	b := watchBundle()
	data := encodeBundle(t, b)
	got, err := OpenBundle(data)
	wantError(t, err, nil)
	if !reflect.DeepEqual(got, b) || !reflect.DeepEqual(got.Manifest.Watched(), b.Manifest.Signals) {
		t.Errorf("got %+v, want %+v", got, b)
	}
	plain := testBundle()
	if got := plain.Manifest.Watched(); len(got) != 1 || got[0] != (Signal{Name: "top1"}) {
		t.Errorf("without signals: got %+v, want the one signal", got)
	}
	// What a bundle does not have leaves no trace in it.
	if old := encodeBundle(t, plain); bytes.Contains(old, []byte(FileReferences)) || bytes.Contains(old, []byte(FileInputs)) {
		t.Error("a bundle of one signal names files that it lacks")
	}
}

func TestBundleOfWatchesRefused(t *testing.T) {
	for name, change := range map[string]func(*Bundle){
		"another signal first": func(b *Bundle) { b.Manifest.Signal = "margin" },
		"a signal twice":       func(b *Bundle) { b.Manifest.Signals[1].Name = "top1" },
		"nine signals": func(b *Bundle) {
			for i := range 7 {
				b.Manifest.Signals = append(b.Manifest.Signals, Signal{Name: "output:" + string(rune('0'+i)), High: 1})
			}
		},
		"empty inputs":     func(b *Bundle) { b.Inputs = []byte{} },
		"large inputs":     func(b *Bundle) { b.Inputs = make([]byte, maxWatch+1) },
		"large references": func(b *Bundle) { b.References = make([]byte, maxWatch+1) },
	} {
		b := watchBundle()
		change(b)
		_, err := b.Encode()
		wantError(t, err, ErrBundle)
		if err == nil {
			t.Error(name)
		}
	}
}
