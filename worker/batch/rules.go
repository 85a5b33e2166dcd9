package batch

import (
	"fmt"

	"github.com/heyan/heyan/pipeline/report"
)

// Rule names what a line, a file or a picture broke.
type Rule string

// The rules of lines.
const (
	RuleMissing          Rule = "missing"
	RuleTooLong          Rule = "too_long"
	RuleNotUTF8          Rule = "not_utf8"
	RuleNotGB18030       Rule = "not_gb18030"
	RuleControlCharacter Rule = "control_character"
	RuleNotAllowed       Rule = "not_allowed"
	RuleDuplicateID      Rule = "duplicate_custom_id"
	RuleLineTooLong      Rule = "line_too_long"
	RuleTooManyCells     Rule = "too_many_cells"
	RuleQuotes           Rule = "quotes"
	RuleNotJSON          Rule = "not_json"
	RuleNotAnObject      Rule = "not_an_object"
	RuleDuplicateKey     Rule = "duplicate_key"
	RuleNotAString       Rule = "not_a_string"
	RuleLostDigits       Rule = "number_lost_digits"
	RuleNumberFormat     Rule = "number_format"
	RuleCellError        Rule = "cell_error"
)

// The rules of files.
const (
	RuleEmpty           Rule = "empty"
	RuleNotText         Rule = "not_text"
	RuleUTF16           Rule = "utf16"
	RuleOtherFormat     Rule = "other_format"
	RuleOldSpreadsheet  Rule = "old_spreadsheet"
	RuleMissingColumn   Rule = "missing_column"
	RuleDuplicateColumn Rule = "duplicate_column"
	RuleTooManyColumns  Rule = "too_many_columns"
	RuleTooManyLines    Rule = "too_many_lines"
	RuleDamaged         Rule = "damaged"
	RuleTooLarge        Rule = "too_large"
	RuleNoSheet         Rule = "no_sheet"
	RuleTooManyEntries  Rule = "too_many_entries"
)

// The rules of pictures; RuleEmpty, RuleDamaged and RuleTooLarge are among them.
const (
	RuleNotFound        Rule = "not_found"
	RuleOutside         Rule = "outside"
	RuleNotAFile        Rule = "not_a_file"
	RuleUnreadable      Rule = "unreadable"
	RuleAmbiguous       Rule = "ambiguous"
	RuleEncrypted       Rule = "encrypted"
	RuleUnfitUpload     Rule = "unfit_upload"
	RuleNoStoredPicture Rule = "no_stored_picture"
)

