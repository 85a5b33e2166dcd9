package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/heyan/heyan/storage/storagetest"
)

// roundsAnOperation is how many requests of each operation are generated.
const roundsAnOperation = 60

// own is what stands in fields that are the caller's to see again. A refusal
// does not show it all the same, nor does a log.
const own = "Own-Words-4711"

var ownFields = map[string]bool{"organization_id": true, "client_reference": true, "url": true, "reason": true, "types": true}

// generator makes requests out of the OpenAPI document, most of them wrong.
type generator struct {
	*rand.Rand
	doc  document
	real ids
}

func (g *generator) pick(from ...string) string { return from[g.IntN(len(from))] }

// text is a value that some field may take and most may not.
func (g *generator) text(field string, huge int) string {
	mark := g.pick(seeds...)
	if ownFields[field] {
		mark = own
	}
	return g.pick(mark, mark, "", " ", "0", "-1", "1", "true", "null", "2026-01-02T03:04:05Z", "9999999999999999999", "1e400", "30",
		mark+"\x00", mark+"\xff\xfe", mark+"\n", "示例"+mark, "\u202e"+mark, "🀄️", "../"+mark, "..", ".", "%00", "'; DROP TABLE verifications; --",
		`{"a":1}`, "[]", strings.Repeat(mark, 1+huge/len(mark)), g.real.verification, g.real.endpoint, "good", "read", "image/png", "annual", "batch", "strict",
		"https://hooks.invalid/"+mark)
}

// value is JSON of any type.
func (g *generator) value(field string) string {
	quoted := func(s string) string {
		text, err := json.Marshal(s)
		if err != nil {
			panic(err)
		}
		return string(text)
	}
	text := quoted(g.text(field, 4000))
	switch g.IntN(8) {
	case 0:
		return g.pick("null", "true", "1", "-1", "0.5", "1e400", "4", "123456789012345678901234567890", seedPhone)
	case 1:
		return "[" + text + "]"
	case 2:
		return `{` + text + `:` + text + `}`
	case 3:
		return `["read","read"]`
	case 4:
		return strings.Repeat("[", 200) + strings.Repeat("]", 200)
	}
	return text
}

// object is a JSON object of a schema's properties: some are missing, some
// twice, and some are not the schema's.
func (g *generator) object(schema schemaDoc) string {
	var members []string
	for _, name := range slices.Sorted(maps.Keys(g.resolve(schema).Properties)) {
		for range g.IntN(5) / 2 {
			members = append(members, fmt.Sprintf("%q:%s", name, g.value(name)))
		}
	}
	if g.IntN(4) == 0 {
		members = append(members, fmt.Sprintf("%q:1", g.pick(seeds...)))
	}
	text := "{" + strings.Join(members, ",") + "}"
	switch g.IntN(12) {
	case 0:
		return text[:len(text)/2]
	case 1:
		return text + seedID
	case 2:
		return g.pick("", "null", "[]", "{", seedPhone, `"`+seedEmail+`"`, "\xff\xfe", strings.Repeat(" ", 2<<20))
	}
	return text
}

func (g *generator) resolve(s schemaDoc) schemaDoc {
	if name, ok := strings.CutPrefix(s.Ref, "#/components/schemas/"); ok {
		return g.doc.Components.Schemas[name]
	}
	return s
}

