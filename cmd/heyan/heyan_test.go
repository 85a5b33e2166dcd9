package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/heyan/heyan/pipeline/codes"
	"github.com/heyan/heyan/pipeline/report"
	"github.com/heyan/heyan/synth"
	"github.com/heyan/heyan/worker/client"
)

var update = flag.Bool("update", false, "write the goldens")

const samples = "../../testdata/samples"

// binary is the program under test, built once.
var binaryPath string

func TestMain(m *testing.M) {
	flag.Parse()
	folder, err := os.MkdirTemp("", "heyan-test-")
	if err != nil {
		panic(err)
	}
	binaryPath = filepath.Join(folder, "heyan")
	if out, err := exec.Command("go", "build", "-o", binaryPath, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(folder)
	os.Exit(code)
}

// heyan runs the program and returns what it printed and its exit code.
func heyan(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	command := exec.CommandContext(t.Context(), binaryPath, args...)
	command.Stdout, command.Stderr = &out, &errs
	err := command.Run()
	var exited *exec.ExitError
	if err != nil && !errors.As(err, &exited) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), command.ProcessState.ExitCode()
}

// reportsOf decodes one report a line.
func reportsOf(t *testing.T, lines string) []report.Report {
	t.Helper()
	var reports []report.Report
	d := json.NewDecoder(strings.NewReader(lines))
	d.DisallowUnknownFields()
	for {
		var r report.Report
		if err := d.Decode(&r); errors.Is(err, io.EOF) {
			return reports
		} else if err != nil {
			t.Fatalf("%v in %s", err, lines)
		}
		reports = append(reports, r)
	}
}

func reasonCodes(r report.Report) []string {
	var all []string
	for _, reason := range r.Reasons {
		all = append(all, reason.Code)
	}
	return all
}

