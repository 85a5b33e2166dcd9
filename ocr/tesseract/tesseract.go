// Package tesseract reads text with Tesseract's LSTM models through gosseract: as
// a full engine where the main models are absent, and as an independent
// second reader of the code line. It knows Tesseract's settings and traps. It
// must not know what the text means.
package tesseract

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/disintegration/imaging"
	"github.com/otiai10/gosseract/v2"

	"github.com/heyan/heyan/ocr"
)

// CodeAlphabet is the 31 characters of a unified social credit code (GB 32100-2015).
const CodeAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"

// Page segmentation modes of Tesseract.
const (
	sparseText = "11" // as much text as possible in no order: tables and forms
	singleLine = "7"
)

const (
	lineHeight   = 48   // px: crops are brought to this height; Tesseract's best is 30 px capitals
	linePadding  = 12   // px: what is seen beyond the ends of the line, and paper above and below
	maxLineWidth = 4096 // px: bounds the work for a hostile box
	minContrast  = 8    // levels between paper and ink
	maxSamples   = 8    // a side of a pixel, likewise

	detectSide    = 2400 // px: the long side of the picture that layout analysis sees
	minLineHeight = 6    // px of the picture seen: smaller boxes are specks
	minConfidence = 20   // percent: layout analysis takes ornaments for words below
)

// MissingLanguageError says that Tesseract has no data for a language. A retry
// cannot help before the package is installed.
type MissingLanguageError struct {
	Language string
}

func (e *MissingLanguageError) Error() string {
	return fmt.Sprintf("tesseract: no data for language %q: install the Debian package tesseract-ocr-%s",
		e.Language, strings.ReplaceAll(e.Language, "_", "-"))
}

// ErrClosed is returned by a reader after Close.
var ErrClosed = errors.New("tesseract: reader is closed")

// reader recognises with one set of languages and characters.
type reader struct {
	name      string
	languages []string
	whitelist string

	mu     sync.Mutex
	idle   []*gosseract.Client
	closed bool
}

// Engine finds and reads lines in Chinese and Latin script. It is safe for
// concurrent use: each call takes a client of its own from a pool.
type Engine struct{ reader }

// CodeReader reads lines that hold nothing but the characters of CodeAlphabet.
type CodeReader struct{ reader }

var (
	_ ocr.Engine     = (*Engine)(nil)
	_ ocr.Recogniser = (*CodeReader)(nil)
)

// New prepares an engine for chi_sim and eng. The error is a
// *MissingLanguageError where data are not installed.
func New() (*Engine, error) {
	e := &Engine{reader{name: "tesseract", languages: []string{"chi_sim", "eng"}}}
	return e, e.open()
}

// NewCodeReader prepares a reader of codes with eng. The error is a
// *MissingLanguageError where data are not installed.
func NewCodeReader() (*CodeReader, error) {
	r := &CodeReader{reader{name: "tesseract-code", languages: []string{"eng"}, whitelist: CodeAlphabet}}
	return r, r.open()
}

// Version is the version of the Tesseract library: "5.3.0".
func Version() string { return gosseract.Version() }

// native guards what Tesseract does for the whole process: initialising turns
// standard error away for a moment, and finding the data directory uses a
// static object.
var native sync.Mutex

// oneThread keeps Tesseract from starting OpenMP threads that spin: callers
// run lines side by side. It must be set before the first client exists.
var oneThread = sync.OnceValue(func() error { return os.Setenv("OMP_THREAD_LIMIT", "1") })

// open checks the languages and warms one client up.
func (r *reader) open() error {
	native.Lock()
	installed, err := gosseract.GetAvailableLanguages()
	native.Unlock()
	if err != nil {
		return fmt.Errorf("tesseract: list languages: %w", err)
	}
	for _, l := range r.languages {
		if !slices.Contains(installed, l) {
			return &MissingLanguageError{Language: l}
		}
	}
	r.name += "/" + Version()
	client, err := r.take()
	if err != nil {
		return err
	}
	r.give(client)
	return nil
}

// Name is the engine and Tesseract's version: "tesseract/5.3.0".
func (r *reader) Name() string { return r.name }

// Close frees the clients; those in use are freed when their call ends.
func (r *reader) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	var errs []error
	for _, c := range r.idle {
		errs = append(errs, c.Close())
	}
	r.idle = nil
	return errors.Join(errs...)
}

func (r *reader) take() (*gosseract.Client, error) {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return nil, ErrClosed
	}
	if n := len(r.idle); n > 0 {
		client := r.idle[n-1]
		r.idle = r.idle[:n-1]
		r.mu.Unlock()
		return client, nil
	}
	r.mu.Unlock()
	return r.newClient()
}

func (r *reader) give(client *gosseract.Client) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		client.Close()
		return
	}
	r.idle = append(r.idle, client)
}

