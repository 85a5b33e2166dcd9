package worker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/storage/objects"
	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/worker/engine"
)

// The views of a picture, see engine.Views.
const (
	ViewPhoto   = "photo"
	ViewPreview = "preview"
	ViewPage    = "page"
)

const (
	// views is followed by the view, and the id of the verification.
	views = "views/"
	// viewGeometry is stored last: where it is, the others are.
	viewGeometry = "geometry"
	maxGeometry  = 4 << 10 // bytes

	// viewTimeout is for one making in the engine, some 60 times what a photo of
	// 12 megapixels takes (BenchmarkViews). With starts of the engine and a reading
	// before it, it fits into taskTimeout.
	viewTimeout = 20 * time.Second
	// onDemandTimeout is for a making that somebody waits for: it may wait for a
	// free child, and for that child's start.
	onDemandTimeout = time.Minute
)

// viewKinds are all that is stored of the views of a picture.
var viewKinds = []string{ViewPhoto, ViewPreview, ViewPage, viewGeometry}

// ErrNoView: there is no such view, and none can be made. The picture is gone,
// has no verdict yet or cannot be used, no sheet was found on it, or there is no
// engine here.
var ErrNoView = errors.New("there is no such view")

// ViewEngine makes views. The real one is *engine.Pool.
type ViewEngine interface {
	// Views has the errors of Engine.Verify.
	Views(ctx context.Context, req engine.ViewRequest) (engine.Views, error)
}

// Views keeps what a browser can show of pictures, beside the pictures. Its
// methods may be called at the same time. Do not copy it after first use.
type Views struct {
	Objects *objects.Store
	Engine  ViewEngine   // nil: what is not stored is not made
	Logger  *slog.Logger // default slog.Default()

	making singleflight.Group // on demand, by verification
}

func viewKey(view, id string) string { return views + view + "/" + id }

// Make makes the views of a picture with that report and stores them; again, it
// changes nothing. Errors: ErrNoView when the picture was deleted meanwhile,
// those of the engine and of the object store.
func (v *Views) Make(ctx context.Context, verification records.Verification, picture []byte, rep report.Report) error {
	_, err := v.make(ctx, verification, picture, rep)
	return err
}

func (v *Views) make(ctx context.Context, verification records.Verification, picture []byte, rep report.Report) (engine.Geometry, error) {
	made, err := v.Engine.Views(ctx, engine.ViewRequest{Picture: picture, Quad: rep.Document.Quad, Timeout: viewTimeout})
	if err != nil {
		return engine.Geometry{}, err
	}
	geometry, err := json.Marshal(made.Geometry)
	if err != nil {
		return engine.Geometry{}, err
	}
	for _, o := range []struct {
		view, contentType string
		body              []byte
	}{
		{ViewPhoto, "image/jpeg", made.Photo},
		{ViewPreview, "image/jpeg", made.Preview},
		{ViewPage, "image/jpeg", made.Page},
		{viewGeometry, "application/json", geometry},
	} {
		if o.body == nil {
			continue
		}
		if err := v.Objects.Put(ctx, viewKey(o.view, verification.ID), bytes.NewReader(o.body), int64(len(o.body)), o.contentType); err != nil {
			return engine.Geometry{}, err
		}
	}
	// Whoever deletes takes the picture first: what was stored after its views
	// were deleted finds no picture here.
	if _, err := v.Objects.Stat(ctx, verification.ObjectKey); errors.Is(err, objects.ErrNotFound) {
		return engine.Geometry{}, errors.Join(ErrNoView, deleteViews(ctx, v.Objects, verification.ID))
	} else if err != nil {
		return engine.Geometry{}, err
	}
	return made.Geometry, nil
}