// messages take what the rule was given: a limit, a line, a list.
var messages = map[Rule]report.Text{
	RuleMissing:          {ZH: "该列不能为空。", EN: "The column must not be empty."},
	RuleTooLong:          {ZH: "内容过长，最多%d字节。", EN: "The value may have %d bytes."},
	RuleNotUTF8:          {ZH: "内容不是有效的UTF-8文本。", EN: "The text is not valid UTF-8."},
	RuleNotGB18030:       {ZH: "内容不是有效的GB18030文本。", EN: "The text is not valid GB18030."},
	RuleControlCharacter: {ZH: "内容含有换行等控制字符。", EN: "The value has control characters, such as line breaks."},
	RuleNotAllowed:       {ZH: "内容须为以下之一：%s。", EN: "The value must be one of %s."},
	RuleDuplicateID:      {ZH: "该自定义编号已在第%d行出现。", EN: "This custom_id stands in line %d already."},
	RuleLineTooLong:      {ZH: "第%d行至第%d行过长，最多%d字节；未读取。", EN: "Lines %d to %d are too long and were passed over; a line may have %d bytes."},
	RuleTooManyCells:     {ZH: "该行的单元格多于表头。", EN: "The line has more cells than the header."},
	RuleQuotes:           {ZH: "第%d行至第%d行的引号不成对；未读取。", EN: "The quotes of lines %d to %d do not match; they were passed over."},
	RuleNotJSON:          {ZH: "该行不是一个完整的JSON对象。", EN: "The line is not one complete JSON object."},
	RuleNotAnObject:      {ZH: "该行不是JSON对象。", EN: "The line is JSON, but no object."},
	RuleDuplicateKey:     {ZH: "该键出现了两次。", EN: "The key is given twice."},
	RuleNotAString:       {ZH: "值须为字符串。", EN: "The value must be a string."},
	RuleLostDigits:       {ZH: "单元格按数值保存，超过15位的数字已丢失；请设为文本后重新填写。", EN: "The cell is a number and has lost the digits after the 15th: make it text and enter it again."},
	RuleNumberFormat:     {ZH: "单元格是日期或带格式的数值；请改为文本。", EN: "The cell is a date or a formatted number: make it text."},
	RuleCellError:        {ZH: "单元格的公式出错或内容损坏。", EN: "The cell's formula failed, or the cell is damaged."},

	RuleEmpty:           {ZH: "文件为空。", EN: "The file is empty."},
	RuleNotText:         {ZH: "文件不是文本。", EN: "The file is not text."},
	RuleUTF16:           {ZH: "文件是UTF-16编码；请另存为UTF-8。", EN: "The file is UTF-16: save it as UTF-8."},
	RuleOtherFormat:     {ZH: "文件内容不是%s格式。", EN: "The content of the file is not %s."},
	RuleOldSpreadsheet:  {ZH: "文件是旧版（xls）或加密的表格；请另存为未加密的xlsx。", EN: "The file is an old (xls) or encrypted spreadsheet: save it as xlsx without a password."},
	RuleMissingColumn:   {ZH: "表头缺少“自定义编号”（custom_id）列；各列须以逗号分隔。", EN: "The header has no column custom_id; columns are separated by commas."},
	RuleDuplicateColumn: {ZH: "表头中%s列出现了两次。", EN: "The header has the column %s twice."},
	RuleTooManyColumns:  {ZH: "文件最多%d列。", EN: "A file may have %d columns."},
	RuleTooManyLines:    {ZH: "文件最多%d行；请拆分。", EN: "A file may have %d lines: split it."},
	RuleDamaged:         {ZH: "文件已损坏。", EN: "The file is damaged."},
	RuleTooLarge:        {ZH: "内容过大，最多%d字节。", EN: "The content is too large, %d bytes at most."},
	RuleNoSheet:         {ZH: "文件中没有可见的工作表。", EN: "The file has no visible sheet."},
	RuleTooManyEntries:  {ZH: "压缩包最多含%d个文件。", EN: "An archive may have %d files."},

	RuleNotFound:   {ZH: "找不到该照片。", EN: "There is no such picture."},
	RuleOutside:    {ZH: "路径超出了照片文件夹。", EN: "The path leads out of the folder of pictures."},
	RuleNotAFile:   {ZH: "该路径不是文件。", EN: "The path is not a file."},
	RuleUnreadable: {ZH: "没有权限打开该照片，或其链接循环。", EN: "The picture may not be opened, or its links run in a circle."},
	RuleAmbiguous:  {ZH: "压缩包中有多个同名文件。", EN: "The archive has several files of this name."},
	RuleEncrypted:  {ZH: "压缩包已加密。", EN: "The archive is encrypted."},

	RuleUnfitUpload:     {ZH: "上传的文件为空、过大或不是照片。", EN: "The upload is empty, too large or no picture."},
	RuleNoStoredPicture: {ZH: "该行没有照片，该组织也没有已保存的照片。", EN: "The line names no picture, and none of the organization is stored."},
}

// Message says in words what broke a rule that needs none of its limits said.
func (r Rule) Message() report.Text { return messages[r] }

func (r Rule) message(args ...any) report.Text {
	m := messages[r]
	if len(args) == 0 {
		return m
	}
	return report.Text{ZH: fmt.Sprintf(m.ZH, args...), EN: fmt.Sprintf(m.EN, args...)}
}

func fileError(r Rule, args ...any) *FileError { return &FileError{r, r.message(args...)} }
