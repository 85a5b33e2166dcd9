// Package ocr is the contract of a text reader: quads in, lines with
// characters, alternatives and confidences out. It must not know which engine
// reads, nor what the text means.
//
// Pictures are opaque *image.NRGBA with bounds starting at (0,0).
package ocr

import (
	"context"
	"image"
	"math"
	"strings"
)

// Point is a place in pixels of the picture that was read.
type Point struct{ X, Y float64 }

// Quad is the box of a text line: top-left, top-right, bottom-right,
// bottom-left of the text as it is read.
type Quad [4]Point

// Width is the mean length of the two sides along the text, in pixels.
func (q Quad) Width() float64 { return (dist(q[0], q[1]) + dist(q[3], q[2])) / 2 }

// Height is the mean length of the two sides across the text, in pixels.
func (q Quad) Height() float64 { return (dist(q[0], q[3]) + dist(q[1], q[2])) / 2 }

// Center is the mean of the corners.
func (q Quad) Center() Point {
	return Point{(q[0].X + q[1].X + q[2].X + q[3].X) / 4, (q[0].Y + q[1].Y + q[2].Y + q[3].Y) / 4}
}

// Bounds is the smallest upright rectangle (min, max) round the quad.
func (q Quad) Bounds() (min, max Point) {
	min, max = q[0], q[0]
	for _, p := range q[1:] {
		min.X, min.Y = math.Min(min.X, p.X), math.Min(min.Y, p.Y)
		max.X, max.Y = math.Max(max.X, p.X), math.Max(max.Y, p.Y)
	}
	return min, max
}

// Contains tells whether a point lies in the quad, which is convex, or on its edge.
func (q Quad) Contains(p Point) bool {
	left, right := false, false
	for i, a := range q {
		b := q[(i+1)%4]
		side := (b.X-a.X)*(p.Y-a.Y) - (b.Y-a.Y)*(p.X-a.X)
		left, right = left || side < 0, right || side > 0
	}
	return !left || !right
}

// Around is the upright rectangle round quads, of which there is at least one.
func Around(quads []Quad) Quad {
	low, high := quads[0].Bounds()
	for _, q := range quads[1:] {
		l, h := q.Bounds()
		low.X, low.Y, high.X, high.Y = min(low.X, l.X), min(low.Y, l.Y), max(high.X, h.X), max(high.Y, h.Y)
	}
	return Quad{low, {X: high.X, Y: low.Y}, high, {X: low.X, Y: high.Y}}
}

// Slice is the part of the quad between the fractions from and to of its width.
func (q Quad) Slice(from, to float64) Quad {
	at := func(a, b Point, f float64) Point { return Point{a.X + (b.X-a.X)*f, a.Y + (b.Y-a.Y)*f} }
	return Quad{at(q[0], q[1], from), at(q[0], q[1], to), at(q[3], q[2], to), at(q[3], q[2], from)}
}

func dist(a, b Point) float64 { return math.Hypot(a.X-b.X, a.Y-b.Y) }

// Alternative is another reading of one character.
type Alternative struct {
	Text       string  `json:"text"`
	Confidence float64 `json:"confidence"` // 0..1
}

// Character is one recognised character.
type Character struct {
	Text         string        `json:"text"`
	Confidence   float64       `json:"confidence"`             // 0..1
	Alternatives []Alternative `json:"alternatives,omitempty"` // best first, without Text
	Center       float64       `json:"center"`                 // along the line, fraction of its width, 0..1
}

// Line is one line of text as one engine read it.
type Line struct {
	Quad       Quad        `json:"quad"`
	Text       string      `json:"text"`
	Confidence float64     `json:"confidence"` // mean of the characters', 0..1
	Characters []Character `json:"characters,omitempty"`
	Engine     string      `json:"engine,omitempty"` // Reader.Name
}

// Mean is the line's confidence from its characters'.
func Mean(characters []Character) float64 {
	if len(characters) == 0 {
		return 0
	}
	sum := 0.0
	for _, c := range characters {
		sum += c.Confidence
	}
	return sum / float64(len(characters))
}

// Certainty is the probability that all characters are right, taken as
// independent: the product of their confidences. Spaces do not count: they come
// and go with the crop.
func Certainty(characters []Character) float64 {
	product := 1.0
	for _, c := range characters {
		if c.Text != " " && c.Text != "\u3000" {
			product *= c.Confidence
		}
	}
	return product
}

// Join is the text of the characters.
func Join(characters []Character) string {
	var b strings.Builder
	for _, c := range characters {
		b.WriteString(c.Text)
	}
	return b.String()
}

// Detector finds text lines. Quads come in no order; a picture without text
// gives none and no error.
type Detector interface {
	Detect(ctx context.Context, picture *image.NRGBA) ([]Quad, error)
}

// Recogniser reads the text inside quads. It returns one line a quad, in the
// order of the quads; a quad without text gives a line with an empty Text.
// Calls may run at the same time.
type Recogniser interface {
	// Name is the engine and the model's version: "ppocr/v6-small".
	Name() string
	Recognise(ctx context.Context, picture *image.NRGBA, quads []Quad) ([]Line, error)
}

// Engine finds and reads.
type Engine interface {
	Detector
	Recogniser
}
