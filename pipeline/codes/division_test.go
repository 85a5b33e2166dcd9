package codes

import (
	"slices"
	"strings"
	"testing"
)

func TestDivisionData(t *testing.T) {
	list := divisions()
	if got, want := len(list), 7224; got != want {
		t.Errorf("got %d divisions, want %d", got, want)
	}
	if !slices.IsSortedFunc(list, func(a, b Division) int {
		if c := strings.Compare(a.Code, b.Code); c != 0 {
			return c
		}
		return a.From - b.From
	}) {
		t.Error("the list is not sorted")
	}
	for _, d := range list {
		if len(d.Code) != 6 || firstNonDigit(d.Code) >= 0 || d.Name == "" {
			t.Errorf("bad row %+v", d)
		}
		for _, year := range []int{d.From, d.To} {
			if year != 0 && (year < 1980 || year > 2024) {
				t.Errorf("bad year in %+v", d)
			}
		}
	}
}

func TestDivisionsOf(t *testing.T) {
	tests := []struct {
		code string
		want []Division
	}{
		{"110101", []Division{{"110101", "北京市东城区", 1981, 0}}},
		{"440524", []Division{{"440524", "广东省汕头市潮阳县", 1983, 1993}}},
		{"130502", []Division{{"130502", "河北省邢台市桥东区", 1983, 2020}, {"130502", "河北省邢台市襄都区", 2020, 0}}},
		{"440101", []Division{{"440101", "广东省广州市市辖区", 1983, 0}}},
		{"110302", nil},
		{"000000", nil},
		{"", nil},
		{"zzzzzz", nil},
	}
	for _, test := range tests {
		if got := DivisionsOf(test.code); !slices.Equal(got, test.want) {
			t.Errorf("DivisionsOf(%q) = %+v, want %+v", test.code, got, test.want)
		}
	}
}

func TestDivisionInForce(t *testing.T) {
	tests := []struct {
		division Division
		year     int
		want     bool
	}{
		{Division{From: 1983, To: 1993}, 1982, false},
		{Division{From: 1983, To: 1993}, 1983, true},
		{Division{From: 1983, To: 1993}, 1992, true},
		{Division{From: 1983, To: 1993}, 1993, false},
		{Division{From: 1981}, 1890, true},
		{Division{To: 1982}, 1950, true},
		{Division{From: 1997}, 2026, true},
	}
	for _, test := range tests {
		if got := test.division.InForce(test.year); got != test.want {
			t.Errorf("%+v in force in %d: got %v, want %v", test.division, test.year, got, test.want)
		}
	}
}

// TestDivisionNameAtBirth: a person's place is named as it was then.
func TestDivisionNameAtBirth(t *testing.T) {
	compare(t, "1990", CheckID(withCheck("13050219900101001"), "", today).DivisionName, "河北省邢台市桥东区")
	compare(t, "2021", CheckID(withCheck("13050220210101001"), "", today).DivisionName, "河北省邢台市襄都区")
}

func TestPlaceNames(t *testing.T) {
	names := PlaceNames()
	for name, want := range map[string]bool{
		"白云区": true, "双流县": true, "漯河市": true, "云南省": true, "北京市": true, "东城区": true, "广东省广州市白云区": false, "秋山区": false,
	} {
		if names[name] != want {
			t.Errorf("%s: got %v, want %v", name, names[name], want)
		}
	}
	if len(names) < 3000 {
		t.Errorf("got %d names", len(names))
	}
}
