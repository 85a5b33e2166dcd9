package worker

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/worker/engine"
)

// viewer is an engine whose views a test answers.
type viewer struct {
	fakeEngine
	views func(ctx context.Context, req engine.ViewRequest) (engine.Views, error)
}

func (e viewer) Views(ctx context.Context, req engine.ViewRequest) (engine.Views, error) {
	return e.views(ctx, req)
}

var sheet = report.Polygon{{0, 0}, {4000, 0}, {4000, 3000}, {0, 3000}}

// reviewed is the report of a picture that a person must see.
func reviewed(id string) report.Report {
	return report.Report{ID: id, Outcome: report.OutcomeReview, Document: report.Document{Quad: sheet}}
}

// flagged is a verification that waits for a person, with a picture of its own and
// no views.
func (r *rig) flagged(t *testing.T, rep func(id string) report.Report) records.Verification {
	t.Helper()
	v := r.record(t, Standard)
	v.ObjectKey = pictures + v.ID
	r.put(t, v.ObjectKey, "photo")
	if _, _, err := r.Records.Create(t.Context(), v, "", nil); err != nil {
		t.Fatal(err)
	}
	if err := r.Records.Complete(t.Context(), v.ID, rep(v.ID), r.completion(v, judgment{})); err != nil {
		t.Fatal(err)
	}
	return r.get(t, v.ID)
}

// stored are the views of a verification that are there.
func (r *rig) stored(t *testing.T, id string) (kinds []string) {
	t.Helper()
	for _, view := range viewKinds {
		if r.has(t, viewKey(view, id)) {
			kinds = append(kinds, view)
		}
	}
	return kinds
}

// A picture that needs a person has its views before its verdict, which does not
// pay for what befalls them.
func TestViewsBeforeTheVerdict(t *testing.T) {
	for name, tt := range map[string]struct {
		report func(id string) report.Report
		err    error // of the views
		want   []string
		deaths float64
	}{
		"review":                  {reviewed, nil, viewKinds, 0},
		"review, a child dies":    {reviewed, &engine.DeathError{Cause: engine.CauseCrash}, nil, 1},
		"review, no child starts": {reviewed, &engine.StartError{Err: errors.New("no such file")}, nil, 0},
		"pass":                    {passes, nil, nil, 0},
	} {
		var r *rig
		var v records.Verification
		r = newRig(t, "", viewer{
			fakeEngine{1, func(_ context.Context, id string) (report.Report, error) { return tt.report(id), nil }},
			func(ctx context.Context, req engine.ViewRequest) (engine.Views, error) {
				if got := r.get(t, v.ID); got.Status == report.StatusCompleted {
					t.Errorf("%s: the verdict came first", name)
				}
				made, _ := fakeEngine{}.Views(ctx, req)
				return made, tt.err
			},
		})
		r.setDefaults()
		v = r.submit(t, Standard)
		if _, err := r.handle(t.Context(), v.ID); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got := r.get(t, v.ID)
		if got.Outcome != tt.report(v.ID).Outcome || got.Attempts != 1 || !slices.Equal(r.stored(t, v.ID), tt.want) {
			t.Errorf("%s: outcome %s after %d attempts, views %v, want %v", name, got.Outcome, got.Attempts, r.stored(t, v.ID), tt.want)
		}
		if tt.deaths > 0 && r.gauge(t, "heyan_engine_deaths_total", string(engine.CauseCrash)) != tt.deaths {
			t.Errorf("%s: the death was not counted", name)
		}
	}
}

// What is missing is made once, however many ask for it at the same time.
func TestViewsOnDemand(t *testing.T) {
	var made atomic.Int32
	r := newRig(t, "", viewer{views: func(ctx context.Context, req engine.ViewRequest) (engine.Views, error) {
		made.Add(1)
		time.Sleep(50 * time.Millisecond) // the others come meanwhile
		return fakeEngine{}.Views(ctx, req)
	}})
	v := r.flagged(t, reviewed)
	views := &Views{Objects: r.Objects, Engine: r.Engine}
	var all sync.WaitGroup
	for range 3 {
		for view, want := range map[string]string{ViewPhoto: "upright photo", ViewPreview: "small", ViewPage: "flat"} {
			all.Go(func() {
				body, info, err := views.Open(t.Context(), v, view)
				if err != nil {
					t.Error(err)
					return
				}
				defer body.Close()
				got, err := io.ReadAll(body)
				if err != nil || string(got) != want || info.ContentType != "image/jpeg" || info.Size != int64(len(want)) {
					t.Errorf("%s: got %q, %+v, %v", view, got, info, err)
				}
			})
		}
		all.Go(func() {
			if g, err := views.Geometry(t.Context(), v); err != nil || g.Width != 4000 || g.PageWidth != 2400 {
				t.Errorf("got %+v, %v", g, err)
			}
		})
	}
	all.Wait()
	if n := made.Load(); n != 1 {
		t.Errorf("made %d times", n)
	}
	if g, err := (&Views{Objects: r.Objects}).Geometry(t.Context(), v); err != nil || g.Width != 4000 {
		t.Errorf("what is stored needs no engine: got %+v, %v", g, err)
	}
}

