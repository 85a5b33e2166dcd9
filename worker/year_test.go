package worker

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/heyan/heyan/pipeline/license"
	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/pipeline/verdict"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/worker/certify"
)

// How many organizations the simulated year has. make bench-organizations simulates
// 10,000 by the environment variable; of fewer each kind of life has its share too.
const (
	simulated    = 1000
	simulatedEnv = "HEYAN_SIMULATED_ORGANIZATIONS"
)

// trade are characters of different sounds and shapes.
var trade = strings.Split("安白超达恩方高海嘉康隆美宁鹏勤瑞盛泰文星雅卓宝春东福光恒金凯利明诺平启荣顺通旺祥", "")

// companyName is one of 12,800 names that nobody confuses.
func companyName(i int) string {
	industry := strings.Fields("科技 贸易 咨询 物流 教育 餐饮 建筑 广告")
	n := len(trade)
	return "样本市" + trade[i%n] + trade[i/n%n] + industry[i/n/n] + "有限公司"
}

// life is an organization's.
type life struct {
	id    string
	p     printed
	start int // the day of its first application
	kind  int
}

// year is the simulation with what it must hold: all it knows of organizations it
// takes from events, as a subscriber does.
type year struct {
	*town
	t         *testing.T
	day       int
	names     int // used so far
	seq       int64
	certified map[string]OrganizationEvent // by organization
	reminded  map[string]int               // days of the last reminder, by certification
	holds     map[string][2]string         // what an organization holds: keys of name and license
	holder    map[string]string            // organization by what it holds
	told      map[string]int               // events by type
	outcomes  map[string]int               // of what organizations do, by what and outcome
}

// submit counts what comes of it, and lets a person decide where one must.
func (y *year) submit(what string, want report.Outcome, organization string, p printed) {
	y.t.Helper()
	v := y.apply(y.t, organization, p, nil)
	y.outcomes[what+" "+string(v.Outcome)]++
	if v.Outcome != want {
		y.t.Fatalf("day %d, %s: %s %q, want %s", y.day, what, v.Outcome, reasons(v.Report), want)
	}
	if v.Outcome == report.OutcomeReview {
		y.decide(y.t, records.Decision{Case: v.ID, Kind: records.Reject, Reasons: []string{"name_confusable"}})
	}
}

func (y *year) end(organization, end string, state records.OrganizationState) {
	y.t.Helper()
	_, err := y.Records.EndCertification(y.t.Context(), records.DefaultTenant, organization, end, state,
		records.Entry{At: y.clock(), Actor: "system", Action: "certification." + end}, OrganizationEvent{Organization: organization}.Event("certification."+end, y.clock()))
	if err != nil {
		y.t.Fatalf("day %d: %v", y.day, err)
	}
}

func (y *year) newName() string {
	y.names++
	return companyName(y.names - 1)
}

