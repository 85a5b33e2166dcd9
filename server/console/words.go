package console

import (
	"cmp"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"

	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/pipeline/verdict"
)

// tongue is a language of the pages.
type tongue string

const (
	chinese tongue = "zh"
	english tongue = "en"
)

var tongues = []tongue{chinese, english}

// of is a text in the language.
func (l tongue) of(t report.Text) string {
	if l == english {
		return t.EN
	}
	return t.ZH
}

// tag is the language as HTML has it.
func (l tongue) tag() string {
	if l == english {
		return "en"
	}
	return "zh-Hans"
}

// matcher's languages are in the order of tongues: the first one is for whom none
// fits.
var matcher = language.NewMatcher([]language.Tag{language.SimplifiedChinese, language.English})

// tongueCookie remembers what a reviewer chose.
const tongueCookie = "heyan-language"

// tongueOf is the language of a request: what it asks for, which is remembered,
// what was chosen before, or the browser's.
func tongueOf(w http.ResponseWriter, r *http.Request) tongue {
	if asked := tongue(r.URL.Query().Get("language")); slices.Contains(tongues, asked) {
		http.SetCookie(w, &http.Cookie{Name: tongueCookie, Value: string(asked), Path: "/console/", MaxAge: 365 * 24 * 3600,
			Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
		return asked
	}
	if cookie, err := r.Cookie(tongueCookie); err == nil && slices.Contains(tongues, tongue(cookie.Value)) {
		return tongue(cookie.Value)
	}
	_, index := language.MatchStrings(matcher, r.Header.Get("Accept-Language"))
	return tongues[index]
}

//go:embed words
var wordFiles embed.FS

// words are the texts of the pages by their keys.
var words = func() map[string]report.Text {
	all := map[string]report.Text{}
	files, err := fs.Glob(wordFiles, "words/*.json")
	for _, name := range files {
		var text []byte
		if text, err = wordFiles.ReadFile(name); err == nil {
			err = json.Unmarshal(text, &all)
		}
		if err != nil {
			break
		}
	}
	if err != nil {
		panic(err) // the files are embedded
	}
	return all
}()

// word is a text of the pages; with arguments it is a format.
func (l tongue) word(key string, args ...any) (string, error) {
	text, ok := words[key]
	if !ok {
		return "", fmt.Errorf("no word %q", key)
	}
	if len(args) > 0 {
		return fmt.Sprintf(l.of(text), args...), nil
	}
	return l.of(text), nil
}

// functions are those of the templates.
func (l tongue) functions() template.FuncMap {
	return template.FuncMap{
		"t":     l.word,
		"text":  l.of,
		"title": func(code string) string { return l.of(verdict.Title(code)) },
		"field": func(name report.FieldName) string {
			if name == "" {
				return ""
			}
			return l.of(verdict.FieldTitle(name))
		},
		"changed": func(field string) string {
			if check, is := strings.CutPrefix(field, "checks."); is {
				return l.of(verdict.Title(check))
			}
			return l.of(cmp.Or(verdict.FieldTitle(report.FieldName(field)), words["queue.policy"]))
		},
		"time":     func(t time.Time) string { return t.In(report.Beijing).Format("2006-01-02 15:04:05") },
		"iso":      func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"percent":  func(share float64) string { return fmt.Sprintf("%.0f %%", 100*share) },
		"duration": l.duration,
		"short":    func(id string) string { return id[max(0, len(id)-8):] },
		"tag":      l.tag,
		"other": func() tongue {
			if l == english {
				return chinese
			}
			return english
		},
	}
}

// duration is a time span in two units at most.
func (l tongue) duration(d time.Duration) string {
	sign := ""
	if d < 0 {
		sign, d = "−", -d
	}
	d = d.Round(time.Second)
	days, hours, minutes, seconds := int(d.Hours())/24, int(d.Hours())%24, int(d.Minutes())%60, int(d.Seconds())%60
	units := map[tongue][4]string{chinese: {"天", "小时", "分", "秒"}, english: {" d", " h", " min", " s"}}[l]
	gap := map[tongue]string{chinese: "", english: " "}[l]
	switch {
	case days > 0:
		return fmt.Sprintf("%s%d%s%s%d%s", sign, days, units[0], gap, hours, units[1])
	case hours > 0:
		return fmt.Sprintf("%s%d%s%s%d%s", sign, hours, units[1], gap, minutes, units[2])
	case minutes >= 10:
		return fmt.Sprintf("%s%d%s", sign, minutes, units[2])
	case minutes > 0:
		return fmt.Sprintf("%s%d%s%s%d%s", sign, minutes, units[2], gap, seconds, units[3])
	}
	return fmt.Sprintf("%s%d%s", sign, seconds, units[3])
}

// parsePages makes the templates of every page in every language.
func parsePages() map[tongue]map[string]*template.Template {
	files, err := templateFiles.ReadDir("templates")
	if err != nil {
		panic(err) // the folder is embedded
	}
	all := map[tongue]map[string]*template.Template{}
	for _, l := range tongues {
		shared := template.Must(template.New("").Funcs(l.functions()).ParseFS(templateFiles, "templates/frame.html", "templates/parts.html"))
		all[l] = map[string]*template.Template{}
		for _, f := range files {
			if name := strings.TrimSuffix(f.Name(), ".html"); name != "frame" && name != "parts" {
				page := template.Must(shared.Clone())
				all[l][name] = template.Must(page.ParseFS(templateFiles, path.Join("templates", f.Name())))
			}
		}
	}
	return all
}
