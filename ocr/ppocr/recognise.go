package ppocr

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"math"
	"slices"
	"sync"

	ort "github.com/yalue/onnxruntime_go"
	"gocv.io/x/gocv"

	"github.com/heyan/heyan/internal/mat"
	"github.com/heyan/heyan/ocr"
)

const (
	// tallRatio is the height over width from which a quad holds sideways
	// text; it is turned a quarter before reading, as PP-OCR does.
	tallRatio = 1.5
	// maxLineWidthPx bounds the recogniser's input: 3200 px at a height of 48
	// is 66 em, more than any printed line.
	maxLineWidthPx = 3200
	// minLineWidthPx keeps the recogniser's deepest layer a few steps wide.
	minLineWidthPx = 64
	// maxQuadPx bounds the sides of a quad worth reading, in pixels of the
	// picture: more than the largest picture that is taken in.
	maxQuadPx = 20000
	// widthMultiple rounds input widths so that shapes repeat.
	widthMultiple = 16
	// alternatives kept of a character, and the least probability worth it.
	maxAlternatives = 5
	minAlternative  = 0.001
)

// Recognise reads the lines, Options.Parallel at a time.
func (e *Engine) Recognise(ctx context.Context, picture *image.NRGBA, quads []ocr.Quad) ([]ocr.Line, error) {
	source, err := mat.View(picture)
	if err != nil {
		return nil, err
	}
	defer source.Close()
	lines := make([]ocr.Line, len(quads))
	errs := make([]error, len(quads))
	// Longest first, so that no long line is left for the end of one core.
	order := make([]int, len(quads))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(quads[b].Width(), quads[a].Width()) })
	next := make(chan int)
	var readers sync.WaitGroup
	for range min(e.parallel, len(quads)) {
		readers.Add(1)
		go func() {
			defer readers.Done()
			for i := range next {
				lines[i], errs[i] = e.line(ctx, source, quads[i])
			}
		}()
	}
	for _, i := range order {
		next <- i
	}
	close(next)
	readers.Wait()
	if err := cmp.Or(errs...); err != nil {
		return nil, err
	}
	return lines, nil
}

func (e *Engine) line(ctx context.Context, source gocv.Mat, quad ocr.Quad) (ocr.Line, error) {
	line := ocr.Line{Quad: quad, Engine: e.name}
	if err := ctx.Err(); err != nil {
		return line, err
	}
	crop := quad
	if crop.Height() > tallRatio*crop.Width() {
		crop = ocr.Quad{crop[1], crop[2], crop[3], crop[0]} // its right side becomes its top
	}
	thick := crop.Height()
	if !(thick >= 1 && crop.Width() >= 1 && thick <= maxQuadPx && crop.Width() <= maxQuadPx) { // not a number either
		return line, nil
	}
	pad := e.recogniser.PadEndsEm * thick / crop.Width()
	padded := crop.Slice(-pad, 1+pad)
	w := float64(e.recogniser.HeightPx) * padded.Width() / thick
	width := min(int(math.Ceil(math.Max(w, minLineWidthPx)/widthMultiple))*widthMultiple, maxLineWidthPx)
	textWidth := min(int(math.Ceil(w)), width)

	height, steps := int64(e.recogniser.HeightPx), width/e.stepPx
	input := e.inputs.get(3 * e.recogniser.HeightPx * width)
	defer e.inputs.put(input)
	if err := e.fill(input, source, padded, textWidth, width); err != nil {
		return line, err
	}
	answer := e.outputs.get(steps * len(e.classes))
	defer e.outputs.put(answer)
	err := run(e.rec, ort.NewShape(1, 3, height, int64(width)), input, ort.NewShape(1, int64(steps), int64(len(e.classes))), answer)
	if err != nil {
		return line, err
	}
	line.Characters = e.decode(answer, steps, float64(width)/float64(textWidth))
	for i := range line.Characters { // from the padded crop to the quad
		c := &line.Characters[i]
		c.Center = min(max(c.Center*(1+2*pad)-pad, 0), 1)
	}
	line.Text = ocr.Join(line.Characters)
	line.Confidence = ocr.Mean(line.Characters)
	return line, nil
}

// fill makes input the crop as planes B, G, R in -1..1, zero right of the text.
func (e *Engine) fill(input []float32, source gocv.Mat, quad ocr.Quad, textWidth, width int) error {
	height := e.recogniser.HeightPx
	crop, err := mat.Crop(source, quad, textWidth, height)
	if err != nil {
		return err
	}
	defer crop.Close()
	pixels, err := crop.DataPtrUint8()
	if err != nil {
		return fmt.Errorf("ppocr: %w", err)
	}
	for channel := range 3 {
		plane := input[channel*height*width:]
		for y := range height {
			row := pixels[4*y*textWidth:]
			out := plane[y*width : (y+1)*width]
			for x := range textWidth {
				out[x] = float32(row[4*x+2-channel])*(2.0/255) - 1
			}
			clear(out[textWidth:])
		}
	}
	return nil
}

// decode collapses the class probabilities of each time step into characters.
// stretch is the input's width over the text's.
func (e *Engine) decode(out []float32, steps int, stretch float64) []ocr.Character {
	n := len(e.classes)
	var characters []ocr.Character
	last, peak := 0, float32(0)
	for t := range steps {
		row := out[t*n : (t+1)*n]
		best, highest := 0, row[0]
		for class, p := range row {
			if p > highest {
				best, highest = class, p
			}
		}
		higher := best != last || highest > peak
		if best != 0 && higher {
			c := ocr.Character{
				Text:         e.classes[best],
				Confidence:   e.confidence(row, best),
				Alternatives: e.alternatives(row, best),
				Center:       (float64(t) + 0.5) / float64(steps) * stretch,
			}
			if best == last {
				characters[len(characters)-1] = c
			} else {
				characters = append(characters, c)
			}
		}
		if higher {
			peak = highest
		}
		last = best
	}
	return characters
}

// confidence of a class is that of both widths of its sign: a bracket is the
// same bracket.
func (e *Engine) confidence(row []float32, class int) float64 {
	p := row[class]
	if other := e.otherWidth[class]; other != 0 {
		p += row[other]
	}
	return min(float64(p), 1)
}

// alternatives are the next best classes of a time step.
func (e *Engine) alternatives(row []float32, best int) []ocr.Alternative {
	var found []ocr.Alternative
	for class := 1; class < len(row); class++ {
		if class != best && class != e.otherWidth[best] && row[class] >= minAlternative {
			found = append(found, ocr.Alternative{Text: e.classes[class], Confidence: float64(row[class])})
		}
	}
	slices.SortFunc(found, func(a, b ocr.Alternative) int { return cmp.Compare(b.Confidence, a.Confidence) })
	return found[:min(len(found), maxAlternatives)]
}
