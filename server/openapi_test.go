package server

import (
	"bytes"
	"encoding/json"
	"flag"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/heyan/heyan/worker/client"
)

var update = flag.Bool("update", false, "write the goldens anew")

// document is what the tests read of the OpenAPI document.
type document struct {
	Paths      map[string]map[string]operationDoc
	Components struct{ Schemas map[string]schemaDoc }
}

type operationDoc struct {
	OperationID string
	Security    []map[string][]string
	Parameters  []struct {
		Name, In string
		Schema   schemaDoc
	}
	RequestBody struct {
		Content map[string]struct{ Schema schemaDoc }
	}
	Responses map[string]any
}

type schemaDoc struct {
	Ref        string `json:"$ref"`
	Type       any
	Properties map[string]schemaDoc
}

func openAPI(t testing.TB) (document, []byte) {
	t.Helper()
	api := NewAPI(Options{Client: &client.Client{}, Metrics: prometheus.NewRegistry(), Logger: slog.New(slog.DiscardHandler)})
	w := httptest.NewRecorder()
	api.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/openapi.json", nil))
	var doc document
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	return doc, w.Body.Bytes()
}

// The document that callers generate code from is checked in.
func TestOpenAPI(t *testing.T) {
	const golden = "../docs/openapi.json"
	doc, text := openAPI(t)
	var got bytes.Buffer
	if err := json.Indent(&got, text, "", "  "); err != nil {
		t.Fatal(err)
	}
	got.WriteByte('\n')
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("%s is not what is served: go test ./server -run TestOpenAPI -update", golden)
	}
	open := map[string]bool{"health": true, "ready": true, "put": true}
	for path, operations := range doc.Paths {
		for method, o := range operations {
			if (len(o.Security) == 0) != open[o.OperationID] {
				t.Errorf("%s %s: security %v", method, path, o.Security)
			}
			if o.OperationID == "" || len(o.Responses) == 0 {
				t.Errorf("%s %s: id %q, answers %v", method, path, o.OperationID, o.Responses)
			}
		}
	}
}
