package pipeline

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/heyan/heyan/ocr"
	"github.com/heyan/heyan/ocr/qr"
	"github.com/heyan/heyan/pipeline/codes"
	"github.com/heyan/heyan/pipeline/license"
	"github.com/heyan/heyan/pipeline/page"
	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/pipeline/verdict"
	"github.com/heyan/heyan/quality"
)

// face is what was read on the page.
type face struct {
	license.Reading
	lines   []ocr.Line
	code    sighting
	decided verdict.CodeReading
	source  report.Source
}

// read reads every line quickly, then again and accurately those that decide,
// and the code by as many readers as it takes.
func (r *run) read(ctx context.Context, sheet page.Page, quads []ocr.Quad) (face, error) {
	width, height := sheet.Image.Rect.Dx(), sheet.Image.Rect.Dy()
	done := r.time("read_quickly")
	lines, err := r.Fast.Recognise(ctx, sheet.Image, quads)
	if err != nil {
		return face{}, err
	}
	quick := license.Extract(lines, width, height)
	done()
	var seen []sighting
	for _, line := range lines {
		seen = append(seen, sightings(line)...)
	}
	if r.Accurate != r.Fast && quick.Kind != report.KindNone {
		done := r.time("read_accurately")
		deciding := r.deciding(lines, quick)
		chosen := make([]ocr.Quad, len(deciding))
		for i, line := range deciding {
			chosen[i] = quads[line]
		}
		again, err := r.Accurate.Recognise(ctx, sheet.Image, chosen)
		if err != nil {
			return face{}, err
		}
		if err := r.vote(ctx, sheet, again, quick); err != nil {
			return face{}, err
		}
		for i, line := range deciding {
			lines[line] = again[i]
			seen = append(seen, sightings(again[i])...)
		}
		done()
	}
	reading := license.Extract(lines, width, height)
	if joined, err := r.joinRows(ctx, sheet, lines, reading, quick); err != nil {
		return face{}, err
	} else if joined != nil {
		lines, reading = joined, license.Extract(joined, width, height)
	}
	f := face{Reading: reading, lines: lines}
	if err := r.readQR(ctx, sheet, f); err != nil {
		return face{}, err
	}
	return f, r.readCode(ctx, sheet, &f, seen)
}

// essential are the fields whose labels every edition prints. Where the quick
// reading has them all, it has found its way about the sheet.
var essential = []report.FieldName{
	report.FieldCompanyName, report.FieldType, report.FieldLegalRepresentative, report.FieldEstablished, report.FieldAddress}

// smallPrint is the height of captions and footers relative to the fields'.
const smallPrint = 0.75

// deciding are the lines, by index, that hold what checks need, and doubtful
// ones of the fields' size in which the quick reading recognised nothing. The
// body of the scope is left out unless all fields are wanted; where the quick
// reading misses something essential, all else is read again.
func (r *run) deciding(lines []ocr.Line, quick license.Reading) []int {
	_, code := quick.Fields[report.FieldUSCC]
	found := code || numbered(quick)
	for _, name := range essential {
		_, ok := quick.Fields[name]
		found = found && ok
	}
	held := make([]bool, len(lines))
	var heights []float64
	for i, line := range lines {
		held[i] = holder(quick.CodeRegions, line)
		for name, v := range quick.Fields {
			held[i] = held[i] || (name != report.FieldScope || r.AllFields) && holder(v.Quads, line)
		}
		if held[i] {
			heights = append(heights, line.Quad.Height())
		}
	}
	slices.Sort(heights)
	var chosen []int
	for i, line := range lines {
		inScope := holder(quick.Fields[report.FieldScope].Quads, line)
		unknown := !inScope && found && line.Quad.Height() > smallPrint*heights[len(heights)/2] &&
			ocr.Certainty(line.Characters) < certainLine
		if held[i] || unknown || !found && !inScope {
			chosen = append(chosen, i)
		}
	}
	return chosen
}

// holder tells whether a line is the place of one of the quads.
func holder(quads []ocr.Quad, line ocr.Line) bool {
	return slices.ContainsFunc(quads, func(q ocr.Quad) bool { return holds(line.Quad, q.Center()) || holds(q, line.Quad.Center()) })
}