// write puts content into a file of the folder.
func write(t *testing.T, folder, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(folder, name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// claimingPNG is 47 bytes that claim 20000 x 20000 pixels.
func claimingPNG() []byte {
	var b bytes.Buffer
	b.WriteString("\x89PNG\r\n\x1a\n")
	chunk := func(kind string, data []byte) {
		body := append([]byte(kind), data...)
		var frame [4]byte
		binary.BigEndian.PutUint32(frame[:], uint32(len(data)))
		b.Write(frame[:])
		b.Write(body)
		binary.BigEndian.PutUint32(frame[:], crc32.ChecksumIEEE(body))
		b.Write(frame[:])
	}
	header := binary.BigEndian.AppendUint32(nil, 20000)
	header = binary.BigEndian.AppendUint32(header, 20000)
	chunk("IHDR", append(header, 8, 2, 0, 0, 0))
	chunk("IDAT", []byte{0x78, 0x01})
	return b.Bytes()
}

// paletteTIFF is a 2 x 1 picture of 8-bit palette indexes with a palette of two
// bits: its second index is out of range.
func paletteTIFF() []byte {
	var b bytes.Buffer
	entries := [][4]uint32{ // tag, type (3 short, 4 long), count, value
		{256, 3, 1, 2}, {257, 3, 1, 1}, {258, 3, 1, 8}, {259, 3, 1, 1}, {262, 3, 1, 3},
		{273, 4, 1, 8}, {277, 3, 1, 1}, {278, 3, 1, 1}, {279, 4, 1, 2}, {320, 3, 12, 0},
	}
	le := binary.LittleEndian
	b.WriteString("II*\x00")
	b.Write(le.AppendUint32(nil, 12)) // first directory
	b.Write([]byte{0, 255, 0, 0})     // the pixels, at 8
	b.Write(le.AppendUint16(nil, uint16(len(entries))))
	palette := uint32(12 + 2 + 12*len(entries) + 4)
	for _, e := range entries {
		b.Write(le.AppendUint16(nil, uint16(e[0])))
		b.Write(le.AppendUint16(nil, uint16(e[1])))
		b.Write(le.AppendUint32(nil, e[2]))
		value := e[3]
		if e[0] == 320 {
			value = palette
		}
		b.Write(le.AppendUint32(nil, value))
	}
	b.Write(make([]byte, 4+2*12))
	return b.Bytes()
}

// TestVerifyBadInput sends everything bad in one call with a good picture at its
// end: each file gets its own clear answer and stops none of the others.
func TestVerifyBadInput(t *testing.T) {
	folder := t.TempDir()
	good := read(t, filepath.Join(samples, "clean_pass.jpg"))
	huge := filepath.Join(folder, "huge.jpg")
	write(t, folder, "huge.jpg", good)
	if err := os.Truncate(huge, 200<<20); err != nil {
		t.Fatal(err)
	}
	subfolder := filepath.Join(folder, "pictures")
	if err := os.Mkdir(subfolder, 0o700); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name    string
		file    string
		outcome report.Outcome
		code    string
		says    string // in the English message or a check's note
	}{
		{"empty file", write(t, folder, "empty.jpg", nil), report.OutcomeFail, "file_unreadable", "empty"},
		{"text named .jpg", write(t, folder, "text.jpg", []byte("this is no picture\n")), report.OutcomeFail, "file_type_not_supported", ""},
		{"PNG bomb", write(t, folder, "bomb.png", claimingPNG()), report.OutcomeFail, "file_too_large", "pixel"},
		{"palette TIFF", write(t, folder, "palette.tif", paletteTIFF()), report.OutcomeFail, "file_unreadable", ""},
		{"truncated JPEG", write(t, folder, "cut.jpg", good[:len(good)/3]), report.OutcomeFail, "file_unreadable", ""},
		{"200 MB", huge, report.OutcomeFail, "file_too_large", ""},
		{"encrypted PDF", "../../pipeline/intake/testdata/encrypted.pdf", report.OutcomeFail, "file_unreadable", "password"},
		{"folder", subfolder, report.OutcomeError, "system_storage_unavailable", "folder"},
		{"missing file", filepath.Join(folder, "none.jpg"), report.OutcomeError, "system_storage_unavailable", "no such file"},
		{"newline in the name", write(t, folder, "a\nb.jpg", good), report.OutcomePass, "", ""},
		{"the good one", filepath.Join(samples, "clean_pass.jpg"), report.OutcomePass, "", ""},
	}
	args := []string{"--quiet", "verify", "--json"}
	for _, tt := range tests {
		args = append(args, tt.file)
	}
	stdout, stderr, code := heyan(t, args...)
	if code != exitBroken {
		t.Errorf("exit code %d, want %d: a file is missing here; stderr %s", code, exitBroken, stderr)
	}
	reports := reportsOf(t, stdout)
	if len(reports) != len(tests) {
		t.Fatalf("got %d reports, want %d", len(reports), len(tests))
	}
	for i, tt := range tests {
		r := reports[i]
		if r.File != tt.file || r.Outcome != tt.outcome {
			t.Errorf("%s: got %s for %q, want %s; reasons %v", tt.name, r.Outcome, r.File, tt.outcome, reasonCodes(r))
			continue
		}
		if tt.code == "" {
			continue
		}
		if len(r.Reasons) == 0 || r.Reasons[0].Code != tt.code {
			t.Errorf("%s: got reasons %v, want %s", tt.name, reasonCodes(r), tt.code)
			continue
		}
		said := r.Reasons[0].Message.EN
		for _, c := range r.Checks {
			said += " " + c.Note
		}
		if r.Reasons[0].Message.ZH == "" || !strings.Contains(said, tt.says) {
			t.Errorf("%s: says %q, want %q in it", tt.name, said, tt.says)
		}
	}
}

// TestVerifyForPeople: names with control characters do not break the lines.
func TestVerifyForPeople(t *testing.T) {
	folder := t.TempDir()
	path := write(t, folder, "a\nb\x1b[31m.jpg", nil)
	stdout, _, code := heyan(t, "--quiet", "verify", path)
	if code != exitVerdict {
		t.Errorf("exit code %d, want %d", code, exitVerdict)
	}
	if first, _, _ := strings.Cut(stdout, "\n"); !strings.HasPrefix(first, "FAIL") || !strings.Contains(first, `a\nb\x1b[31m.jpg`) {
		t.Errorf("got %q", first)
	}
}

func TestDeclaredInput(t *testing.T) {
	var all []synth.Sample
	if err := json.Unmarshal(read(t, filepath.Join(samples, "declared.json")), &all); err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(s synth.Sample) bool { return s.File == "clean_pass.jpg" })
	code := all[i].Declared.USCC
	wide := strings.Map(func(r rune) rune { return r + 0xFEE0 }, code)
	for name, tt := range map[string]struct {
		args []string
		want []string // blocking or reviewing reasons
	}{
		"full-width code":  {[]string{"--uscc", wide}, nil},
		"lower-case code":  {[]string{"--uscc", strings.ToLower(code)}, nil},
		"ID number with x": {[]string{"--id-number", "11010519491231002x"}, nil},
		"wrong ID number":  {[]string{"--id-number", "110105194912310021"}, []string{"id_number_checksum_invalid"}},
		"another code":     {[]string{"--uscc", "91100000100003962T"}, []string{"uscc_mismatch"}},
		"another name":     {[]string{"--name", "另一家测试有限公司"}, []string{"name_mismatch"}},
	} {
		args := append([]string{"--quiet", "verify", "--json"}, tt.args...)
		stdout, stderr, exitCode := heyan(t, append(args, filepath.Join(samples, "clean_pass.jpg"))...)
		reports := reportsOf(t, stdout)
		if len(reports) != 1 {
			t.Fatalf("%s: %d reports; stderr %s", name, len(reports), stderr)
		}
		var got []string
		for _, reason := range reports[0].Reasons {
			if reason.Severity != report.SeverityInfo {
				got = append(got, reason.Code)
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %v, want %v", name, got, tt.want)
		}
		if want := map[bool]int{true: exitPass, false: exitVerdict}[len(tt.want) == 0]; exitCode != want {
			t.Errorf("%s: exit code %d, want %d", name, exitCode, want)
		}
		if number := "11010519491231002"; strings.Contains(stdout+stderr, number) {
			t.Errorf("%s: the ID number is in the output", name)
		}
	}
}

func TestUsage(t *testing.T) {
	for name, tt := range map[string]struct {
		args []string
		code int
		says string
	}{
		"no command":     {nil, exitUsage, "expected one of"},
		"no file":        {[]string{"verify"}, exitUsage, "file"},
		"unknown flag":   {[]string{"verify", "--nmae=x", "a.jpg"}, exitUsage, "nmae"},
		"unknown policy": {[]string{"verify", "--policy=none", "a.jpg"}, exitUsage, "no such policy"},
		"unknown number": {[]string{"check", "vat", "1"}, exitUsage, "vat"},
		"unknown defect": {[]string{"synth", "write", "--defects=sunburn", t.TempDir()}, exitUsage, "sunburn"},
		"no truth":       {[]string{"eval", "none.tsv"}, exitUsage, "none.tsv"},
		"no key":         {[]string{"submit", "--key=", filepath.Join(samples, "scene.jpg")}, exitUsage, "HEYAN_KEY"},
		"help":           {[]string{"--help"}, exitPass, ""},
		"version":        {[]string{"--version"}, exitPass, ""},
		"no service there": {[]string{"--quiet", "submit", "--key=hy_x", "--timeout=2s", "--service=http://127.0.0.1:9", filepath.Join(samples, "scene.jpg")},
			exitBroken, ""},
	} {
		_, stderr, code := heyan(t, tt.args...)
		if code != tt.code || !strings.Contains(stderr, tt.says) {
			t.Errorf("%s: exit code %d, want %d; stderr %q, want %q in it", name, code, tt.code, stderr, tt.says)
		}
	}
}

func TestCheck(t *testing.T) {
	for _, tt := range []struct {
		kind, number string
		verdict      codes.Verdict
		code         int
	}{
		{"uscc", "91100000100003962T", codes.VerdictValid, exitPass},
		{"uscc", "９１１０００００１００００３９６２ｔ", codes.VerdictValid, exitPass},
		{"uscc", "91100000100003962L", codes.VerdictInvalid, exitVerdict},
		{"uscc", "91350211M0000XUF46", codes.VerdictPilotException, exitVerdict},
		{"regno", "110108000000016", codes.VerdictValid, exitPass},
		{"id", "11010519491231002x", codes.VerdictValid, exitPass},
	} {
		stdout, _, code := heyan(t, "check", "--json", tt.kind, tt.number)
		var got codes.Result
		if err := json.Unmarshal([]byte(stdout), &got); err != nil {
			t.Fatal(err)
		}
		if got.Verdict != tt.verdict || code != tt.code {
			t.Errorf("%s %s: got %s, exit code %d; want %s, %d", tt.kind, tt.number, got.Verdict, code, tt.verdict, tt.code)
		}
		if tt.kind == "id" && strings.Contains(stdout, "1949123100") {
			t.Errorf("the ID number is not masked: %s", stdout)
		}
	}
}

// TestReportShape holds the keys of a report, whatever their values.
func TestReportShape(t *testing.T) {
	stdout, _, _ := heyan(t, "--quiet", "verify", "--json", "--name=另一家测试有限公司", filepath.Join(samples, "clean_pass.jpg"))
	var decoded any
	if err := json.Unmarshal([]byte(stdout), &decoded); err != nil {
		t.Fatal(err)
	}
	keys := map[string]bool{}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, inner := range v {
				walk(path+"."+key, inner)
			}
		case []any:
			for _, inner := range v {
				walk(path+"[]", inner)
			}
		default:
			keys[fmt.Sprintf("%s %T", strings.TrimPrefix(path, "."), v)] = true
		}
	}
	walk("", decoded)
	got := strings.Join(slices.Sorted(maps.Keys(keys)), "\n") + "\n"
	golden := filepath.Join("testdata", "report_shape.golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want := string(read(t, golden)); got != want {
		t.Errorf("the report's shape changed; got\n%s", got)
	}
}

