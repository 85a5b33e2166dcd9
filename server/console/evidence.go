package console

import (
	"fmt"
	"math"
	"strings"

	"github.com/heyan/heyan/pipeline/codes"
	"github.com/heyan/heyan/pipeline/license"
	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/worker/engine"
)

// canvas is a picture with outlines on its pixels, drawn as SVG by the browser:
// with a script it can be zoomed, without one it is looked at.
type canvas struct {
	View          string // photo or page
	Width, Height int    // of the coordinates of its boxes
	Layers        []string
	Boxes         []box
}

// box is an outline on a canvas.
type box struct {
	ID     string // of the element
	Points string
	Kind   string // field, block, review, info, sheet
	Target string // id of what it belongs to, in the lists beside
	Title  string
	Number int // of a reason, as the list has it; 0: none
	X, Y   float64
}

// crop shows one line of the photo upright.
type crop struct {
	Width, Height       float64 // of the view box
	PhotoWidth, PhotoHt int
	Source              string
	Transform           string
}

// cropMargin is kept around a line, as a share of its height.
const cropMargin = 0.35

// cropOf turns the part of the photo under a quad upright; false where there is
// no quad.
func cropOf(quad report.Polygon, width, height int, source string) (crop, bool) {
	if len(quad) != 4 {
		return crop{}, false
	}
	along, down := distance(quad[0], quad[1]), distance(quad[0], quad[3])
	if along < 1 || down < 1 {
		return crop{}, false
	}
	margin := cropMargin * min(along, down)
	angle := math.Atan2(quad[1][1]-quad[0][1], quad[1][0]-quad[0][0]) * 180 / math.Pi
	return crop{
		Width: along + 2*margin, Height: down + 2*margin, PhotoWidth: width, PhotoHt: height, Source: source,
		Transform: fmt.Sprintf("translate(%.1f %.1f) rotate(%.3f) translate(%.1f %.1f)", margin, margin, -angle, -quad[0][0], -quad[0][1]),
	}, true
}

func distance(a, b report.Point) float64 { return math.Hypot(b[0]-a[0], b[1]-a[1]) }

// points are a polygon as SVG has it.
func points(p report.Polygon) string {
	var b strings.Builder
	for _, at := range p {
		fmt.Fprintf(&b, "%.1f,%.1f ", at[0], at[1])
	}
	return strings.TrimSpace(b.String())
}

// onPage maps a polygon of the photo to the flattened page.
func onPage(p report.Polygon, g engine.Geometry) report.Polygon {
	mapped := make(report.Polygon, len(p))
	h := g.ToPage
	for i, at := range p {
		w := h[6]*at[0] + h[7]*at[1] + h[8]
		mapped[i] = report.Point{(h[0]*at[0] + h[1]*at[1] + h[2]) / w, (h[3]*at[0] + h[4]*at[1] + h[5]) / w}
	}
	return mapped
}

// part is a run of characters that are the same as their counterparts, or not.
type part struct {
	Text    string
	Differs bool
}

// compared takes two values apart where they differ, character by character.
func compared(name report.FieldName, declared, read string) (left, right []part) {
	if declared == "" || read == "" {
		return []part{{Text: declared}}, []part{{Text: read}}
	}
	if name == report.FieldUSCC || name == report.FieldRegistrationNumber || name == report.FieldOrganizationCode {
		declared, read = codes.Normalize(declared), codes.Normalize(read)
	}
	spans := license.CompareNames(declared, read).Spans
	a, b := make([][2]int, len(spans)), make([][2]int, len(spans))
	for i, s := range spans {
		a[i], b[i] = s.Declared, s.Read
	}
	return parts(declared, a), parts(read, b)
}

// parts cuts a value at spans of runes. Where the other value has more there is a
// gap, shown as a differing part of its own.
func parts(value string, spans [][2]int) []part {
	runes, at := []rune(value), 0
	var all []part
	add := func(text string, differs bool) {
		if text != "" {
			all = append(all, part{text, differs})
		}
	}
	for _, s := range spans {
		from, to := min(max(s[0], at), len(runes)), min(s[1], len(runes))
		add(string(runes[at:from]), false)
		if to > from {
			add(string(runes[from:to]), true)
		} else {
			add("＿", true)
		}
		at = max(from, to)
	}
	add(string(runes[at:]), false)
	return all
}