// newClient initialises a client by reading a blank line: gosseract
// initialises at the first reading only.
func (r *reader) newClient() (*gosseract.Client, error) {
	if err := oneThread(); err != nil {
		return nil, fmt.Errorf("tesseract: limit threads: %w", err)
	}
	native.Lock()
	defer native.Unlock()
	client := gosseract.NewClient()
	settings := map[gosseract.SettableVariable]string{
		// The mode goes in as a variable: SetPageSegMode before the first reading is lost.
		"tessedit_pageseg_mode":           singleLine,
		gosseract.DEBUG_FILE:              os.DevNull,
		gosseract.TESSEDIT_CHAR_WHITELIST: r.whitelist,
	}
	err := client.SetLanguage(r.languages...)
	for k, v := range settings {
		err = errors.Join(err, client.SetVariable(k, v))
	}
	if err == nil {
		_, err = symbols(client, image.NewGray(image.Rect(0, 0, lineHeight, lineHeight)), gosseract.RIL_SYMBOL)
	}
	if err != nil {
		client.Close()
		return nil, fmt.Errorf("tesseract: initialise %s: %w", strings.Join(r.languages, "+"), err)
	}
	return client, nil
}

// Detect finds lines by layout analysis. Boxes are upright; lines of a turned
// picture are not found.
func (e *Engine) Detect(ctx context.Context, picture *image.NRGBA) ([]ocr.Quad, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if picture.Bounds().Empty() {
		return nil, nil
	}
	client, err := e.take()
	if err != nil {
		return nil, err
	}
	defer e.give(client)
	if err := client.SetVariable("tessedit_pageseg_mode", sparseText); err != nil {
		return nil, err
	}
	seen, scale := picture, 1.0
	if long := max(picture.Bounds().Dx(), picture.Bounds().Dy()); long > detectSide {
		scale = detectSide / float64(long)
		seen = imaging.Fit(picture, detectSide, detectSide, imaging.Box)
	}
	boxes, err := symbols(client, gray(seen), gosseract.RIL_TEXTLINE)
	if err := errors.Join(err, client.SetVariable("tessedit_pageseg_mode", singleLine)); err != nil {
		return nil, fmt.Errorf("tesseract: find lines: %w", err)
	}
	var quads []ocr.Quad
	for _, b := range boxes {
		if b.Confidence < minConfidence || b.Box.Dy() < minLineHeight || strings.TrimSpace(b.Word) == "" {
			continue
		}
		x0, y0 := float64(b.Box.Min.X)/scale, float64(b.Box.Min.Y)/scale
		x1, y1 := float64(b.Box.Max.X)/scale, float64(b.Box.Max.Y)/scale
		quads = append(quads, ocr.Quad{{X: x0, Y: y0}, {X: x1, Y: y0}, {X: x1, Y: y1}, {X: x0, Y: y1}})
	}
	return quads, nil
}

// Recognise reads the quads one by one and stops between two lines when ctx
// ends. Confidences are Tesseract's own: near 1 for nearly everything.
func (r *reader) Recognise(ctx context.Context, picture *image.NRGBA, quads []ocr.Quad) ([]ocr.Line, error) {
	client, err := r.take()
	if err != nil {
		return nil, err
	}
	defer r.give(client)
	lines := make([]ocr.Line, len(quads))
	for i, q := range quads {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		lines[i] = ocr.Line{Quad: q, Engine: r.name}
		line := crop(picture, q)
		if line == nil {
			continue
		}
		boxes, err := symbols(client, line, gosseract.RIL_SYMBOL)
		if err != nil {
			return nil, fmt.Errorf("tesseract: read a line: %w", err)
		}
		lines[i].Characters = characters(boxes, line.Bounds())
		lines[i].Text = ocr.Join(lines[i].Characters)
		lines[i].Confidence = ocr.Mean(lines[i].Characters)
	}
	return lines, nil
}

// characters are the symbols with their places along the crop without its padding.
func characters(boxes []gosseract.BoundingBox, crop image.Rectangle) []ocr.Character {
	const pad = linePadding
	width := float64(crop.Dx()) - 2*pad
	var out []ocr.Character
	for _, b := range boxes {
		text := strings.TrimSpace(b.Word)
		if text == "" {
			continue
		}
		middle := float64(b.Box.Min.X+b.Box.Max.X) / 2
		out = append(out, ocr.Character{
			Text:       text,
			Confidence: min(max(b.Confidence/100, 0), 1),
			Center:     min(max((middle-pad)/width, 0), 1),
		})
	}
	return out
}

// symbols runs Tesseract over the picture.
func symbols(client *gosseract.Client, picture *image.Gray, level gosseract.PageIteratorLevel) ([]gosseract.BoundingBox, error) {
	var file bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.NoCompression}
	if err := encoder.Encode(&file, picture); err != nil {
		return nil, err
	}
	if err := client.SetImageFromBytes(file.Bytes()); err != nil {
		return nil, err
	}
	return client.GetBoundingBoxes(level)
}