// A line whose characters are together less certain than this is read with
// other crops as well, and the readings vote. It is the limit of a believed name.
const certainLine = 0.9

// crops are how much of its height a line grows above and below in its other
// readings: small print hangs on where its strokes meet the pixels.
var crops = []float64{-0.1, 0.2}

// vote reads doubtful lines with other crops until two readings agree, and keeps
// of each line the text that is certain most often.
func (r *run) vote(ctx context.Context, sheet page.Page, lines []ocr.Line, quick license.Reading) error {
	defer r.time("vote")()
	readings := map[int][]ocr.Line{}
	for i, line := range lines {
		// The authority and the date of issue stand under the seal and are
		// never certain; no check turns on them.
		idle := holder(quick.Fields[report.FieldRegistrationAuthority].Quads, line) || holder(quick.Fields[report.FieldIssued].Quads, line)
		if len(line.Characters) > 1 && !idle && ocr.Certainty(line.Characters) < certainLine {
			readings[i] = []ocr.Line{line}
		}
	}
	for _, grow := range crops {
		var open []int
		for _, i := range slices.Sorted(maps.Keys(readings)) {
			if !agreed(readings[i]) {
				open = append(open, i)
			}
		}
		quads := make([]ocr.Quad, len(open))
		for n, i := range open {
			quads[n] = grown(lines[i].Quad, 0, grow)
		}
		others, err := r.Accurate.Recognise(ctx, sheet.Image, quads)
		if err != nil {
			return err
		}
		for n, i := range open {
			readings[i] = append(readings[i], others[n])
		}
	}
	for i, all := range readings {
		votes := map[string]float64{}
		for _, reading := range all {
			votes[letters(reading)] += ocr.Certainty(reading.Characters)
		}
		best := slices.MaxFunc(all, func(a, b ocr.Line) int {
			return cmp.Or(cmp.Compare(votes[letters(a)], votes[letters(b)]),
				cmp.Compare(ocr.Certainty(a.Characters), ocr.Certainty(b.Characters)))
		})
		lines[i].Text, lines[i].Characters, lines[i].Confidence = best.Text, best.Characters, best.Confidence
	}
	return nil
}

// agreed tells whether two of the readings are the same.
func agreed(readings []ocr.Line) bool {
	for i, a := range readings {
		for _, b := range readings[i+1:] {
			if letters(a) == letters(b) {
				return true
			}
		}
	}
	return false
}

// letters is a line's text without its spaces, which come and go with the crop.
func letters(line ocr.Line) string { return strings.ReplaceAll(line.Text, " ", "") }

// joinRows reads again, as one line each, the rows of fields that the detector
// broke apart: what overprints a line also hides the characters between its
// pieces. Rows of fields that only the quick reading found are among them. Nil
// when no row got longer by it.
func (r *run) joinRows(ctx context.Context, sheet page.Page, lines []ocr.Line, reading, quick license.Reading) ([]ocr.Line, error) {
	defer r.time("read_rows")()
	var rows [][]int // indexes of the pieces of each row, from left to right
	fields := maps.Clone(quick.Fields)
	maps.Copy(fields, reading.Fields)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if name == report.FieldScope || name == report.FieldUSCC {
			continue
		}
		for _, row := range rowsOf(lines, fields[name].Quads) {
			if len(row) > 1 {
				rows = append(rows, row)
			}
		}
	}
	if len(rows) == 0 {
		return nil, nil
	}
	quads := make([]ocr.Quad, len(rows))
	for i, row := range rows {
		first, last := lines[row[0]].Quad, lines[row[len(row)-1]].Quad
		quads[i] = ocr.Quad{first[0], last[1], last[2], first[3]}
	}
	whole, err := r.Accurate.Recognise(ctx, sheet.Image, quads)
	if err != nil {
		return nil, err
	}
	replaced := map[int]bool{}
	var joined []ocr.Line
	for i, row := range rows {
		characters := 0
		for _, piece := range row {
			characters += len(lines[piece].Characters)
		}
		if len(whole[i].Characters) <= characters || whole[i].Confidence < joinedConfidence {
			continue
		}
		for _, piece := range row {
			replaced[piece] = true
		}
		joined = append(joined, whole[i])
	}
	if len(joined) == 0 {
		return nil, nil
	}
	for i, line := range lines {
		if !replaced[i] {
			joined = append(joined, line)
		}
	}
	return joined, nil
}

