package synth

import (
	"math"

	"github.com/heyan/heyan/pipeline/report"
)

// Shot is where things are on a picture, in px after EXIF turning.
type Shot struct {
	Width    int                                 `json:"width,omitempty"`
	Height   int                                 `json:"height,omitempty"`
	Quad     report.Polygon                      `json:"quad,omitempty"` // the sheet's corners, from its own top left, clockwise
	Frame    report.Polygon                      `json:"frame,omitempty"`
	Second   report.Polygon                      `json:"second,omitempty"` // the corners of another license
	Fields   map[report.FieldName]report.Polygon `json:"fields,omitempty"`
	EmPx     float64                             `json:"em_px"`      // of values
	CodeEmPx float64                             `json:"code_em_px"` // of the code

	areas      map[DefectKind]report.Polygon
	characters map[report.FieldName][]report.Polygon
}

// locate fills in where sheet and fields are; place takes px of the frame to px
// of the picture.
func (s *Shot) locate(lay Layout, second bool, h homography, place func(point) report.Point) {
	polygon := func(b box) report.Polygon {
		var out report.Polygon
		for _, p := range b.corners() {
			out = append(out, place(h.apply(p)))
		}
		return out
	}
	s.Quad, s.Frame = polygon(lay.edge()), polygon(lay.Frame)
	s.Fields, s.characters, s.areas = map[report.FieldName]report.Polygon{}, map[report.FieldName][]report.Polygon{}, map[DefectKind]report.Polygon{}
	for name, b := range lay.Fields {
		s.Fields[name] = polygon(b)
	}
	for name, boxes := range lay.Characters {
		for _, b := range boxes {
			s.characters[name] = append(s.characters[name], polygon(b))
		}
	}
	if second {
		for _, p := range lay.second() {
			s.Second = append(s.Second, place(h.apply(p)))
		}
		s.areas[SecondLicense] = s.Second
	}
}

// tenths rounds: a tenth of a pixel is as well as anyone can see.
func tenths(v float64) float64 { return math.Round(v*10) / 10 }

// settle writes the places of the defects, and what they hit, into them.
func (s Shot) settle(defects []Defect) {
	for i, d := range defects {
		inside := within(s.areas[d.Kind])
		if d.Kind == CutOff {
			inside = func(p point) bool { return p.x < 0 || p.y < 0 || p.x > float64(s.Width) || p.y > float64(s.Height) }
		}
		defects[i].Polygon, defects[i].Hits = s.areas[d.Kind], touched(s.Fields, inside)
	}
}

// move scales and shifts all that the shot says.
func (s *Shot) move(k, dx, dy float64) {
	move := func(p report.Polygon) {
		for i := range p {
			p[i] = report.Point{tenths(p[i][0]*k + dx), tenths(p[i][1]*k + dy)}
		}
	}
	move(s.Quad)
	move(s.Frame)
	move(s.Second)
	for _, p := range s.Fields {
		move(p)
	}
	for kind, p := range s.areas {
		if kind != SecondLicense { // the same points as Second
			move(p)
		}
	}
	s.EmPx, s.CodeEmPx = tenths(s.EmPx*k), tenths(s.CodeEmPx*k)
}
