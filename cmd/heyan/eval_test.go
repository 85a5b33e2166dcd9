package main

import (
	"image"
	"image/color"
	"testing"

	"github.com/heyan/heyan/pipeline/report"
)

func TestPlaceOfAMiss(t *testing.T) {
	ink := color.NRGBA{200, 0, 0, 255}
	picture := image.NewNRGBA(image.Rect(0, 0, 400, 300))
	picture.SetNRGBA(110, 110, ink) // the corner of the field
	r := report.Report{Fields: map[report.FieldName]report.Field{
		report.FieldUSCC:    {EmPx: 9, Polygon: report.Polygon{{110, 110}, {200, 110}, {200, 120}, {110, 120}}},
		report.FieldAddress: {EmPx: 9, Polygon: report.Polygon{{390, 290}, {420, 290}, {420, 310}, {390, 310}}},
	}}
	for name, tt := range map[string]struct {
		field    report.FieldName
		rotation int
		size     image.Point
		corner   image.Point // where the field's first corner comes to lie
	}{
		"read":         {report.FieldUSCC, 0, image.Pt(110, 30), image.Pt(10, 10)},
		"turned":       {report.FieldUSCC, 90, image.Pt(30, 110), image.Pt(19, 10)},
		"upside down":  {report.FieldUSCC, 180, image.Pt(110, 30), image.Pt(99, 19)},
		"turned left":  {report.FieldUSCC, 270, image.Pt(30, 110), image.Pt(10, 99)},
		"beyond edges": {report.FieldAddress, 0, image.Pt(20, 20), image.Point{}},
		"not read":     {report.FieldCompanyName, 90, image.Pt(300, 400), image.Point{}},
	} {
		r.Document.RotationDegrees = tt.rotation
		got, err := place(picture, r, tt.field)
		if err != nil {
			t.Fatal(err)
		}
		if got.Bounds().Size() != tt.size {
			t.Errorf("%s: got %v, want %v", name, got.Bounds().Size(), tt.size)
		}
		if tt.corner != (image.Point{}) && got.At(tt.corner.X, tt.corner.Y) != ink {
			t.Errorf("%s: the field's corner is not at %v", name, tt.corner)
		}
	}
}