// rowsOf groups the lines that hold one of the quads by printed row.
func rowsOf(lines []ocr.Line, quads []ocr.Quad) [][]int {
	var pieces []int
	for i, line := range lines {
		if slices.ContainsFunc(quads, func(q ocr.Quad) bool { return holds(line.Quad, q.Center()) }) {
			pieces = append(pieces, i)
		}
	}
	slices.SortFunc(pieces, func(a, b int) int { return cmp.Compare(lines[a].Quad.Center().Y, lines[b].Quad.Center().Y) })
	var rows [][]int
	for _, i := range pieces {
		if n := len(rows); n > 0 {
			above := lines[rows[n-1][0]].Quad
			if lines[i].Quad.Center().Y-above.Center().Y < above.Height()/2 {
				rows[n-1] = append(rows[n-1], i)
				continue
			}
		}
		rows = append(rows, []int{i})
	}
	for _, row := range rows {
		slices.SortFunc(row, func(a, b int) int { return cmp.Compare(lines[a].Quad[0].X, lines[b].Quad[0].X) })
	}
	return rows
}

// joinedConfidence is the confidence from which a row read as a whole replaces
// its pieces; a gap that is not print lowers it.
const joinedConfidence = 0.9

// holds tells whether a point lies in the quad's upright bounds.
func holds(q ocr.Quad, p ocr.Point) bool {
	low, high := q.Bounds()
	return p.X >= low.X && p.X <= high.X && p.Y >= low.Y && p.Y <= high.Y
}

// readQR finds QR codes on a page that may be a certificate.
func (r *run) readQR(ctx context.Context, sheet page.Page, f face) error {
	if f.Kind == report.KindNone {
		return nil
	}
	defer r.time("read_qr")()
	for _, code := range qr.Find(ctx, sheet.Image) {
		found := qr.Parse(code.Payload)
		found.Polygon = sheet.OnPhoto(code.Quad)
		r.evidence.QR = append(r.evidence.QR, found)
	}
	return ctx.Err()
}

// readCode reads the code again, by other readers and with other crops, until
// two readings agree or the readers are spent, and decides.
func (r *run) readCode(ctx context.Context, sheet page.Page, f *face, seen []sighting) error {
	defer r.time("read_code")()
	if f.Kind == report.KindBusinessLicense && !numbered(f.Reading) {
		again, err := r.readRegions(ctx, sheet, f.CodeRegions, seen)
		if err != nil {
			return err
		}
		seen = again
		if !settled(seen) {
			if again, err = r.readEnlarged(ctx, sheet, f); err != nil {
				return err
			}
			seen = append(seen, again...)
		}
	}
	expected := f.Kind == report.KindBusinessLicense && !numbered(f.Reading)
	f.code, f.decided, f.source = decideCode(seen, r.evidence.QR, expected)
	if f.Masked && f.decided.State != verdict.CodeRead {
		f.decided.State = verdict.CodeMasked
	}
	return nil
}

// readRegions reads the places of the code by one reader after the other until
// the code is settled.
func (r *run) readRegions(ctx context.Context, sheet page.Page, regions []ocr.Quad, seen []sighting) ([]sighting, error) {
	regions = slices.Clone(regions[:min(len(regions), maxRegions)])
	if len(seen) > 0 {
		regions = append(regions, seen[0].quad)
	}
	for _, attempt := range []struct {
		reader ocr.Recogniser
		grow   float64 // em on every side
	}{{r.Second, 0.15}, {r.Accurate, 0.3}, {r.Accurate, 0}} {
		if settled(seen) || len(regions) == 0 {
			break
		}
		crops := make([]ocr.Quad, len(regions))
		for i, q := range regions {
			crops[i] = grown(q, attempt.grow, attempt.grow)
		}
		lines, err := attempt.reader.Recognise(ctx, sheet.Image, crops)
		if err != nil {
			return nil, err
		}
		for _, line := range lines {
			seen = append(seen, sightings(line)...)
		}
	}
	return seen, nil
}

