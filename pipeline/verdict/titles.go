package verdict

import (
	"cmp"

	"github.com/heyan/heyan/pipeline/report"
)

// titles are short names of reasons and of checks, for lists and for those who
// choose among them.
var titles = map[string]report.Text{
	"file_type_not_supported": {ZH: "文件类型不支持", EN: "File type not accepted"},
	"file_too_large":          {ZH: "文件过大", EN: "File too large"},
	"file_unreadable":         {ZH: "文件无法打开", EN: "File cannot be opened"},

	"image_blurry":             {ZH: "照片模糊", EN: "Blurry"},
	"image_resolution_too_low": {ZH: "分辨率不足", EN: "Resolution too low"},
	"image_too_dark":           {ZH: "照片太暗", EN: "Too dark"},
	"image_overexposed":        {ZH: "曝光过度", EN: "Overexposed"},
	"image_low_contrast":       {ZH: "字迹太淡", EN: "Low contrast"},
	"image_glare":              {ZH: "反光", EN: "Glare"},
	"image_cut_off":            {ZH: "拍摄不完整", EN: "Cut off"},
	"image_covered":            {ZH: "被遮挡", EN: "Covered"},
	"image_grayscale_copy":     {ZH: "黑白复印件", EN: "Black-and-white copy"},
	"image_screen_recapture":   {ZH: "翻拍屏幕", EN: "Photo of a screen"},
	"image_screenshot":         {ZH: "截图", EN: "Screenshot"},
	"image_edited":             {ZH: "疑似编辑过", EN: "Edited"},

	"document_not_a_license":      {ZH: "不是营业执照", EN: "Not a license"},
	"document_other_certificate":  {ZH: "其他证件", EN: "Another certificate"},
	"document_multiple":           {ZH: "多份证件", EN: "Several documents"},
	"document_specimen":           {ZH: "样本", EN: "Specimen"},
	"document_masked":             {ZH: "有涂抹或打码", EN: "Masked"},
	"document_legacy":             {ZH: "旧版执照（无统一代码）", EN: "Legacy license without a code"},
	"document_expired":            {ZH: "执照已到期", EN: "License expired"},
	"document_expiring":           {ZH: "执照即将到期", EN: "License about to expire"},
	"document_field_missing":      {ZH: "缺少应有的项目", EN: "Printed field missing"},
	"document_copy_without_seal":  {ZH: "复印件无红章", EN: "Copy without a red seal"},
	"document_inconsistent":       {ZH: "执照内容自相矛盾", EN: "License contradicts itself"},
	"uscc_unreadable":             {ZH: "代码看不清", EN: "Code not readable"},
	"uscc_checksum_invalid":       {ZH: "代码校验不符", EN: "Code fails its checksum"},
	"uscc_category_not_supported": {ZH: "机构类别不适用", EN: "Kind of organization not served"},
	"uscc_pilot_code":             {ZH: "试点代码", EN: "Pilot code"},
	"uscc_qr_mismatch":            {ZH: "代码与二维码不一致", EN: "Code differs from the QR code"},
	"uscc_mismatch":               {ZH: "代码与填写的不一致", EN: "Code differs from what was entered"},
	"name_unreadable":             {ZH: "名称看不清", EN: "Name not readable"},
	"name_mismatch":               {ZH: "名称与填写的不一致", EN: "Name differs from what was entered"},
	"name_variant":                {ZH: "名称写法不同", EN: "Name written differently"},
	"legal_rep_mismatch":          {ZH: "法定代表人不一致", EN: "Legal representative differs"},
	"id_number_format_invalid":    {ZH: "证件号码格式不对", EN: "ID number not well formed"},
	"id_number_checksum_invalid":  {ZH: "证件号码校验不符", EN: "ID number fails its checksum"},
	"id_number_missing":           {ZH: "未填证件号码", EN: "ID number missing"},
	"declared_field_missing":      {ZH: "未填必填项", EN: "Required entry missing"},
	"contact_email_invalid":       {ZH: "邮箱格式不对", EN: "Email not valid"},
	"contact_phone_invalid":       {ZH: "电话格式不对", EN: "Phone not valid"},
	"entity_type_mismatch":        {ZH: "组织类型不一致", EN: "Kind of organization differs"},

	"name_taken":      {ZH: "名称已被认证", EN: "Name taken"},
	"name_confusable": {ZH: "名称易混淆", EN: "Name easily confused"},
	"license_in_use":  {ZH: "执照已被使用", EN: "License in use"},
	"photo_reused":    {ZH: "照片重复使用", EN: "Photo reused"},
	"contact_reused":  {ZH: "联系方式重复使用", EN: "Contact reused"},

	"certification_changed": {ZH: "与上次认证不同", EN: "Not as certified before"},

	codeEngineFailed:             {ZH: "系统未能识别", EN: "Our reading failed"},
	"system_storage_unavailable": {ZH: "存储不可用", EN: "Storage unavailable"},
	"system_timeout":             {ZH: "处理超时", EN: "Timed out"},

	checkProcessing:        {ZH: "系统处理", EN: "Processing"},
	checkFile:              {ZH: "文件", EN: "File"},
	"image_blur":           {ZH: "清晰度", EN: "Sharpness"},
	"image_resolution":     {ZH: "分辨率", EN: "Resolution"},
	"image_contrast":       {ZH: "对比度", EN: "Contrast"},
	"image_darkness":       {ZH: "亮度", EN: "Darkness"},
	"image_exposure":       {ZH: "曝光", EN: "Exposure"},
	"image_bounds":         {ZH: "画面完整", EN: "Nothing cut off"},
	"image_cover":          {ZH: "无遮挡", EN: "Nothing covered"},
	checkDocumentKind:      {ZH: "证件种类", EN: "Kind of document"},
	"document_single":      {ZH: "只有一份证件", EN: "One document only"},
	"document_masking":     {ZH: "无涂抹", EN: "Nothing masked"},
	"document_color":       {ZH: "彩色原件或红章", EN: "Color or red seal"},
	"image_screen":         {ZH: "非翻拍屏幕", EN: "Not a screen"},
	"image_editing":        {ZH: "无编辑痕迹", EN: "No traces of editing"},
	checkUSCCReadable:      {ZH: "代码可读", EN: "Code readable"},
	checkUSCCChecksum:      {ZH: "代码校验", EN: "Checksum of the code"},
	"uscc_category":        {ZH: "机构类别", EN: "Kind of organization"},
	"uscc_qr":              {ZH: "代码与二维码", EN: "Code against QR code"},
	"document_edition":     {ZH: "执照版本", EN: "Edition"},
	checkNameReadable:      {ZH: "名称可读", EN: "Name readable"},
	"document_fields":      {ZH: "项目齐全", EN: "Printed fields"},
	"document_term":        {ZH: "有效期限", EN: "Term of operation"},
	"document_consistency": {ZH: "内容一致", EN: "Consistency"},
	"declared_fields":      {ZH: "必填项", EN: "Required entries"},
	"declared_codes":       {ZH: "填写的代码", EN: "Codes entered"},
	"uscc_match":           {ZH: "代码与填写的一致", EN: "Code as entered"},
	"name_match":           {ZH: "名称与填写的一致", EN: "Name as entered"},
	"legal_rep_match":      {ZH: "法定代表人与填写的一致", EN: "Legal representative as entered"},
	"entity_type_match":    {ZH: "组织类型与填写的一致", EN: "Kind of organization as entered"},
	"id_number":            {ZH: "证件号码", EN: "ID number"},
	"contact_email":        {ZH: "邮箱", EN: "Email"},
	"contact_phone":        {ZH: "电话", EN: "Phone"},
	"name_lock":            {ZH: "名称未被占用", EN: "Name not taken"},
	"license_use":          {ZH: "执照未被占用", EN: "License not in use"},
	"photo_use":            {ZH: "照片未被使用", EN: "Photo not used before"},
	"contact_use":          {ZH: "联系方式未被使用", EN: "Contact not in use"},
	CheckChange:            {ZH: "与上次认证一致", EN: "As certified before"},
}

// Title is the short name of a reason code or of a check; what has none is its
// own.
func Title(name string) report.Text { return cmp.Or(titles[name], report.Text{ZH: name, EN: name}) }

// Advice is what an applicant is told of a reason that a person gives, without
// measured evidence: what is wrong with which field, and what to do.
func Advice(code string, field report.FieldName) report.Text {
	title, suggestion := Title(code), render(entries[code].Suggestion, field, report.Evidence{})
	return report.Text{ZH: title.ZH + "。" + suggestion.ZH, EN: title.EN + ". " + suggestion.EN}
}