// TestDemo runs the main job as a newcomer would.
func TestDemo(t *testing.T) {
	stdout, stderr, code := heyan(t, "--quiet", "demo", samples)
	if code != exitPass {
		t.Errorf("exit code %d; stdout\n%s\nstderr %s", code, stdout, stderr)
	}
	if !strings.Contains(stdout, "are the expected ones") {
		t.Errorf("got\n%s", stdout)
	}
	if strings.Contains(stdout+stderr, "110105194912") {
		t.Error("the ID number is in the output")
	}
}

func TestDoctor(t *testing.T) {
	stdout, _, code := heyan(t, "--quiet", "doctor")
	if code != exitPass {
		t.Errorf("exit code %d, stdout\n%s", code, stdout)
	}
	for _, part := range []string{"ONNX Runtime", "Tesseract", "pdftoppm", "engine child"} {
		if !regexp.MustCompile(`(?m)^ok +` + part).MatchString(stdout) {
			t.Errorf("%s is not ok in\n%s", part, stdout)
		}
	}
}

// TestDoctorNamesWhatIsMissing, and TestFallback: without models Tesseract reads,
// and the report says so.
func TestDoctorNamesWhatIsMissing(t *testing.T) {
	t.Setenv("HEYAN_ASSETS", t.TempDir())
	stdout, stderr, code := heyan(t, "--quiet", "doctor")
	if code != exitBroken || !strings.Contains(stdout, "libonnxruntime.so.1") || !strings.Contains(stderr, "make deps") {
		t.Errorf("exit code %d, stdout\n%s\nstderr %s", code, stdout, stderr)
	}
}

