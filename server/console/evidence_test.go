package console

import (
	"math"
	"reflect"
	"testing"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/worker/engine"
)

func TestCompared(t *testing.T) {
	same := func(s string) []part { return []part{{Text: s}} }
	for _, tt := range []struct {
		name        string
		field       report.FieldName
		declared    string
		read        string
		left, right []part
	}{
		{"equal", report.FieldCompanyName, "样本有限公司", "样本有限公司", same("样本有限公司"), same("样本有限公司")},
		{"one character", report.FieldCompanyName, "样本有限公司", "样木有限公司", []part{{"样", false}, {"本", true}, {"有限公司", false}}, []part{{"样", false}, {"木", true}, {"有限公司", false}}},
		{"one more", report.FieldCompanyName, "样本有限公司", "样本有限责任公司", []part{{"样本有限", false}, {"＿", true}, {"公司", false}}, []part{{"样本有限", false}, {"责任", true}, {"公司", false}}},
		{"nothing read", report.FieldCompanyName, "样本有限公司", "", same("样本有限公司"), same("")},
		{"a code in small letters", report.FieldUSCC, "91ma", "91MA", same("91MA"), same("91MA")},
		{"a digit of a code", report.FieldUSCC, "9131", "9181", []part{{"91", false}, {"3", true}, {"1", false}}, []part{{"91", false}, {"8", true}, {"1", false}}},
	} {
		left, right := compared(tt.field, tt.declared, tt.read)
		if !reflect.DeepEqual(left, tt.left) || !reflect.DeepEqual(right, tt.right) {
			t.Errorf("%s: got %+v and %+v, want %+v and %+v", tt.name, left, right, tt.left, tt.right)
		}
	}
}

func TestCropOf(t *testing.T) {
	turned := report.Polygon{{100, 300}, {100, 100}, {120, 100}, {120, 300}} // text that runs upwards
	got, ok := cropOf(turned, 400, 400, "photo")
	if !ok || math.Abs(got.Width-214) > 0.1 || math.Abs(got.Height-34) > 0.1 || got.Transform != "translate(7.0 7.0) rotate(90.000) translate(-100.0 -300.0)" {
		t.Errorf("got %+v", got)
	}
	for name, quad := range map[string]report.Polygon{"none": nil, "a triangle": {{0, 0}, {9, 0}, {9, 9}}, "a point": {{1, 1}, {1, 1}, {1, 1}, {1, 1}}} {
		if _, ok := cropOf(quad, 400, 400, "photo"); ok {
			t.Errorf("%s: has a crop", name)
		}
	}
}

func TestOnPage(t *testing.T) {
	g := engine.Geometry{ToPage: [9]float64{2, 0, -10, 0, 2, -20, 0, 0, 2}}
	got := onPage(report.Polygon{{5, 10}, {15, 30}}, g)
	if want := (report.Polygon{{0, 0}, {10, 20}}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
