package console

import (
	"io"
	"net/http"
	"slices"
	"strconv"

	"github.com/heyan/heyan/storage/records"
	"github.com/heyan/heyan/worker"
)

// picture sends one of a case's pictures: JPEG that Heyan made itself, never the
// bytes that a stranger uploaded.
func (c *Console) picture(v *visit) error {
	id, view := v.r.PathValue("id"), v.r.PathValue("view")
	if !slices.Contains([]string{worker.ViewPhoto, worker.ViewPreview, worker.ViewPage}, view) {
		return records.ErrNotFound
	}
	record, err := c.Records.Get(v.r.Context(), v.tenant(), id)
	if err != nil {
		return err
	}
	if !record.PictureGoneAt.IsZero() || !record.ErasedAt.IsZero() {
		return records.ErrGone
	}
	body, info, err := c.Views.Open(v.r.Context(), record, view)
	if err != nil {
		return err
	}
	defer body.Close()
	if err := c.seen(v.r.Context(), v, id, view); err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Content-Type", "image/jpeg")
	h.Set("Content-Length", strconv.FormatInt(info.Size, 10))
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	v.w.WriteHeader(http.StatusOK)
	if _, err := io.Copy(v.w, body); err != nil {
		c.Logger.Warn("picture not sent to its end", "verification", id, "error", err)
	}
	return nil
}
