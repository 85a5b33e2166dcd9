package intake

import (
	"fmt"
	"strings"

	"github.com/heyan/heyan/pipeline/report"
)

// The codes of an Error, as in the catalogue of reasons.
const (
	CodeTypeNotSupported = "file_type_not_supported"
	CodeTooLarge         = "file_too_large"
	CodeUnreadable       = "file_unreadable"
	CodeEngineFailed     = "system_engine_failed" // our failure, never the applicant's
)

// Error says why a file was not taken in.
type Error struct {
	Code string
	// Rule is what was broken, lower_snake.
	// file_type_not_supported: magic, format, variant.
	// file_too_large: bytes, pixels.
	// file_unreadable: empty, truncated, corrupt, dimensions, palette_index,
	// scans, encrypted, no_pages, too_complex.
	// system_engine_failed: pdftoppm_missing and the like, pdftoppm_failed and
	// the like, hevc_missing, temporary_folder.
	Rule         string
	Limit, Value float64 // bytes, pixels, scans, strips or seconds, by Rule; both 0 where nothing was measured

	accepted []string // names of formats, for file_type_not_supported
	internal error
}

// Error is for logs. It never quotes the file.
func (e *Error) Error() string {
	s := e.Code + ": " + e.Rule
	if e.Limit != 0 {
		s += fmt.Sprintf(" %.0f, limit %.0f", e.Value, e.Limit)
	}
	if e.internal != nil {
		s += ": " + e.internal.Error()
	}
	return s
}

// Unwrap gives the cause, if any.
func (e *Error) Unwrap() error { return e.internal }

// Retryable says whether the same file may be taken in at another time.
func (e *Error) Retryable() bool { return e.Code == CodeEngineFailed }

// Public is for the applicant.
func (e *Error) Public() report.Text {
	switch e.Code {
	case CodeTypeNotSupported:
		names := formatNames(e.accepted)
		if e.Rule == "variant" {
			return report.Text{
				ZH: "该文件采用了不支持的图片编码方式，请另存为 JPEG 或 PNG 后重新上传。",
				EN: "The file uses a kind of encoding that is not supported. Save it as JPEG or PNG and upload it again.",
			}
		}
		return report.Text{
			ZH: "文件类型不受支持，可接受的类型：" + strings.Join(names, "、") + "。文件类型按内容判断，与文件名无关。",
			EN: "The type of the file is not supported. Accepted are " + strings.Join(names, ", ") + ". The type is told from the content, not from the name.",
		}
	case CodeTooLarge:
		if e.Rule == "bytes" {
			return report.Text{
				ZH: fmt.Sprintf("文件过大，最大允许 %s MB。", megas(e.Limit/(1<<20))),
				EN: fmt.Sprintf("The file is too large: at most %s MB are accepted.", megas(e.Limit/(1<<20))),
			}
		}
		return report.Text{
			ZH: fmt.Sprintf("图片像素过多：%s 百万像素，最大允许 %s 百万像素。", megas(e.Value/1e6), megas(e.Limit/1e6)),
			EN: fmt.Sprintf("The picture is too large: %s megapixels, at most %s are accepted.", megas(e.Value/1e6), megas(e.Limit/1e6)),
		}
	case CodeEngineFailed:
		return report.Text{
			ZH: "系统暂时无法处理该文件，这不是您的问题，请稍后再试。",
			EN: "Our system cannot process the file at the moment. This is not your fault; please try again later.",
		}
	}
	switch e.Rule {
	case "empty":
		return report.Text{ZH: "文件为空。", EN: "The file is empty."}
	case "truncated":
		return report.Text{ZH: "文件不完整，请重新上传完整的文件。", EN: "The file is incomplete. Upload the whole file again."}
	case "encrypted":
		return report.Text{ZH: "文件已加密，请上传无需密码即可打开的文件。", EN: "The file is encrypted. Upload one that opens without a password."}
	case "no_pages":
		return report.Text{ZH: "文件中没有页面。", EN: "The file has no pages."}
	case "scans", "too_complex":
		return report.Text{ZH: "文件过于复杂，无法打开，请重新拍照上传。", EN: "The file is too complex to be opened. Take a new photo and upload it."}
	}
	return report.Text{ZH: "文件已损坏，无法打开。", EN: "The file is damaged and cannot be opened."}
}

// megas prints a count of millions without needless digits.
func megas(v float64) string {
	return strings.TrimSuffix(fmt.Sprintf("%.1f", v), ".0")
}

func unreadable(rule string, internal error) *Error {
	return &Error{Code: CodeUnreadable, Rule: rule, internal: internal}
}

func variant(internal error) *Error {
	return &Error{Code: CodeTypeNotSupported, Rule: "variant", internal: internal}
}
