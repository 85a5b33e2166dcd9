package batch

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"
)

const benchLines = 100_000

// benchCells are those of a line with every column but two filled; line 0 is the
// header.
func benchCells(i int) []string {
	if i == 0 {
		var header []string
		for _, c := range columns {
			header = append(header, c.name)
		}
		return header
	}
	return []string{fmt.Sprintf("C-%06d", i), fmt.Sprintf("org-%06d", i), fmt.Sprintf("霁川测试%06d科技有限公司", i), fmt.Sprintf("91310115%09dH", i), "", "",
		"张试", "resident18", fmt.Sprintf("110105194912%06d", i), fmt.Sprintf("office%d@example.com", i), fmt.Sprintf("138%08d", i), "company", "reverification",
		fmt.Sprintf("photos/2026/%06d.jpg", i)}
}

func benchCSV(_ *testing.B, w io.Writer) {
	for i := range benchLines + 1 {
		fmt.Fprintln(w, strings.Join(benchCells(i), ","))
	}
}

// benchFiles write one file each.
var benchFiles = []struct {
	name   string
	format Format
	write  func(*testing.B, io.Writer)
}{
	{"csv", CSV, benchCSV},
	{"csv_gb18030", CSV, func(b *testing.B, w io.Writer) { benchCSV(b, simplifiedchinese.GB18030.NewEncoder().Writer(w)) }},
	{"jsonl", JSONL, func(b *testing.B, w io.Writer) {
		header, encoder := benchCells(0), json.NewEncoder(w)
		for i := range benchLines {
			object := map[string]string{}
			for at, text := range benchCells(i + 1) {
				object[header[at]] = text
			}
			if err := encoder.Encode(object); err != nil {
				b.Fatal(err)
			}
		}
	}},
	{"xlsx", XLSX, func(b *testing.B, w io.Writer) {
		sheet, err := newSheetWriter(w)
		for i := 0; err == nil && i <= benchLines; i++ {
			err = sheet.write(benchCells(i))
		}
		if err == nil {
			err = sheet.close()
		}
		if err != nil {
			b.Fatal(err)
		}
	}},
	{"xlsx_shared_strings", XLSX, func(b *testing.B, w io.Writer) {
		var sheet, shared strings.Builder
		n := 0
		for i := range benchLines + 1 {
			fmt.Fprintf(&sheet, `<row r="%d">`, i+1)
			for at, text := range benchCells(i) {
				fmt.Fprintf(&shared, "<si><t>%s</t></si>", text)
				fmt.Fprintf(&sheet, `<c r="%c%d" s="0" t="s"><v>%d</v></c>`, 'A'+at, i+1, n)
				n++
			}
			sheet.WriteString("</row>")
		}
		if _, err := w.Write(spreadsheet(sheet.String(), shared.String(), styleList).zip(b)); err != nil {
			b.Fatal(err)
		}
	}},
}

// BenchmarkRead opens and validates 100,000 lines. peak-MB is the most memory that
// the process held.
func BenchmarkRead(b *testing.B) {
	for _, f := range benchFiles {
		b.Run(f.name, func(b *testing.B) {
			file, err := os.Create(filepath.Join(b.TempDir(), f.name))
			if err != nil {
				b.Fatal(err)
			}
			defer file.Close()
			out := bufio.NewWriter(file)
			f.write(b, out)
			if err := out.Flush(); err != nil {
				b.Fatal(err)
			}
			forgetPeak(b)
			for b.Loop() {
				if _, err := file.Seek(0, io.SeekStart); err != nil {
					b.Fatal(err)
				}
				reader, err := Open(file, f.format)
				lines := 0
				for err == nil {
					var found []LineError
					if _, found, err = reader.Next(); found != nil {
						b.Fatal(found)
					}
					lines++
				}
				if err != io.EOF || lines != benchLines+1 {
					b.Fatal(lines, err)
				}
			}
			b.ReportMetric(peakMB(b), "peak-MB")
		})
	}
}

// BenchmarkWrite writes the results of 100,000 lines.
func BenchmarkWrite(b *testing.B) {
	for _, f := range []Format{CSV, JSONL, XLSX} {
		b.Run(string(f), func(b *testing.B) {
			forgetPeak(b)
			for b.Loop() {
				w, err := NewWriter(io.Discard, f, Chinese)
				for i := 0; err == nil && i < benchLines; i++ {
					err = w.Write(results[i%len(results)])
				}
				if err == nil {
					err = w.Close()
				}
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(peakMB(b), "peak-MB")
		})
	}
}

// forgetPeak begins to measure the most resident memory anew (proc(5), clear_refs).
func forgetPeak(b *testing.B) {
	b.Helper()
	debug.FreeOSMemory()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		b.Fatal(err)
	}
}

func peakMB(b *testing.B) float64 {
	b.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	_, peak, _ := strings.Cut(string(status), "VmHWM:")
	kB := 0.0
	if _, err := fmt.Sscan(peak, &kB); err != nil {
		b.Fatal(err)
	}
	return kB / 1000
}