// The upper part of a sheet, where every edition prints its number, in two
// tiles that overlap by more than half a code: shares of the page.
const (
	upperTop, upperBottom = 0.03, 0.52
	tileWidth             = 0.6
	// tileLongSidePx is what the detector looks at without reducing it.
	tileLongSidePx = 960
)

// readEnlarged looks for lines in the enlarged upper part of the sheet: stock
// that is overprinted hides the line of the number from a detector that sees
// the whole sheet. What it finds replaces the lines in its place when it brings
// a number to light.
func (r *run) readEnlarged(ctx context.Context, sheet page.Page, f *face) ([]sighting, error) {
	var found []ocr.Line
	for _, left := range []float64{0, 1 - tileWidth} {
		part, back, err := sheet.Part(left, upperTop, left+tileWidth, upperBottom, tileLongSidePx)
		if err != nil {
			return nil, err
		}
		quads, err := r.Detector.Detect(ctx, part)
		if err != nil {
			return nil, err
		}
		whole := slices.DeleteFunc(quads, func(q ocr.Quad) bool { // cut by the tile's edge
			low, high := q.Bounds()
			return low.X < 2 && left > 0 || high.X > float64(part.Rect.Dx()-2) && left+tileWidth < 1
		})
		lines, err := r.Accurate.Recognise(ctx, part, whole)
		if err != nil {
			return nil, err
		}
		for _, line := range lines {
			line.Quad = back(line.Quad)
			if !slices.ContainsFunc(found, func(other ocr.Line) bool { return holds(other.Quad, line.Quad.Center()) }) {
				found = append(found, line)
			}
		}
	}
	var seen []sighting
	for _, line := range found {
		seen = append(seen, sightings(line)...)
	}
	lines := slices.Clone(found)
	for _, line := range f.lines {
		if !slices.ContainsFunc(found, func(other ocr.Line) bool { return holds(other.Quad, line.Quad.Center()) }) {
			lines = append(lines, line)
		}
	}
	reading := license.Extract(lines, sheet.Image.Rect.Dx(), sheet.Image.Rect.Dy())
	if reading.Kind == report.KindBusinessLicense && (numbered(reading) || settled(seen)) {
		f.Reading, f.lines = reading, lines
	}
	return seen, nil
}

// maxRegions bounds the places where the code is read again.
const maxRegions = 3

// numbered tells whether the license bears a registration number of before the
// unified code that passes its check, and no code.
func numbered(reading license.Reading) bool {
	number, has := reading.Fields[report.FieldRegistrationNumber]
	code := reading.Fields[report.FieldUSCC]
	return has && codes.CheckRegistrationNumber(number.Text).Verdict != codes.VerdictInvalid && !codes.IsUSCC(code.Text)
}

// grown is a quad with more of its surroundings, in shares of its height: along
// the text at both ends, and across it above and below.
func grown(q ocr.Quad, along, across float64) ocr.Quad {
	share := along * q.Height() / math.Max(q.Width(), 1)
	wide := q.Slice(-share, 1+share)
	tall := ocr.Quad{wide[0], wide[3], wide[2], wide[1]}.Slice(-across, 1+across) // its sides as top and bottom
	return ocr.Quad{tall[0], tall[3], tall[2], tall[1]}
}