// live does what an organization of its kind does on its day since the first.
func (y *year) live(l *life) {
	switch age := y.day - l.start; {
	case age == 0:
		y.submit("first", report.OutcomePass, l.id, l.p)
	case l.kind == 4 && age == 320: // renews on a reminder
		l.p.Take++
		y.submit("renewal", report.OutcomePass, l.id, l.p)
	case l.kind == 5 && age == 100: // its picture is lost: nothing can be verified again
		o := y.organization(y.t, l.id)
		if err := y.Objects.Delete(y.t.Context(), pictures+o.Verification); err != nil {
			y.t.Fatal(err)
		}
	case l.kind == 5 && age == 380:
		l.p.Take++
		y.submit("late renewal", report.OutcomePass, l.id, l.p)
	case l.kind == 6 && age == 150: // dissolved
		if err := y.Records.Dissolve(y.t.Context(), records.DefaultTenant, l.id, records.Entry{At: y.clock(), Actor: "system", Action: "organization.dissolved"}); err == nil {
			y.t.Errorf("day %d: dissolved while certified", y.day)
		}
		y.end(l.id, records.EndCancelled, records.Cancelled)
		if err := y.Records.Dissolve(y.t.Context(), records.DefaultTenant, l.id, records.Entry{At: y.clock(), Actor: "system", Action: "organization.dissolved"}); err != nil {
			y.t.Error(err)
		}
	case l.kind == 6 && age == 160: // and its name is free
		y.submit("heir", report.OutcomePass, "heir-"+l.id, y.company(l.p.Name))
	case l.kind == 7 && age == 120: // renamed
		old := l.p.Name
		l.p.Name = y.newName()
		l.p.Take++
		y.submit("renaming", report.OutcomePass, l.id, l.p)
		y.submit("the old name", report.OutcomePass, "old-"+l.id, y.company(old))
	case l.kind == 8 && age == 60: // copied
		y.submit("the same name", report.OutcomeFail, "name-"+l.id, y.company(l.p.Name))
		copied := l.p
		y.submit("the same photo", report.OutcomeFail, "photo-"+l.id, copied)
		copied.Name, copied.Take = y.newName(), 1
		y.submit("the same license", report.OutcomeReview, "license-"+l.id, copied)
		y.submit("a look-alike", report.OutcomeReview, "alike-"+l.id, y.company(strings.Replace(l.p.Name, "有限公司", "有限责任公司", 1)))
	case l.kind == 9 && age == 200:
		y.end(l.id, records.EndRevoked, records.Revoked)
	case l.kind == 9 && age == 210:
		l.p.Take++
		y.submit("after a revocation", report.OutcomePass, l.id, l.p)
	}
}

// listen takes in the events since it listened last.
func (y *year) listen() {
	for {
		page, err := y.Records.Events(y.t.Context(), records.DefaultTenant, y.seq, records.MaxPage)
		if err != nil {
			y.t.Fatal(err)
		}
		for _, e := range page {
			y.seq = e.Seq
			if strings.HasPrefix(e.Type, "certification.") {
				y.hear(e)
			}
		}
		if len(page) < records.MaxPage {
			return
		}
	}
}

func (y *year) hear(e records.Event) {
	var about OrganizationEvent
	if err := json.Unmarshal(e.Payload, &about); err != nil || about.Organization != e.Subject {
		y.t.Fatalf("%s of %s: %s, %v", e.Type, e.Subject, e.Payload, err)
	}
	y.told[e.Type]++
	present, has := y.certified[e.Subject]
	if has != (e.Type != EventGranted) {
		y.t.Errorf("day %d: %s is told %s, certified before: %v", y.day, e.Subject, e.Type, has)
	}
	switch e.Type {
	case EventGranted, EventRenewed:
		y.certified[e.Subject] = about
		y.hold(e.Subject)
	case EventExpiring:
		last := y.reminded[about.Certification]
		if about.Certification != present.Certification || last != 0 && about.Days >= last {
			y.t.Errorf("day %d: %s is reminded of %d days of %s, after %d", y.day, e.Subject, about.Days, about.Certification, last)
		}
		y.reminded[about.Certification] = about.Days
	case EventExpired:
		if y.clock().Before(certify.End(*present.ValidUntil)) {
			y.t.Errorf("day %d: %s has expired before %v", y.day, e.Subject, present.ValidUntil)
		}
		fallthrough
	case EventRevoked, EventCancelled:
		delete(y.certified, e.Subject)
		y.free(e.Subject)
	}
}

// hold checks that nobody else holds what a certification rests on.
func (y *year) hold(organization string) {
	y.free(organization)
	o := y.organization(y.t, organization)
	if o.Certification != y.certified[organization].Certification {
		return // another event follows
	}
	held := [2]string{"name " + license.NameKeys(o.Name)[0].Key, "license " + o.USCC}
	for _, key := range held {
		if other := y.holder[key]; other != "" {
			y.t.Errorf("day %d: %s and %s are certified with the same %s", y.day, other, organization, key)
		}
		y.holder[key] = organization
	}
	y.holds[organization] = held
}

func (y *year) free(organization string) {
	for _, key := range y.holds[organization] {
		delete(y.holder, key)
	}
	delete(y.holds, organization)
}