// Geometry is that of the views of a verification, with its report as
// records.Store.Get returns it. Views that are missing are made: it then takes
// as long as that. Errors: ErrNoView, those of the engine and of the object store.
func (v *Views) Geometry(ctx context.Context, verification records.Verification) (engine.Geometry, error) {
	if verification.Status != report.StatusCompleted || !verification.PictureGoneAt.IsZero() || !verification.ErasedAt.IsZero() {
		return engine.Geometry{}, ErrNoView
	}
	stored, err := v.geometry(ctx, verification.ID)
	if !errors.Is(err, objects.ErrNotFound) {
		return stored, err
	}
	if v.Engine == nil {
		return engine.Geometry{}, ErrNoView
	}
	// A page asks for all of its pictures at once. Who does not wait any longer
	// leaves the making to the others, and to those who come back.
	made := v.making.DoChan(verification.ID, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), onDemandTimeout)
		defer cancel()
		g, err := v.makeStored(ctx, verification)
		if err != nil {
			v.logger().Warn("views not made", "verification", verification.ID, "error", err)
		}
		return g, err
	})
	select {
	case <-ctx.Done():
		return engine.Geometry{}, ctx.Err()
	case result := <-made:
		g, _ := result.Val.(engine.Geometry)
		return g, result.Err
	}
}

// geometry is the stored one.
func (v *Views) geometry(ctx context.Context, id string) (g engine.Geometry, err error) {
	body, _, err := v.Objects.Get(ctx, viewKey(viewGeometry, id), maxGeometry)
	if err != nil {
		return g, err
	}
	defer body.Close()
	return g, json.NewDecoder(body).Decode(&g)
}

// makeStored makes the views of a picture that is stored.
func (v *Views) makeStored(ctx context.Context, verification records.Verification) (engine.Geometry, error) {
	picture, err := readPicture(ctx, v.Objects, verification.ObjectKey)
	if gone(err) {
		err = fmt.Errorf("%w: %w", ErrNoView, err)
	}
	if err != nil {
		return engine.Geometry{}, err
	}
	var rep report.Report // without it there is no page
	if verification.Report != nil {
		rep = *verification.Report
	}
	g, err := v.make(ctx, verification, picture, rep)
	if remote, ok := errors.AsType[*engine.RemoteError](err); ok && !remote.Retryable() {
		err = fmt.Errorf("%w: %w", ErrNoView, err)
	}
	return g, err
}

// Open opens a view, which the caller closes. Like Geometry it makes what is
// missing, and it has the same errors.
func (v *Views) Open(ctx context.Context, verification records.Verification, view string) (io.ReadCloser, objects.Info, error) {
	if !verification.PictureGoneAt.IsZero() || !verification.ErasedAt.IsZero() {
		return nil, objects.Info{}, ErrNoView
	}
	body, info, err := v.Objects.Get(ctx, viewKey(view, verification.ID), engine.MaxPicture)
	if !errors.Is(err, objects.ErrNotFound) {
		return body, info, err
	}
	if _, err := v.Geometry(ctx, verification); err != nil {
		return nil, objects.Info{}, err
	}
	body, info, err = v.Objects.Get(ctx, viewKey(view, verification.ID), engine.MaxPicture)
	if errors.Is(err, objects.ErrNotFound) {
		err = ErrNoView // a page where no sheet was found
	}
	return body, info, err
}

func (v *Views) logger() *slog.Logger {
	if v.Logger == nil {
		return slog.Default()
	}
	return v.Logger
}

// DeletePicture deletes the picture of a verification and its views. What is not
// there is no error.
func DeletePicture(ctx context.Context, store *objects.Store, id, key string) error {
	// A key that no object can have has none.
	if err := store.Delete(ctx, key); err != nil && !errors.Is(err, objects.ErrInvalidKey) {
		return err
	}
	return deleteViews(ctx, store, id)
}

// deleteViews leaves none behind that it cannot.
func deleteViews(ctx context.Context, store *objects.Store, id string) error {
	var errs []error
	for _, view := range viewKinds {
		errs = append(errs, store.Delete(ctx, viewKey(view, id)))
	}
	return errors.Join(errs...)
}