// parts is a form of a schema's properties.
func (g *generator) parts(schema schemaDoc) (contentType, body string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	write := func(name, file, value string) {
		header := textproto.MIMEHeader{"Content-Disposition": {fmt.Sprintf(`form-data; name=%q`, name)}}
		if file != "" {
			header.Set("Content-Disposition", fmt.Sprintf(`form-data; name=%q; filename=%q`, name, file))
		}
		part, err := w.CreatePart(header)
		if err == nil {
			_, err = io.WriteString(part, value)
		}
		if err != nil {
			panic(err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(g.resolve(schema).Properties)) {
		switch {
		case name == "picture" && g.IntN(4) > 0:
			write(name, g.pick("", seedID+".jpg"), g.pick("good", "fail", seedID))
		case g.IntN(3) == 0:
			write(name, "", g.text(name, 1000))
		}
		if g.IntN(40) == 0 {
			write(name, "", g.text(name, 10))
		}
	}
	if g.IntN(12) == 0 {
		write(g.pick(seeds...), "", seedPhone)
	}
	w.Close()
	text := b.String()
	if g.IntN(15) == 0 {
		text = text[:g.IntN(len(text))]
	}
	return w.FormDataContentType(), text
}

// request is one of an operation.
func (g *generator) request(path string, o operationDoc) (string, http.Header, string) {
	at := path
	if g.IntN(3) > 0 {
		at = g.real.in(path)
	}
	header, query := http.Header{}, url.Values{}
	plain := g.IntN(8) == 0 // many parameters are hardly ever all right
	for _, p := range o.Parameters {
		switch {
		case p.In == "query" && plain:
		case p.In == "path":
			at = strings.Replace(at, "{"+p.Name+"}", url.PathEscape(g.text(p.Name, 3000)), 1)
		case p.In == "query":
			for range g.IntN(4) / 2 {
				query.Add(p.Name, g.text(p.Name, 3000))
			}
		case p.In == "header":
			if value := g.text(p.Name, 3000); !strings.ContainsAny(value, "\x00\n") { // net/http sends no such header
				header.Set(p.Name, value)
			}
		}
	}
	if g.IntN(4) == 0 && !plain {
		query.Add(g.pick(seeds...), seedEmail)
	}
	if len(query) > 0 {
		at += "?" + query.Encode()
	}
	types := slices.Sorted(maps.Keys(o.RequestBody.Content))
	if len(types) == 0 {
		return at, header, ""
	}
	if g.IntN(3) == 0 { // nothing is wrong with the body
		right, body := acceptable(o)
		header.Set("Content-Type", right.Get("Content-Type"))
		return at, header, body
	}
	contentType, body := types[g.IntN(len(types))], ""
	schema := o.RequestBody.Content[contentType].Schema
	switch contentType {
	case "multipart/form-data":
		contentType, body = g.parts(schema)
	case "application/json":
		body = g.object(schema)
	default:
		contentType, body = "image/png", g.text("", 5000)
	}
	if g.IntN(12) == 0 {
		contentType = g.pick("", "text/plain", "application/json", "multipart/form-data", "multipart/form-data; boundary=x", "application/cbor", seedEmail, "application/x-www-form-urlencoded")
	}
	header.Set("Content-Type", contentType)
	return at, header, body
}

// Whatever is sent: no 5xx, refusals are problems, and nothing personal comes
// back or stands in logs and metrics.
func TestGeneratedRequests(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) { generated(t, func(*Config) {}) })
	t.Run("Postgres", func(t *testing.T) {
		dsn := storagetest.StartPostgres(t).NewDatabase(t)
		generated(t, func(c *Config) { c.Records = dsn })
	})
}

func generated(t *testing.T, change func(*Config)) {
	r := start(t, change)
	doc, _ := openAPI(t)
	g := &generator{rand.New(rand.NewPCG(5, 2026)), doc, r.populate(t)}
	statuses, accepted := map[int]int{}, map[string]bool{}
	// What the others need is deleted last.
	for _, method := range []string{"get", "post", "put", "delete"} {
		for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
			o, has := doc.Paths[path][method]
			if !has {
				continue
			}
			for range roundsAnOperation {
				at, header, body := g.request(path, o)
				got := r.send(t, r.Key, strings.ToUpper(method), at, header, strings.NewReader(body))
				statuses[got.status]++
				what := fmt.Sprintf("%s %q %v %.2000q", o.OperationID, at, header, body)
				if got.status >= 500 {
					t.Fatalf("%s: %d %s\n%s", what, got.status, got.body, r.log.String()[max(0, len(r.log.String())-2000):])
				}
				if got.status < 300 {
					accepted[o.OperationID] = true
				} else {
					r.problem(t, what, got.status, "", got)
					if bytes.Contains(got.body, []byte(own)) {
						t.Errorf("%s: the refusal quotes the request: %s", what, got.body)
					}
				}
				for _, seed := range seeds {
					if o.OperationID != "unmask" && (bytes.Contains(got.body, []byte(seed)) || strings.Contains(fmt.Sprint(got.header), seed)) {
						t.Errorf("%s: the answer holds personal data: %d %v %s", what, got.status, got.header, got.body)
					}
				}
				if t.Failed() {
					return
				}
			}
		}
	}
	t.Logf("statuses %v", statuses)
	for _, operations := range doc.Paths {
		for _, o := range operations {
			if !accepted[o.OperationID] && o.OperationID != "put" { // its token is not to be guessed
				t.Errorf("%s was never accepted", o.OperationID)
			}
		}
	}
	metrics := string(r.send(t, "", "GET", "/metrics", http.Header{}, nil).body)
	for place, text := range map[string]string{"log": r.log.String(), "metrics": metrics} {
		for _, seed := range append(slices.Clone(seeds), own) {
			if strings.Contains(text, seed) {
				t.Errorf("%s holds %q", place, seed)
			}
		}
	}
}