// invariants are what every day ends with.
func (y *year) invariants() {
	now := y.clock()
	for id, c := range y.certified {
		left := certify.End(*c.ValidUntil).Sub(now)
		if left <= 0 {
			y.t.Errorf("day %d: %s is certified, until %v", y.day, id, c.ValidUntil)
		}
		for _, days := range y.Terms["dingtalk"].Policy.ReminderDays {
			if due := left <= time.Duration(days+1)*day; due && (y.reminded[c.Certification] == 0 || y.reminded[c.Certification] > days) {
				y.t.Errorf("day %d: %s was not reminded of %d days", y.day, id, days)
			}
		}
	}
}

// rows compares what was told with what is recorded.
func (y *year) rows() {
	seen := map[string]bool{}
	for after := ""; ; {
		page, err := y.Records.Organizations(y.t.Context(), records.DefaultTenant, records.OrganizationQuery{After: after})
		if err != nil {
			y.t.Fatal(err)
		}
		for _, o := range page.Organizations {
			c, certified := y.certified[o.ID]
			if entitled := Standing(o).Entitled(y.clock()); entitled != certified || o.Certification != c.Certification {
				y.t.Errorf("day %d: %s is %s until %v, told %+v", y.day, o.ID, o.State, o.ValidUntil, c)
			}
			seen[o.ID] = true
		}
		if after = page.Next; after == "" {
			break
		}
	}
	for id := range y.certified {
		if !seen[id] {
			y.t.Errorf("%s is certified and nowhere", id)
		}
	}
}

// TestYear: organizations certify, renew in time or late or by themselves, expire,
// dissolve, are renamed, revoked and copied, for fourteen months.
func TestYear(t *testing.T) {
	organizations := simulated
	if n, err := strconv.Atoi(os.Getenv(simulatedEnv)); err == nil {
		organizations = n
	}
	if memory := "/dev/shm"; os.MkdirAll(memory, 0o755) == nil { // most of the time is spent waiting for disks
		t.Setenv("TMPDIR", memory)
	}
	const days, comers, every = 425, 30, 60 // comers: the days in which all apply first
	y := &year{town: newTown(t, func(p *verdict.Policy) { p.Reverification.ADay = max(1, organizations/20) }), t: t, certified: map[string]OrganizationEvent{},
		reminded: map[string]int{}, holds: map[string][2]string{}, holder: map[string]string{}, told: map[string]int{}, outcomes: map[string]int{}}
	lives := make([]*life, organizations)
	for i := range lives {
		lives[i] = &life{id: fmt.Sprint("org-", i), p: y.company(y.newName()), start: y.random.IntN(comers), kind: i % 10}
		if lives[i].kind == 0 { // its license ends with the year
			lives[i].p.Term = "2020-01-15/2027-03-10"
		}
	}
	first := y.clock()
	for y.day = range days {
		y.patrolAt(t, first.AddDate(0, 0, y.day))
		for _, v := range y.again(t) {
			y.outcomes["again "+string(v.Outcome)]++
			if v.Outcome == report.OutcomeReview {
				kind := []records.DecisionKind{records.Approve, records.Reject}[y.random.IntN(2)]
				d := records.Decision{Case: v.ID, Kind: kind}
				if kind == records.Reject {
					d.Reasons = []string{"document_expired"}
				}
				y.decide(t, d)
			}
		}
		for _, l := range lives {
			y.live(l)
		}
		y.listen()
		y.invariants()
		if y.day%every == 0 || y.day == days-1 {
			y.rows()
		}
		if t.Failed() {
			return
		}
	}
	t.Logf("%d organizations: %v, %v", organizations, y.outcomes, y.told)
	for _, what := range []string{"first pass", "renewal pass", "late renewal pass", "heir pass", "renaming pass", "the old name pass", "the same name fail", "the same photo fail",
		"the same license review", "a look-alike review", "after a revocation pass", "again pass", "again review"} {
		if y.outcomes[what] < organizations/50 {
			t.Errorf("%s came %d times", what, y.outcomes[what])
		}
	}
	for _, event := range []string{EventGranted, EventRenewed, EventChanged, EventExpiring, EventExpired, EventRevoked, EventCancelled} {
		if y.told[event] < organizations/50 {
			t.Errorf("%s was told %d times", event, y.told[event])
		}
	}
}