// fields puts what was read into the report's form, on the photo.
func (r *run) fields(sheet page.Page, f face) {
	r.evidence.DocumentRead = true
	r.evidence.Document = report.Document{
		Kind: f.Kind, Title: f.Title, Edition: f.Edition, Copy: f.Copy, Specimen: f.Specimen, RotationDegrees: sheet.Rotation}
	if sheet.Found() {
		r.evidence.Document.Quad = polygon(sheet.Quad)
	}
	if f.Kind != report.KindBusinessLicense {
		return
	}
	for name, v := range f.Fields {
		sure := certainty(v)
		if name == report.FieldCompanyName && broken(f.lines, v) {
			sure *= brokenFactor
		}
		r.evidence.Fields[name] = r.confirmed(name, v, report.Field{
			Value: v.Text, Raw: v.Raw, Label: v.Label, Confidence: rounded(sure), Source: report.SourceOCR,
			Polygon: outline(sheet, v.Quads), EmPx: rounded(v.EmPx / sheet.Scale), Amount: v.Amount})
	}
	r.evidence.Code = f.decided
	if len(f.CodeRegions) > 0 {
		r.evidence.Code.Polygon = sheet.OnPhoto(f.CodeRegions[0])
	}
	code, has := r.evidence.Fields[report.FieldUSCC]
	switch f.decided.State {
	case verdict.CodeRead, verdict.CodeInvalid:
		if !has {
			code = report.Field{Raw: f.code.code, EmPx: rounded(f.code.quad.Height() / boxPerEm / sheet.Scale)}
		}
		code.Value, code.Confidence, code.Source = f.code.code, rounded(f.code.certainty), f.source
		code.Readings, code.Candidates = f.decided.Readings, f.decided.Candidates
		code.Polygon = sheet.OnPhoto(f.code.quad)
		r.evidence.Code.Polygon = code.Polygon
		r.evidence.Fields[report.FieldUSCC] = code
	default:
		delete(r.evidence.Fields, report.FieldUSCC)
	}
}

// certainty is the probability that every character of a value is right, taken
// as independent. It tells right names from wrong ones far better than their
// mean: of 161 right names 3 are below 0.9, of 5 wrong ones 5.
func certainty(v license.Value) float64 {
	if len(v.Characters) == 0 {
		return v.Confidence
	}
	return ocr.Certainty(v.Characters)
}

const (
	// gapPitches is the distance of two characters, in the row's median distance,
	// from which one may be missing between them.
	gapPitches = 1.7
	// brokenFactor is what is left of a value's certainty then: too little for
	// any policy to believe it by itself.
	brokenFactor = 0.5
)

// broken tells whether a row has a gap between characters that may hide some:
// a seal, a reflection or a watermark over them leaves the rest certain.
func broken(lines []ocr.Line, v license.Value) bool {
	for _, row := range rowsOf(lines, v.Quads) {
		var places []float64
		for _, i := range row {
			quad := lines[i].Quad
			for _, c := range lines[i].Characters {
				ofValue := slices.ContainsFunc(v.Characters, func(o ocr.Character) bool {
					return o.Text == c.Text && o.Center == c.Center && o.Confidence == c.Confidence
				})
				if ofValue && strings.TrimSpace(c.Text) != "" {
					places = append(places, quad[0].X+(quad[1].X-quad[0].X)*c.Center)
				}
			}
		}
		if len(places) < 4 {
			continue
		}
		var pitches []float64
		for i := 1; i < len(places); i++ {
			pitches = append(pitches, places[i]-places[i-1])
		}
		if sorted := slices.Sorted(slices.Values(pitches)); slices.Max(pitches) > gapPitches*sorted[len(sorted)/2] {
			return true
		}
	}
	return false
}

// confirmed marks a field that the QR code says in words too: two readings
// agree. Where they differ in doubtful characters only, the code's stand.
func (r *run) confirmed(name report.FieldName, v license.Value, field report.Field) report.Field {
	for _, code := range r.evidence.QR {
		said := code.Fields[name]
		if said == "" {
			continue
		}
		switch license.CompareNames(said, field.Value).Class {
		case license.NameIdentical, license.NameBracketWidth, license.NameSpacing:
			field.Readings, field.Source = 2, report.SourceOCRQR
		default:
			if agrees(said, v.Characters) {
				field.Value, field.Readings, field.Source = said, 2, report.SourceOCRQR
			}
		}
	}
	return field
}

// agrees tells whether what a QR code says differs from a reading in few
// characters, all of them doubtful in the reading.
func agrees(said string, read []ocr.Character) bool {
	runes := []rune(said)
	if len(runes) != len(read) {
		return false
	}
	differ := 0
	for i, c := range read {
		if c.Text == string(runes[i]) {
			continue
		}
		if c.Confidence >= doubtful {
			return false
		}
		differ++
	}
	return differ <= maxFilled
}

// pageSample is about how many lines speak for the page.
const pageSample = 16

// boxPerEm is the height of a detector's box over the em of its text.
const boxPerEm = 1.3

