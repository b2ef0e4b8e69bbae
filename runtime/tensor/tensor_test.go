package tensor

import (
	"math"
	"testing"
)

func TestShapeElements(t *testing.T) {
	for _, c := range []struct {
		shape Shape
		want  int
		ok    bool
	}{
		{nil, 1, true},
		{Shape{1, 49, 10, 1}, 490, true},
		{Shape{0, 1 << 30}, 0, true},
		{Shape{0, 1 << 30, 1 << 30}, 0, false},
		{Shape{1 << 30, 1 << 30, 0}, 0, false},
		{Shape{1 << 16, 1 << 16}, 0, false},
		{Shape{1 << 31 >> 1, 1}, 1 << 30, true},
		{Shape{math.MaxInt32}, math.MaxInt32, true},
		{Shape{-1, 4}, 0, false},
	} {
		if got, ok := c.shape.Elements(); got != c.want || ok != c.ok {
			t.Errorf("%v: got %d, %v, want %d, %v", c.shape, got, ok, c.want, c.ok)
		}
	}
}

func TestShapeBytes(t *testing.T) {
	for _, c := range []struct {
		shape Shape
		typ   Type
		want  int
		ok    bool
	}{
		{Shape{3}, Int4, 2, true},
		{Shape{3, 5}, Float32, 60, true},
		{Shape{1 << 29}, Int64, 0, false},
		{Shape{4}, String, 0, false},
		{Shape{4}, Type(200), 0, false},
	} {
		got, ok := c.shape.Bytes(c.typ)
		if ok != c.ok || ok && got != c.want {
			t.Errorf("%v %v: got %d, %v, want %d, %v", c.shape, c.typ, got, ok, c.want, c.ok)
		}
	}
}

func TestNames(t *testing.T) {
	if got := Int8.String(); got != "int8" {
		t.Errorf("got %q, want int8", got)
	}
	if got := Type(77).String(); got != "type 77" {
		t.Errorf("got %q, want type 77", got)
	}
	if got := (Shape{1, 2}).String(); got != "[1,2]" {
		t.Errorf("got %q, want [1,2]", got)
	}
}

func TestQuantDefaults(t *testing.T) {
	var q Quant
	if q.Scale() != 0 || q.ZeroPoint() != 0 || q.PerChannel() {
		t.Errorf("got %v %v %v for no quantization, want zeros", q.Scale(), q.ZeroPoint(), q.PerChannel())
	}
	q = Quant{Scales: []float32{0.5, 0.25}, ZeroPoints: []int32{3, 4}}
	if q.Scale() != 0.5 || q.ZeroPoint() != 3 || !q.PerChannel() {
		t.Errorf("got %v %v %v, want 0.5 3 true", q.Scale(), q.ZeroPoint(), q.PerChannel())
	}
}
