package e2e

import (
	"bufio"
	"bytes"
	"database/sql"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // database/sql driver "pgx"
	"github.com/redis/go-redis/v9"
	_ "modernc.org/sqlite" // database/sql driver "sqlite"
)

// witness keeps everything that left the deployment, by where it was seen.
type witness struct {
	mu   sync.Mutex
	seen map[string]*bytes.Buffer
}

func (w *witness) add(where string, what ...[]byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seen[where] == nil {
		w.seen[where] = &bytes.Buffer{}
	}
	for _, text := range what {
		w.seen[where].Write(text)
		w.seen[where].WriteByte('\n')
	}
}

// addFolder takes every file under a folder.
func (w *witness) addFolder(t *testing.T, where, folder string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		w.add(where, []byte(path), text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// addTables takes every row of a database as text: its files may hold them
// compressed.
func (w *witness) addTables(t *testing.T, driver, dsn, list string) {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tables := rowsOf(t, db, list)
	if len(tables) < 5 {
		t.Fatalf("tables %v", tables)
	}
	for _, table := range tables {
		for _, row := range rowsOf(t, db, "SELECT * FROM "+table) {
			w.add("table "+table, []byte(row))
		}
	}
}

// rowsOf are the rows of an answer, each as the text of its columns.
func rowsOf(t *testing.T, db *sql.DB, query string) (all []string) {
	t.Helper()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	columns, places := make([]sql.RawBytes, len(names)), make([]any, len(names))
	for i := range columns {
		places[i] = &columns[i]
	}
	for rows.Next() {
		if err := rows.Scan(places...); err != nil {
			t.Fatal(err)
		}
		texts := make([]string, len(columns))
		for i, c := range columns {
			texts[i] = string(c)
		}
		all = append(all, strings.Join(texts, " "))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// monitor keeps every command that Redis hears until the test ends.
func (w *witness) monitor(t *testing.T, address string) {
	t.Helper()
	heard, err := net.Dial("tcp", address)
	if err == nil {
		_, err = io.WriteString(heard, "MONITOR\r\n")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { heard.Close() })
	go func() {
		for lines := bufio.NewScanner(heard); lines.Scan(); {
			w.add("redis commands", lines.Bytes())
		}
	}()
}

// addRedis takes every key with its serialized value.
func (w *witness) addRedis(t *testing.T, r *redis.Client) {
	t.Helper()
	defer r.Close()
	keys := r.Scan(t.Context(), 0, "", 1000).Iterator()
	for keys.Next(t.Context()) {
		value, err := r.Dump(t.Context(), keys.Val()).Result()
		if err != nil && !errors.Is(err, redis.Nil) { // it expired this moment
			t.Fatal(err)
		}
		w.add("redis keys", []byte(keys.Val()), []byte(value))
	}
	if err := keys.Err(); err != nil {
		t.Fatal(err)
	}
}

// accuse names every place where something of a person was seen.
func (w *witness) accuse(t *testing.T, people []person) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for where, text := range w.seen {
		t.Logf("%-24s %d bytes", where, text.Len())
		for _, p := range people {
			for _, value := range []string{p.id, strings.ToLower(p.id), p.phone, p.email} {
				if i := bytes.Index(text.Bytes(), []byte(value)); i >= 0 {
					t.Errorf("%s holds %s: …%q…", where, value, text.Bytes()[max(0, i-120):min(text.Len(), i+120)])
				}
			}
		}
	}
}

// call makes a request and keeps its answer, head and body.
func (w *witness) call(t *testing.T, d *deployment, method, path, contentType string, body []byte, header ...string) (int, []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, d.Base+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+d.Key)
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	response, err := d.Client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	var head bytes.Buffer
	_ = response.Header.Write(&head) // a buffer takes everything
	w.add("answers", []byte(response.Status), head.Bytes(), answer)
	return response.StatusCode, answer
}