// measure takes the figures about legibility: of every field's lines, of the
// page, and of its colour.
func (r *run) measure(sheet page.Page, f face) {
	defer r.time("measure")()
	script := func(name report.FieldName) quality.Script {
		if name == report.FieldUSCC || name == report.FieldRegistrationNumber {
			return quality.Digits
		}
		return quality.Han
	}
	q := &r.evidence.Quality
	q.Fields = map[report.FieldName]report.LineQuality{}
	for name, v := range f.Fields {
		if name == report.FieldScope {
			continue
		}
		for _, quad := range v.Quads {
			m := onPhoto(quality.Line(sheet.Image, quad, script(name)), sheet)
			if worst, ok := q.Fields[name]; !ok || m.BlurQ > worst.BlurQ {
				q.Fields[name] = m
			}
		}
	}
	if _, ok := q.Fields[report.FieldUSCC]; !ok && len(f.CodeRegions) > 0 {
		q.Fields[report.FieldUSCC] = onPhoto(quality.Line(sheet.Image, f.CodeRegions[0], quality.Digits), sheet)
	}
	var all []report.LineQuality
	for i := 0; i < len(f.lines); i += 1 + len(f.lines)/pageSample {
		all = append(all, onPhoto(quality.Line(sheet.Image, f.lines[i].Quad, quality.Han), sheet))
	}
	if worst, ok := quality.Page(all); ok {
		q.Page = &worst
	}
	tone := quality.Tones(sheet.Image)
	q.Chroma = rounded(tone.Chroma)
	r.evidence.Document.Color = report.ColorColor
	if tone.Grayscale() {
		r.evidence.Document.Color = report.ColorGrayscale
	}
	var places []ocr.Quad // of the code and the name, without which nothing passes
	if len(f.CodeRegions) > 0 && f.decided.State != verdict.CodeRead {
		places = append(places, f.CodeRegions[0])
	}
	places = append(places, f.Fields[report.FieldUSCC].Quads...)
	places = append(places, f.Fields[report.FieldCompanyName].Quads...)
	glare := report.Measure{}
	for i, share := range quality.Glare(sheet.Image, places) {
		if share > glare.Value {
			glare = report.Measure{Value: rounded(share), Polygon: sheet.OnPhoto(places[i])}
		}
	}
	r.evidence.Measures = map[string]report.Measure{
		verdict.MeasureGlareShare: glare,
		verdict.MeasurePaperLevel: {Value: rounded(tone.Paper)},
		verdict.MeasureInkLevel:   {Value: rounded(tone.Ink)},
		verdict.MeasureRedShare:   {Value: rounded(tone.RedShare)},
	}
}

// onPhoto brings the lengths of a measure to pixels of the uploaded picture.
func onPhoto(m report.LineQuality, sheet page.Page) report.LineQuality {
	m.EmPx, m.EffectiveEmPx = rounded(m.EmPx/sheet.Scale), rounded(m.EffectiveEmPx/sheet.Scale)
	m.BlurQ, m.BlurX, m.BlurY, m.Contrast = rounded(m.BlurQ), rounded(m.BlurX), rounded(m.BlurY), rounded(m.Contrast)
	return m
}

// outline is the quad of one line, or the upright bounds of several, on the
// photo.
func outline(sheet page.Page, quads []ocr.Quad) report.Polygon {
	if len(quads) == 0 {
		return nil
	}
	if len(quads) == 1 {
		return sheet.OnPhoto(quads[0])
	}
	low, high := quads[0].Bounds()
	for _, q := range quads[1:] {
		l, h := q.Bounds()
		low.X, low.Y = math.Min(low.X, l.X), math.Min(low.Y, l.Y)
		high.X, high.Y = math.Max(high.X, h.X), math.Max(high.Y, h.Y)
	}
	return sheet.OnPhoto(ocr.Quad{low, {X: high.X, Y: low.Y}, high, {X: low.X, Y: high.Y}})
}

func polygon(q ocr.Quad) report.Polygon {
	out := make(report.Polygon, len(q))
	for i, p := range q {
		out[i] = report.Point{rounded(p.X), rounded(p.Y)}
	}
	return out
}

// rounded keeps four digits after the point: what measures are good for, and
// what reads well in JSON.
func rounded(v float64) float64 { return math.Round(v*1e4) / 1e4 }
