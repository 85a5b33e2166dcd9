package ocr_test

import (
	"testing"

	"github.com/heyan/heyan/ocr"
)

func TestQuadContains(t *testing.T) {
	clockwise := ocr.Quad{{X: 10, Y: 0}, {X: 20, Y: 10}, {X: 10, Y: 20}, {X: 0, Y: 10}}
	turned := ocr.Quad{clockwise[3], clockwise[2], clockwise[1], clockwise[0]}
	for _, test := range []struct {
		name string
		at   ocr.Point
		want bool
	}{
		{"middle", ocr.Point{X: 10, Y: 10}, true},
		{"corner", ocr.Point{X: 10, Y: 0}, true},
		{"edge", ocr.Point{X: 15, Y: 5}, true},
		{"inside the bounds, outside the quad", ocr.Point{X: 2, Y: 2}, false},
		{"far away", ocr.Point{X: 40, Y: 10}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := clockwise.Contains(test.at); got != test.want {
				t.Errorf("clockwise: got %v, want %v", got, test.want)
			}
			if got := turned.Contains(test.at); got != test.want {
				t.Errorf("counter-clockwise: got %v, want %v", got, test.want)
			}
		})
	}
}

func TestAround(t *testing.T) {
	slanted := ocr.Quad{{X: 10, Y: 0}, {X: 20, Y: 10}, {X: 10, Y: 20}, {X: 0, Y: 10}}
	beside := ocr.Quad{{X: 30, Y: 5}, {X: 35, Y: 5}, {X: 35, Y: 8}, {X: 30, Y: 8}}
	got := ocr.Around([]ocr.Quad{slanted, beside})
	want := ocr.Quad{{X: 0, Y: 0}, {X: 35, Y: 0}, {X: 35, Y: 20}, {X: 0, Y: 20}}
	if got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}
