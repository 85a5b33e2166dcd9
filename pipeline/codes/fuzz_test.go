package codes

import "testing"

// seed adds the first column of a file of vectors.
func seed(f *testing.F, file, column string) {
	for _, row := range readRows(f, file) {
		f.Add(row[column])
	}
}

func FuzzNormalize(f *testing.F) {
	seed(f, "uscc.tsv", "code")
	f.Fuzz(func(t *testing.T, s string) {
		n := Normalize(s)
		if again := Normalize(n); again != n {
			t.Errorf("Normalize is not idempotent: %q, %q, %q", s, n, again)
		}
		folded := FoldUSCC(s)
		if again := FoldUSCC(folded); again != folded {
			t.Errorf("FoldUSCC is not idempotent: %q, %q, %q", s, folded, again)
		}
		if IsUSCC(n) && folded != n {
			t.Errorf("FoldUSCC changes the valid code %q to %q", n, folded)
		}
		if masked := Mask(n); len(n) == 18 && firstNonDigit(n) < 0 && masked != n[:6]+"********"+n[14:] {
			t.Errorf("Mask(%q) = %q", s, masked)
		}
	})
}

func FuzzCheckUSCC(f *testing.F) {
	seed(f, "uscc.tsv", "code")
	f.Fuzz(func(t *testing.T, s string) {
		r := stable(t, s, CheckUSCC)
		if len(s) <= maxInput && (r.Verdict == VerdictValid) != IsUSCC(Normalize(s)) {
			t.Errorf("CheckUSCC(%q) is %s, IsUSCC differs", s, r.Verdict)
		}
		for _, candidate := range RepairUSCC(s) {
			if !IsUSCC(candidate) || r.Verdict == VerdictValid {
				t.Errorf("RepairUSCC(%q) gives %q", s, candidate)
			}
		}
	})
}

func FuzzCheckRegistrationNumber(f *testing.F) {
	seed(f, "regno.tsv", "number")
	f.Fuzz(func(t *testing.T, s string) {
		stable(t, s, CheckRegistrationNumber)
	})
}

func FuzzCheckOrganizationCode(f *testing.F) {
	seed(f, "regno.tsv", "number")
	f.Fuzz(func(t *testing.T, s string) {
		stable(t, s, CheckOrganizationCode)
	})
}

func FuzzCheckID(f *testing.F) {
	for _, row := range readRows(f, "id.tsv") {
		f.Add(row["number"], row["kind"])
		f.Add(row["number"], "")
	}
	f.Fuzz(func(t *testing.T, s, kind string) {
		r := stable(t, s, func(s string) Result { return CheckID(s, Kind(kind), today) })
		if len(s) <= maxInput && r.Number != Mask(s) {
			t.Errorf("CheckID(%q) shows %q", s, r.Number)
		}
		if told := CheckID(s, r.Kind, today); kind == "" && told.Verdict != r.Verdict {
			t.Errorf("CheckID(%q): %s when told, %s when declared %s", s, r.Verdict, told.Verdict, r.Kind)
		}
	})
}

// stable holds what is true of every result: the normalized number has the same
// verdict, a broken rule is named, and there is a message.
func stable(t *testing.T, s string, check func(string) Result) Result {
	t.Helper()
	r := check(s)
	if n := Normalize(s); len(s) <= maxInput && len(n) <= maxInput {
		if again := check(n); r.Verdict != again.Verdict || r.Rule != again.Rule {
			t.Errorf("%q: %s %q, normalized %s %q", s, r.Verdict, r.Rule, again.Verdict, again.Rule)
		}
	}
	broken := r.Verdict != VerdictValid && r.Verdict != VerdictFormatValid && r.Verdict != VerdictLegacy13
	if broken != (r.Rule != "") || r.Message.ZH == "" || r.Message.EN == "" {
		t.Errorf("%q: %s %q %+v", s, r.Verdict, r.Rule, r.Message)
	}
	return r
}
