package eval

import (
	"math"

	"github.com/heyan/heyan/pipeline/report"
)

// overlap is the intersection over union of two convex, clockwise polygons; both
// cut to the picture, beyond which nobody sees a sheet.
func overlap(a, b report.Polygon, width, height float64) float64 {
	picture := report.Polygon{{0, 0}, {width, 0}, {width, height}, {0, height}}
	a, b = intersection(a, picture), intersection(b, picture)
	both := area(intersection(a, b))
	if either := area(a) + area(b) - both; either > 0 {
		return both / either
	}
	return 0
}

// intersection cuts a polygon to a convex, clockwise one (Sutherland and Hodgman).
func intersection(subject, clip report.Polygon) report.Polygon {
	for i, a := range clip {
		b := clip[(i+1)%len(clip)]
		side := func(p report.Point) float64 { return (b[0]-a[0])*(p[1]-a[1]) - (b[1]-a[1])*(p[0]-a[0]) }
		var kept report.Polygon
		for j, p := range subject {
			q := subject[(j+1)%len(subject)]
			sp, sq := side(p), side(q)
			if sp >= 0 {
				kept = append(kept, p)
			}
			if (sp >= 0) != (sq >= 0) {
				t := sp / (sp - sq)
				kept = append(kept, report.Point{p[0] + t*(q[0]-p[0]), p[1] + t*(q[1]-p[1])})
			}
		}
		subject = kept
	}
	return subject
}

// area is a polygon's by the shoelace formula.
func area(p report.Polygon) float64 {
	sum := 0.0
	for i, a := range p {
		b := p[(i+1)%len(p)]
		sum += a[0]*b[1] - b[0]*a[1]
	}
	return math.Abs(sum) / 2
}