func TestFallback(t *testing.T) {
	t.Setenv("HEYAN_ASSETS", t.TempDir())
	stdout, _, _ := heyan(t, "--quiet", "verify", "--json", filepath.Join(samples, "branch.jpg"))
	reports := reportsOf(t, stdout)
	if len(reports) != 1 || !strings.HasPrefix(reports[0].Versions["reader"], "tesseract") {
		t.Fatalf("got %s", stdout)
	}
	if r := reports[0]; r.Outcome == report.OutcomeError || r.Document.Kind != report.KindBusinessLicense {
		t.Errorf("got %s, %s, reasons %v", r.Outcome, r.Document.Kind, reasonCodes(r))
	}
}

// service starts heyan serve on a data folder and returns its address and a
// way to kill it at once; its first key goes into the environment.
func service(t *testing.T, data string) (address string, kill func()) {
	t.Helper()
	command := exec.Command(binaryPath, "--quiet", "serve", "--data", data, "--listen", "127.0.0.1:0")
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	command.Stderr = os.Stderr
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	killed := false
	kill = func() {
		if !killed {
			killed = true
			if err := command.Process.Signal(syscall.SIGKILL); err != nil {
				t.Error(err)
			}
			// A killed process has no other end than the signal.
			_ = command.Wait()
		}
	}
	t.Cleanup(kill)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if found := regexp.MustCompile(`hy_\S+`).FindString(lines.Text()); found != "" {
			t.Setenv("HEYAN_KEY", found)
		}
		if address = regexp.MustCompile(`http://\S+`).FindString(lines.Text()); address != "" {
			return address, kill
		}
	}
	t.Fatal("serve said no address")
	return "", kill
}

// TestServiceSurvivesKill: what was acknowledged is verified after kill -9, and a
// 200 MB upload is refused without harm.
func TestServiceSurvivesKill(t *testing.T) {
	data := t.TempDir()
	address, kill := service(t, data)
	api := &client.HTTP{Base: address, Key: os.Getenv("HEYAN_KEY")}

	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address+"/v1/verifications",
		io.MultiReader(strings.NewReader("--x\r\nContent-Disposition: form-data; name=\"picture\"; filename=\"p\"\r\n\r\n"),
			io.LimitReader(zeros{}, 200<<20)))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "multipart/form-data; boundary=x")
	request.Header.Set("Authorization", "Bearer "+api.Key)
	if response, err := http.DefaultClient.Do(request); err == nil { // the server may also hang up
		if response.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("200 MB: got %s", response.Status)
		}
		response.Body.Close()
	}

	picture := read(t, filepath.Join(samples, "clean_pass.jpg"))
	var ids []string
	for i := range 4 {
		v, err := api.Submit(t.Context(), picture, report.Submission{Policy: "photo"}, fmt.Sprintf("key-%d", i))
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, v.ID)
	}
	time.Sleep(1500 * time.Millisecond) // somewhere in the middle of the work
	kill()
	address, _ = service(t, data)
	api.Base = address
	for _, id := range ids {
		v, err := api.Wait(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if v.Outcome != report.OutcomePass {
			t.Errorf("%s: %s, reasons %v", id, v.Outcome, v.Reasons)
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