func TestNoView(t *testing.T) {
	var answer error
	r := newRig(t, "", viewer{views: func(ctx context.Context, req engine.ViewRequest) (engine.Views, error) {
		made, _ := fakeEngine{}.Views(ctx, req)
		return made, answer
	}})
	without := func(id string) report.Report { return report.Report{ID: id, Outcome: report.OutcomeReview} }
	full, plain := r.flagged(t, reviewed), r.flagged(t, without)
	views := &Views{Objects: r.Objects, Engine: r.Engine, Logger: r.Logger}
	for _, v := range []records.Verification{full, plain} {
		if _, err := views.Geometry(t.Context(), v); err != nil {
			t.Fatal(err)
		}
	}
	erased, expired, fresh, lost := full, full, r.flagged(t, reviewed), r.flagged(t, reviewed)
	erased.ErasedAt, expired.PictureGoneAt = r.clock(), r.clock()
	if err := r.Objects.Delete(t.Context(), lost.ObjectKey); err != nil {
		t.Fatal(err)
	}
	refused, died := &engine.RemoteError{Message: "file_unreadable"}, &engine.DeathError{Cause: engine.CauseMemory}
	for _, tt := range []struct {
		name   string
		v      records.Verification
		view   string
		views  *Views
		engine error
		want   error
	}{
		{"a page without a sheet", plain, ViewPage, views, nil, ErrNoView},
		{"erased", erased, ViewPhoto, views, nil, ErrNoView},
		{"past its time", expired, ViewPhoto, views, nil, ErrNoView},
		{"the picture is gone", lost, ViewPhoto, views, nil, ErrNoView},
		{"at work", r.submit(t, Standard), ViewPhoto, views, nil, ErrNoView},
		{"no engine", fresh, ViewPhoto, &Views{Objects: r.Objects}, nil, ErrNoView},
		{"refused", fresh, ViewPhoto, views, refused, ErrNoView},
		{"the child dies", fresh, ViewPhoto, views, died, died},
		{"the next child does not", fresh, ViewPhoto, views, nil, nil},
	} {
		answer = tt.engine
		body, _, err := tt.views.Open(t.Context(), tt.v, tt.view)
		if err == nil {
			body.Close()
		}
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, err, tt.want)
		}
	}
}

// Who does not wait any longer spoils nothing for the others.
func TestViewsGoOnWithoutTheFirst(t *testing.T) {
	begun, end := make(chan struct{}), make(chan struct{})
	r := newRig(t, "", viewer{views: func(ctx context.Context, req engine.ViewRequest) (engine.Views, error) {
		close(begun)
		<-end
		made, _ := fakeEngine{}.Views(ctx, req)
		return made, ctx.Err()
	}})
	v := r.flagged(t, reviewed)
	views := &Views{Objects: r.Objects, Engine: r.Engine}
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error)
	go func() { _, err := views.Geometry(ctx, v); first <- err }()
	<-begun
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("the first got %v", err)
	}
	second := make(chan error)
	go func() { _, err := views.Geometry(t.Context(), v); second <- err }()
	close(end)
	if err := <-second; err != nil {
		t.Errorf("the second got %v", err)
	}
}

// What is deleted while its views are made leaves none behind.
func TestViewsOfWhatIsDeletedMeanwhile(t *testing.T) {
	var r *rig
	var v records.Verification
	r = newRig(t, "", viewer{views: func(ctx context.Context, req engine.ViewRequest) (engine.Views, error) {
		made, _ := fakeEngine{}.Views(ctx, req)
		return made, DeletePicture(ctx, r.Objects, v.ID, v.ObjectKey)
	}})
	v = r.flagged(t, reviewed)
	err := (&Views{Objects: r.Objects, Engine: r.Engine}).Make(t.Context(), v, []byte("photo"), *v.Report)
	if stored := r.stored(t, v.ID); !errors.Is(err, ErrNoView) || len(stored) > 0 {
		t.Errorf("got %v, views %v", err, stored)
	}
}

func TestDeletePicture(t *testing.T) {
	r := newRig(t, "", fakeEngine{size: 1})
	v := r.flagged(t, reviewed)
	views := &Views{Objects: r.Objects, Engine: r.Engine}
	for range 2 { // again changes nothing
		if err := views.Make(t.Context(), v, []byte("photo"), *v.Report); err != nil {
			t.Fatal(err)
		}
	}
	if got := r.stored(t, v.ID); !slices.Equal(got, viewKinds) {
		t.Errorf("stored %v", got)
	}
	for _, key := range []string{v.ObjectKey, v.ObjectKey, "../no key"} {
		if err := DeletePicture(t.Context(), r.Objects, v.ID, key); err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
	if got := r.stored(t, v.ID); len(got) > 0 || r.has(t, v.ObjectKey) {
		t.Errorf("left: picture %v, views %v", r.has(t, v.ObjectKey), got)
	}
}

// BenchmarkOpenView serves what is stored of a photo of 12 megapixels; 20 ms is the
// most it may take.
func BenchmarkOpenView(b *testing.B) {
	r := newRig(b, "", fakeEngine{size: 1})
	v := records.Verification{ID: records.NewID()}
	views := &Views{Objects: r.Objects}
	for view, size := range map[string]int{ViewPreview: 150_000, ViewPage: 500_000, ViewPhoto: 2_000_000} {
		r.put(b, viewKey(view, v.ID), strings.Repeat("x", size))
		b.Run(view, func(b *testing.B) {
			for b.Loop() {
				body, _, err := views.Open(b.Context(), v, view)
				if err != nil {
					b.Fatal(err)
				}
				if n, err := io.Copy(io.Discard, body); err != nil || n != int64(size) {
					b.Fatal(n, err)
				}
				body.Close()
			}
		})
	}
}
