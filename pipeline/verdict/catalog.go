package verdict

import (
	"slices"

	"github.com/heyan/heyan/pipeline/report"
)

// Entry is a reason as the catalogue has it. Texts hold placeholders in braces
// that are filled from the evidence: {field}, {value}, {limit}, {detail},
// {expected}, {found}, {difference}; in them Expected is what was declared or
// demanded and Found what the picture shows.
type Entry struct {
	Code       string
	Category   report.Category
	NextStep   report.NextStep
	Message    report.Text
	Suggestion report.Text
	Cases      map[string]Case
}

// Case is a reason under particular circumstances. What is empty is as in the
// Entry.
type Case struct {
	Category   report.Category
	NextStep   report.NextStep
	Message    report.Text
	Suggestion report.Text
}

// Catalog lists every reason, in the order of the documentation.
func Catalog() []Entry { return slices.Clone(catalog) }

var entries = func() map[string]Entry {
	m := make(map[string]Entry, len(catalog))
	for _, e := range catalog {
		m[e.Code] = e
	}
	return m
}()

const codeEngineFailed = "system_engine_failed"

// legibleSuggestion goes with a defect that did no harm.
var legibleSuggestion = report.Text{ZH: "所需信息均已识别，无需处理。", EN: "Everything needed could be read all the same; there is nothing to do."}

// Suggestions that several reasons share.
var (
	retakeSharp = report.Text{
		ZH: "请擦净镜头，拿稳手机，对准文字轻点屏幕对焦，待字迹清晰后重新拍摄，并上传原图。",
		EN: "Wipe the lens, hold the phone still, tap the text to focus, take the photo again once the print looks sharp, and upload the original file.",
	}
	personLooks = report.Text{
		ZH: "审核人员将进行核对，请稍候，无需操作。",
		EN: "A reviewer will look at it. Please wait; there is nothing to do.",
	}
	checkTyping = report.Text{
		ZH: "请对照营业执照逐字核对并更正{field}；如果照片上传错了，请换成对应的营业执照。",
		EN: "Compare the {field} with the license character by character and correct it; if the wrong photo was uploaded, upload the right license.",
	}
	tryLater = report.Text{
		ZH: "这不是您的问题，系统会自动重试，请稍后查看结果。",
		EN: "This is not your fault. The system tries again by itself; please look at the result later.",
	}
)

var catalog = []Entry{
	{
		Code: "file_type_not_supported", Category: report.CategoryFile, NextStep: report.NextRetakePhoto,
		Message: report.Text{ZH: "不支持这种文件类型。", EN: "Files of this type are not accepted."},
		Suggestion: report.Text{
			ZH: "请上传以下任一格式的营业执照照片或扫描件：{expected}。",
			EN: "Upload a photo or scan of the license in one of these formats: {expected}.",
		},
	},
	{
		Code: "file_too_large", Category: report.CategoryFile, NextStep: report.NextRetakePhoto,
		Message: report.Text{ZH: "文件过大：{value}，上限为{limit}。", EN: "The file is too large: {value}, at most {limit} are accepted."},
		Suggestion: report.Text{
			ZH: "请用手机相机的普通模式拍摄，或将文件另存为 JPEG 后重新上传，文字须保持清晰。",
			EN: "Take the photo in the camera's normal mode or save the file as JPEG, keep the print readable, and upload it again.",
		},
	},
	{
		Code: "file_unreadable", Category: report.CategoryFile, NextStep: report.NextRetakePhoto,
		Message:    report.Text{ZH: "文件无法打开，可能已损坏、不完整或被加密。", EN: "The file cannot be opened; it may be damaged, incomplete or encrypted."},
		Suggestion: report.Text{ZH: "请在手机或电脑上确认文件可以正常打开，然后重新拍摄或重新上传。", EN: "Make sure that the file opens on your phone or computer, then take the photo or upload the file again."},
	},

	{
		Code: "image_blurry", Category: report.CategoryImage, NextStep: report.NextRetakePhoto,
		Message: report.Text{
			ZH: "{field}不清晰（{detail}）：笔画模糊的宽度约为字高的{value}，超过{limit}就难以辨认。",
			EN: "The {field} is not sharp ({detail}): strokes are smeared over {value} of the height of a character; beyond {limit} they can hardly be told apart.",
		},
		Suggestion: retakeSharp,
		Cases: map[string]Case{"noise": {
			Message: report.Text{
				ZH: "照片噪点太多，{field}难以辨认：噪点强度为{value}，不应超过{limit}。",
				EN: "The photo is so noisy that the {field} can hardly be made out: the noise has a strength of {value}, at most {limit} is acceptable.",
			},
			Suggestion: report.Text{
				ZH: "请在光线充足的地方重新拍摄，不要使用数码变焦，并上传原图。",
				EN: "Take the photo again in bright light and without digital zoom, and upload the original file.",
			},
		}},
	},
	{
		Code: "image_resolution_too_low", Category: report.CategoryImage, NextStep: report.NextRetakePhoto,
		Message: report.Text{
			ZH: "{field}的文字太小：字高约{value}，至少需要{limit}。",
			EN: "The {field} is too small in the picture: characters are about {value} high, at least {limit} are needed.",
		},
		Suggestion: report.Text{
			ZH: "请靠近拍摄，让营业执照占满画面，并上传原图；不要使用聊天软件压缩过的图片或截图。",
			EN: "Move closer until the license fills the picture and upload the original file, not one that a messenger has compressed and not a screenshot.",
		},
		Cases: map[string]Case{"picture": {Message: report.Text{
			ZH: "照片尺寸太小：短边{value}，至少需要{limit}。",
			EN: "The picture is too small: its shorter side has {value}, at least {limit} are needed.",
		}}, "enlarged": {Message: report.Text{
			ZH: "照片是由小图放大的：{field}的细节只相当于字高{value}，至少需要{limit}。",
			EN: "The picture was enlarged from a small one: the {field} shows no more detail than characters {value} high would, at least {limit} are needed.",
		}}},
	},
	{
		Code: "image_too_dark", Category: report.CategoryImage, NextStep: report.NextRetakePhoto,
		Message:    report.Text{ZH: "照片太暗：纸面亮度为{value}，至少需要{limit}。", EN: "The photo is too dark: the paper has a brightness of {value}, at least {limit} is needed."},
		Suggestion: report.Text{ZH: "请在光线充足、均匀的地方重新拍摄，避免自己的影子落在执照上。", EN: "Take the photo again in good, even light and keep your own shadow off the license."},
		Cases: map[string]Case{"shadow": {Message: report.Text{
			ZH: "照片上有很深的阴影：阴影处的亮度只有明亮处的{value}，至少需要{limit}。",
			EN: "A deep shadow lies on the license: the paper in it has {value} of the light beside it, at least {limit} is needed.",
		}}},
	},
	{
		Code: "image_overexposed", Category: report.CategoryImage, NextStep: report.NextRetakePhoto,
		Message:    report.Text{ZH: "照片过亮，字迹发白：字迹亮度为{value}，不应超过{limit}。", EN: "The photo is overexposed and the print has faded: ink has a brightness of {value}, at most {limit} can be read."},
		Suggestion: report.Text{ZH: "请关闭闪光灯，避开直射光，轻点执照让相机重新测光后再拍摄。", EN: "Turn the flash off, avoid direct light, tap the license so that the camera measures it, and take the photo again."},
		Cases: map[string]Case{"faint": {Message: report.Text{
			ZH: "照片过亮，{field}的字迹发白：与纸面的对比度为{value}，至少需要{limit}。",
			EN: "The photo is overexposed and the {field} has faded: its contrast with the paper is {value}, at least {limit} is needed.",
		}}},
	},
	{
		Code: "image_low_contrast", Category: report.CategoryImage, NextStep: report.NextRetakePhoto,
		Message: report.Text{
			ZH: "{field}的字迹太淡：与纸面的对比度为{value}，至少需要{limit}。",
			EN: "The {field} is too faint: its contrast with the paper is {value}, at least {limit} is needed.",
		},
		Suggestion: report.Text{ZH: "请在光线充足、均匀的地方拍摄执照原件，避免反光、阴影和褪色的复印件。", EN: "Photograph the original in good, even light, without reflections or shadows; do not use a faded copy."},
	},
	{
		Code: "image_glare", Category: report.CategoryImage, NextStep: report.NextRetakePhoto,
		Message:    report.Text{ZH: "反光盖住了必要文字的{value}，不应超过{limit}。", EN: "A reflection hides {value} of text that is needed; at most {limit} is acceptable."},
		Suggestion: report.Text{ZH: "请关闭闪光灯，取出镜框或塑封，或稍微改变角度，使文字处没有反光后重新拍摄。", EN: "Turn the flash off, take the license out of its frame or sleeve or tilt the phone a little until no text reflects, and take the photo again."},
	},
	{
		Code: "image_cut_off", Category: report.CategoryImage, NextStep: report.NextRetakePhoto,
		Message:    report.Text{ZH: "营业执照没有拍全：必要文字距画面边缘只有{value}个字宽，至少需要{limit}个。", EN: "The license is cut off: text that is needed is {value} characters from the edge of the picture, at least {limit} are needed."},
		Suggestion: report.Text{ZH: "请将手机拿远一些，让执照的四个角都在画面内，重新拍摄。", EN: "Hold the phone farther away until all four corners of the license are in the picture, and take the photo again."},
	},
	{
		Code: "image_covered", Category: report.CategoryImage, NextStep: report.NextRetakePhoto,
		Message:    report.Text{ZH: "有物体挡住了必要文字的{value}，不应超过{limit}。", EN: "Something covers {value} of text that is needed; at most {limit} is acceptable."},
		Suggestion: report.Text{ZH: "请移开手指、夹子、贴纸等遮挡物后重新拍摄。", EN: "Remove fingers, clips, stickers and the like from the license, and take the photo again."},
	},
	{
		Code: "image_grayscale_copy", Category: report.CategoryImage, NextStep: report.NextRetakePhoto,
		Message:    report.Text{ZH: "照片是黑白的，可能是复印件。", EN: "The picture has no color; it may show a photocopy."},
		Suggestion: report.Text{ZH: "请拍摄营业执照原件的彩色照片或上传彩色扫描件。", EN: "Take a color photo of the original license or upload a color scan."},
		Cases: map[string]Case{"seal_not_measured": {
			Message:    report.Text{ZH: "照片是黑白的，可能是复印件，需确认是否加盖了公章。", EN: "The picture has no color and may show a photocopy; whether it bears a fresh seal has to be seen."},
			Suggestion: report.Text{ZH: "审核人员将进行核对；如手边有原件，上传彩色照片会更快。", EN: "A reviewer will look at it; a color photo of the original is faster if you have it at hand."},
		}},
	},
	{
		Code: "image_screen_recapture", Category: report.CategoryImage, NextStep: report.NextRetakePhoto,
		Message:    report.Text{ZH: "照片疑似翻拍自屏幕（屏幕纹强度{value}，正常不超过{limit}）。", EN: "The photo seems to be taken of a screen (strength of the screen pattern {value}, normally at most {limit})."},
		Suggestion: report.Text{ZH: "请直接拍摄纸质营业执照原件；如使用电子营业执照，请上传下载的原始文件。", EN: "Photograph the paper license itself; for an electronic license upload the file that was downloaded."},
	},
	{
		Code: "image_screenshot", Category: report.CategoryImage, NextStep: report.NextRetakePhoto,
		Message:    report.Text{ZH: "图片疑似截图（可能性{value}，上限{limit}）。", EN: "The picture seems to be a screenshot (probability {value}, limit {limit})."},
		Suggestion: report.Text{ZH: "请直接拍摄营业执照，或上传电子营业执照的原始文件。", EN: "Photograph the license itself or upload the original file of the electronic license."},
	},
	{
		Code: "image_edited", Category: report.CategoryImage, NextStep: report.NextRetakePhoto,
		Message:    report.Text{ZH: "文件中留有图片编辑软件的痕迹：{found}。", EN: "The file bears the trace of picture editing software: {found}."},
		Suggestion: report.Text{ZH: "请上传相机拍摄的原图，不要用修图软件处理或另存。", EN: "Upload the photo as the camera took it, without opening or saving it in an editor."},
	},

	{
		Code: "document_not_a_license", Category: report.CategoryDocument, NextStep: report.NextRetakePhoto,
		Message:    report.Text{ZH: "照片中没有找到营业执照。", EN: "No business license was found in the picture."},
		Suggestion: report.Text{ZH: "请拍摄营业执照正本或副本有文字的一面，让整张执照清晰地出现在画面中。", EN: "Photograph the printed side of the business license, original or duplicate, so that the whole sheet is clearly visible."},
		Cases: map[string]Case{"illegible": {Message: report.Text{
			ZH: "照片太不清楚，看不出其中有没有营业执照。",
			EN: "The picture is too poor to make out whether it shows a business license.",
		}}},
	},
	{
		Code: "document_other_certificate", Category: report.CategoryDocument, NextStep: report.NextRetakePhoto,
		Message:    report.Text{ZH: "照片中的证件是“{found}”，不是营业执照。", EN: "The document in the picture is “{found}”, not a business license (营业执照)."},
		Suggestion: report.Text{ZH: "请上传市场监督管理部门颁发的营业执照；许可证、身份证、开户证明等不能代替。", EN: "Upload the business license (营业执照) that the market regulator issued; permits, identity cards and bank certificates do not replace it."},
		Cases: map[string]Case{"untitled": {Message: report.Text{
			ZH: "照片中的证件不是营业执照。",
			EN: "The document in the picture is not a business license (营业执照).",
		}}},
	},
	{
		Code: "document_multiple", Category: report.CategoryDocument, NextStep: report.NextRetakePhoto,
		Message:    report.Text{ZH: "照片中有{value}份证照，无法确定以哪一份为准。", EN: "The picture shows {value} documents, and it is not certain which one counts."},
		Suggestion: report.Text{ZH: "请每次只拍摄一张营业执照。", EN: "Photograph one business license at a time."},
	},
	{
		Code: "document_specimen", Category: report.CategoryDocument, NextStep: report.NextRetakePhoto,
		Message:    report.Text{ZH: "照片中的营业执照印有“样本”字样，不是有效证照。", EN: "The license in the picture is marked as a specimen and is not a valid document."},
		Suggestion: report.Text{ZH: "请上传本单位真实的营业执照。", EN: "Upload the real business license of your organization."},
	},
	{
		Code: "document_masked", Category: report.CategoryDocument, NextStep: report.NextRetakePhoto,
		Message:    report.Text{ZH: "营业执照上的{field}被遮盖或打码。", EN: "The {field} on the license has been covered or blacked out."},
		Suggestion: report.Text{ZH: "请上传未打码、未涂改的照片；水印不要盖住文字。", EN: "Upload a photo in which nothing is masked or altered, and keep watermarks off the text."},
	},
	{
		Code: "document_legacy", Category: report.CategoryDocument, NextStep: report.NextRenewLicense,
		Message:    report.Text{ZH: "这是旧版营业执照，只有注册号，没有统一社会信用代码。", EN: "This is a license of the former kind: it has a registration number and no unified social credit code."},
		Suggestion: report.Text{ZH: "如已换发新版营业执照，请上传新版；否则请到登记机关换发。", EN: "If a license with an 18-character code has been issued, upload that one; otherwise have it renewed by the registration authority."},
		Cases: map[string]Case{"uscc_declared": {
			NextStep:   report.NextRetakePhoto,
			Message:    report.Text{ZH: "填写了统一社会信用代码，但照片是只有注册号的旧版营业执照，无法核对。", EN: "A unified social credit code was entered, but the photo shows a license of the former kind without one, so that it cannot be compared."},
			Suggestion: report.Text{ZH: "请上传印有18位统一社会信用代码的新版营业执照。", EN: "Upload the license that has the 18-character unified social credit code printed on it."},
		}},
	},
	{
		Code: "document_expired", Category: report.CategoryDocument, NextStep: report.NextRenewLicense,
		Message:    report.Text{ZH: "营业执照的营业期限已于{found}届满。", EN: "The term of operation printed on the license ended on {found}."},
		Suggestion: report.Text{ZH: "请到登记机关办理延期，并上传新的营业执照；如已换发，请上传新照。", EN: "Have the term extended by the registration authority and upload the new license; if you already have it, upload that one."},
		Cases: map[string]Case{"low_confidence": {
			NextStep:   report.NextWait,
			Message:    report.Text{ZH: "营业期限似乎已于{found}届满，但日期识别得不够确定。", EN: "The term of operation seems to have ended on {found}, but the date was not read with certainty."},
			Suggestion: personLooks,
		}},
	},
	{
		Code: "document_expiring", Category: report.CategoryDocument, NextStep: report.NextRenewLicense,
		Message:    report.Text{ZH: "营业执照的营业期限到{found}为止，只剩{value}，要求至少还有{limit}。", EN: "The term of operation ends on {found}, in {value}; at least {limit} are required."},
		Suggestion: report.Text{ZH: "请先到登记机关办理延期，再上传新的营业执照。", EN: "Have the term extended by the registration authority, then upload the new license."},
	},
	{
		Code: "document_field_missing", Category: report.CategoryDocument, NextStep: report.NextRetakePhoto,
		Message:    report.Text{ZH: "没有在营业执照上找到{field}。", EN: "The {field} was not found on the license."},
		Suggestion: report.Text{ZH: "请确认整张执照都在画面内、没有被遮挡，然后重新拍摄。", EN: "Make sure that the whole license is in the picture and nothing covers it, then take the photo again."},
		Cases: map[string]Case{"unreadable": {
			Message:    report.Text{ZH: "营业执照上的{field}无法辨认。", EN: "The {field} on the license cannot be read."},
			Suggestion: retakeSharp,
		}},
	},
	{
		Code: "document_copy_without_seal", Category: report.CategoryDocument, NextStep: report.NextRetakePhoto,
		Message:    report.Text{ZH: "这是黑白复印件，但没有看到红色公章。", EN: "This is a black-and-white copy without a fresh red seal."},
		Suggestion: report.Text{ZH: "请拍摄营业执照原件的彩色照片，或在复印件上加盖公章后拍摄彩色照片。", EN: "Take a color photo of the original, or stamp the copy with the company seal and take a color photo of that."},
	},
	{
		Code: "document_inconsistent", Category: report.CategoryDocument, NextStep: report.NextWait,
		Message:    report.Text{ZH: "营业执照上的内容互相矛盾：{detail}。", EN: "The license contradicts itself: {detail}."},
		Suggestion: personLooks,
	},

	{
		Code: "uscc_unreadable", Category: report.CategoryImage, NextStep: report.NextRetakePhoto,
		Message:    report.Text{ZH: "无法辨认营业执照上的统一社会信用代码。", EN: "The unified social credit code on the license cannot be read."},
		Suggestion: report.Text{ZH: "请让18位代码处对焦清晰、没有反光和遮挡，靠近一些重新拍摄。", EN: "Take the photo again from a little closer, with the 18-character code in focus and free of reflections and covers."},
		Cases: map[string]Case{
			"absent": {
				Message:    report.Text{ZH: "照片中没有找到统一社会信用代码。", EN: "No unified social credit code was found in the picture."},
				Suggestion: report.Text{ZH: "请拍摄整张营业执照，确保印有18位统一社会信用代码的部分在画面内；如执照上没有该代码，请先到登记机关换发。", EN: "Photograph the whole license with the part that bears the 18-character code; if yours has none, have it renewed by the registration authority first."},
			},
			"ambiguous": {
				NextStep:   report.NextWait,
				Message:    report.Text{ZH: "统一社会信用代码中有字符无法确定，不同的识别结果不一致。", EN: "Some characters of the unified social credit code are uncertain: the readings do not agree."},
				Suggestion: report.Text{ZH: "审核人员将进行核对；如需更快通过，请让代码处清晰、无反光后重新拍摄。", EN: "A reviewer will look at it; a new photo with the code sharp and free of reflections is faster."},
			},
			"low_confidence": {
				NextStep:   report.NextWait,
				Message:    report.Text{ZH: "{field}识别得不够确定：把握为{value}，至少需要{limit}。", EN: "The {field} was not read with certainty: confidence {value}, at least {limit} is needed."},
				Suggestion: report.Text{ZH: "审核人员将进行核对；如需更快通过，请让代码处清晰、无反光后重新拍摄。", EN: "A reviewer will look at it; a new photo with the code sharp and free of reflections is faster."},
			},
			"qr_only": {
				NextStep:   report.NextWait,
				Message:    report.Text{ZH: "只从二维码中得到了统一社会信用代码，印刷的代码无法辨认。", EN: "The code was found in the QR code only; the printed unified social credit code cannot be read."},
				Suggestion: report.Text{ZH: "审核人员将进行核对；如需更快通过，请让印刷的18位代码清晰后重新拍摄。", EN: "A reviewer will look at it; a new photo that shows the printed 18-character code clearly is faster."},
			},
			"check_digit": {
				NextStep:   report.NextWait,
				Message:    report.Text{ZH: "识别到的注册号未通过校验，可能有数字识别错误。", EN: "The registration number as read does not fit its check digit; a digit may have been misread."},
				Suggestion: report.Text{ZH: "审核人员将进行核对；如需更快通过，请让注册号处清晰后重新拍摄。", EN: "A reviewer will look at it; a new photo that shows the registration number clearly is faster."},
			},
		},
	},
	{
		Code: "uscc_checksum_invalid", Category: report.CategoryDocument, NextStep: report.NextContactSupport,
		Message:    report.Text{ZH: "营业执照上的统一社会信用代码不符合编码规则：{detail}。", EN: "The unified social credit code printed on the license breaks the coding rules: {detail}."},
		Suggestion: report.Text{ZH: "请核对执照是否为原件、是否有污损或改动，并重新拍摄；如确认无误，请联系客服并到登记机关核实。", EN: "Check that the license is the original and neither damaged nor altered, and take the photo again; if all is well, contact support and have the registration authority confirm the code."},
		Cases: map[string]Case{"declared": {
			Category: report.CategoryInput, NextStep: report.NextCorrectInput,
			Message:    report.Text{ZH: "填写的{field}有误：{detail}。", EN: "The {field} that was entered is not valid: {detail}."},
			Suggestion: report.Text{ZH: "请对照营业执照逐个字符核对{field}并更正。", EN: "Compare the {field} with the license character by character and correct it."},
		}},
	},
	{
		Code: "uscc_category_not_supported", Category: report.CategoryOrganization, NextStep: report.NextUseOtherProcedure,
		Message:    report.Text{ZH: "该统一社会信用代码属于其他登记管理部门（{found}），不是市场监管部门登记的企业、个体工商户或农民专业合作社。", EN: "The code belongs to another registering authority ({found}), not to a company, individual business or cooperative registered with the market regulator."},
		Suggestion: report.Text{ZH: "机关、事业单位、学校、社会团体等请使用相应的认证流程。", EN: "Government bodies, public institutions, schools and social organizations please use the procedure made for them."},
		Cases: map[string]Case{"entity_type": {Message: report.Text{
			ZH: "这类组织没有营业执照，不适用本认证流程。",
			EN: "Organizations of this kind have no business license and are not certified in this way.",
		}}},
	},
	{
		Code: "uscc_pilot_code", Category: report.CategoryDocument, NextStep: report.NextWait,
		Message:    report.Text{ZH: "该代码的校验位不符，可能是福建试点时期发放的代码，需要人工核实。", EN: "The check character of the code does not fit; it may have been issued in the Fujian pilot and has to be confirmed by a person."},
		Suggestion: report.Text{ZH: "审核人员将在国家企业信用信息公示系统核实，请稍候。", EN: "A reviewer will confirm it in the national enterprise register; please wait."},
	},
	{
		Code: "uscc_qr_mismatch", Category: report.CategoryDocument, NextStep: report.NextRetakePhoto,
		Message:    report.Text{ZH: "二维码中的代码（{expected}）与印刷的代码（{found}）不一致。", EN: "The QR code says {expected}, the print says {found}."},
		Suggestion: report.Text{ZH: "请拍摄未经改动的营业执照原件，画面中只放这一张执照；如仍不一致，请联系客服。", EN: "Photograph the unaltered original with no other license or QR code in the picture; if they still differ, contact support."},
	},
	{
		Code: "uscc_mismatch", Category: report.CategoryInput, NextStep: report.NextCorrectInput,
		Message:    report.Text{ZH: "填写的{field}（{expected}）与营业执照（{found}）不一致{difference}。", EN: "The {field} that was entered ({expected}) is not the one on the license ({found}){difference}."},
		Suggestion: checkTyping,
	},

	{
		Code: "name_unreadable", Category: report.CategoryImage, NextStep: report.NextRetakePhoto,
		Message:    report.Text{ZH: "无法辨认营业执照上的名称。", EN: "The name on the license cannot be read."},
		Suggestion: retakeSharp,
		Cases: map[string]Case{
			"not_found": {
				Message:    report.Text{ZH: "没有在营业执照上找到名称。", EN: "The name was not found on the license."},
				Suggestion: report.Text{ZH: "请确认“名称”一栏在画面内且没有被遮挡，然后重新拍摄。", EN: "Make sure that the line 名称 is in the picture and nothing covers it, then take the photo again."},
			},
			"low_confidence": {
				NextStep:   report.NextWait,
				Message:    report.Text{ZH: "名称识别得不够确定：把握为{value}，至少需要{limit}。", EN: "The name was not read with certainty: confidence {value}, at least {limit} is needed."},
				Suggestion: report.Text{ZH: "审核人员将进行核对；如需更快通过，请让名称处清晰、无反光后重新拍摄。", EN: "A reviewer will look at it; a new photo with the name sharp and free of reflections is faster."},
			},
			"doubtful": {
				NextStep:   report.NextWait,
				Message:    report.Text{ZH: "名称识别得不够确定，与填写的名称略有出入{difference}。", EN: "The name was not read with certainty and differs a little from the one entered{difference}."},
				Suggestion: report.Text{ZH: "请先核对填写的名称是否有错字；审核人员将对照照片确认。", EN: "Check the name that was entered for typing errors; a reviewer will compare it with the photo."},
			},
		},
	},
	{
		Code: "name_mismatch", Category: report.CategoryInput, NextStep: report.NextCorrectInput,
		Message:    report.Text{ZH: "填写的名称“{expected}”与营业执照上的“{found}”不一致{difference}。", EN: "The name that was entered, “{expected}”, is not the one on the license, “{found}”{difference}."},
		Suggestion: report.Text{ZH: "请按营业执照填写完整名称（包括括号内的文字）；如果照片上传错了，请换成对应的营业执照。", EN: "Enter the full name as printed, with the words in brackets; if the wrong photo was uploaded, upload the right license."},
	},
	{
		Code: "name_variant", Category: report.CategoryInput, NextStep: report.NextNone,
		Message:    report.Text{ZH: "填写的名称与营业执照写法不同，但视为同一名称：{detail}。", EN: "The name is written differently on the license but taken as the same: {detail}."},
		Suggestion: report.Text{ZH: "无需处理，将以营业执照上的写法为准。", EN: "There is nothing to do; the form printed on the license is used."},
		Cases: map[string]Case{
			"variant_character": {
				Message: report.Text{ZH: "填写的名称使用了另一种字形（繁体、异体或大小写），视为同一名称{difference}。", EN: "The name uses another form of a character (traditional, variant or letter case) and is taken as the same{difference}."},
			},
			"organization_form": {
				NextStep:   report.NextCorrectInput,
				Message:    report.Text{ZH: "填写的名称与营业执照的组织形式不同：“有限公司”和“有限责任公司”是两个不同的登记名称{difference}。", EN: "The form of organization differs: 有限公司 and 有限责任公司 are two different registered names{difference}."},
				Suggestion: report.Text{ZH: "请按营业执照填写完整名称；如未更正，审核人员将进行核对。", EN: "Enter the full name as printed on the license; otherwise a reviewer will look at it."},
			},
		},
	},
	{
		Code: "legal_rep_mismatch", Category: report.CategoryInput, NextStep: report.NextCorrectInput,
		Message:    report.Text{ZH: "填写的{field}与营业执照不一致{difference}。", EN: "The {field} that was entered is not the one on the license{difference}."},
		Suggestion: report.Text{ZH: "请按营业执照填写；如法定代表人已变更，请先办理变更登记，再上传新的营业执照。", EN: "Enter the person printed on the license; if the legal representative has changed, register the change first and upload the new license."},
		Cases: map[string]Case{"doubtful": {
			NextStep:   report.NextWait,
			Message:    report.Text{ZH: "{field}识别得不够确定，与填写的略有出入{difference}。", EN: "The {field} was not read with certainty and differs from the one entered{difference}."},
			Suggestion: report.Text{ZH: "请先核对填写的姓名是否有错字；审核人员将对照照片确认。", EN: "Check the name that was entered for typing errors; a reviewer will compare it with the photo."},
		}},
	},
	{
		Code: "id_number_format_invalid", Category: report.CategoryInput, NextStep: report.NextCorrectInput,
		Message:    report.Text{ZH: "填写的证件号码格式不正确。", EN: "The identity number that was entered is not well formed."},
		Suggestion: report.Text{ZH: "请对照法定代表人的证件核对号码和证件类型，更正后重新提交。", EN: "Compare the number and the kind of document with the legal representative's document, correct it and submit again."},
	},
	{
		Code: "id_number_checksum_invalid", Category: report.CategoryInput, NextStep: report.NextCorrectInput,
		Message:    report.Text{ZH: "填写的证件号码未通过校验，至少有一位有误。", EN: "The identity number that was entered does not fit its check character; at least one character is wrong."},
		Suggestion: report.Text{ZH: "请对照法定代表人的证件逐位核对号码并更正，末位的 X 请勿写成其他字符。", EN: "Compare the number with the legal representative's document digit by digit and correct it; a final X is part of the number."},
	},
	{
		Code: "id_number_missing", Category: report.CategoryInput, NextStep: report.NextCorrectInput,
		Message:    report.Text{ZH: "没有填写法定代表人的证件号码。", EN: "The identity number of the legal representative is missing."},
		Suggestion: report.Text{ZH: "请填写营业执照上法定代表人（负责人、经营者）本人的证件号码。", EN: "Enter the identity number of the legal representative (person in charge, operator) printed on the license."},
	},

	{
		Code: "declared_field_missing", Category: report.CategoryInput, NextStep: report.NextCorrectInput,
		Message:    report.Text{ZH: "没有填写{field}。", EN: "The {field} is missing from the application."},
		Suggestion: report.Text{ZH: "请补充填写{field}后重新提交。", EN: "Fill in the {field} and submit again."},
	},
	{
		Code: "contact_email_invalid", Category: report.CategoryInput, NextStep: report.NextCorrectInput,
		Message:    report.Text{ZH: "填写的邮箱地址格式不正确：{detail}。", EN: "The email address that was entered is not valid: {detail}."},
		Suggestion: report.Text{ZH: "请按“用户名@域名”的格式填写，例如 office@example.com。", EN: "Enter it in the form name@domain, for instance office@example.com."},
	},
	{
		Code: "contact_phone_invalid", Category: report.CategoryInput, NextStep: report.NextCorrectInput,
		Message:    report.Text{ZH: "填写的电话号码格式不正确：{detail}。", EN: "The phone number that was entered is not valid: {detail}."},
		Suggestion: report.Text{ZH: "请填写中国大陆的11位手机号码，或带区号的固定电话。", EN: "Enter an 11-digit mobile number of mainland China, or a landline number with its area code."},
	},
	{
		Code: "entity_type_mismatch", Category: report.CategoryInput, NextStep: report.NextCorrectInput,
		Message:    report.Text{ZH: "选择的组织类型与营业执照不符：执照上是“{found}”。", EN: "The kind of organization that was chosen does not fit the license, which says “{found}”."},
		Suggestion: report.Text{ZH: "请按营业执照上的“类型”重新选择组织类型。", EN: "Choose the kind of organization that is printed as 类型 on the license."},
	},

	{
		Code: "name_taken", Category: report.CategoryOrganization, NextStep: report.NextContactSupport,
		Message:    report.Text{ZH: "该名称已由另一个组织完成认证。", EN: "Another organization has already been certified under this name."},
		Suggestion: report.Text{ZH: "如该组织属于本单位，请使用原组织；否则请联系客服申诉。", EN: "If that organization is yours, use it; otherwise contact support to appeal."},
	},
	{
		Code: "name_confusable", Category: report.CategoryOrganization, NextStep: report.NextWait,
		Message:    report.Text{ZH: "该名称与一个已认证组织的名称容易混淆。", EN: "The name is easily confused with that of a certified organization."},
		Suggestion: personLooks,
	},
	{
		Code: "license_in_use", Category: report.CategoryOrganization, NextStep: report.NextContactSupport,
		Message:    report.Text{ZH: "这张营业执照已用于认证另一个组织。", EN: "This license has been used to certify another organization."},
		Suggestion: report.Text{ZH: "请使用原组织，或先在原组织取消认证；如非本单位操作，请联系客服。", EN: "Use that organization or cancel its certification first; if it was not you, contact support."},
	},
	{
		Code: "photo_reused", Category: report.CategoryOrganization, NextStep: report.NextRetakePhoto,
		Message:    report.Text{ZH: "这张照片已在另一次申请中使用过。", EN: "This photo has been used in another application."},
		Suggestion: report.Text{ZH: "请重新拍摄本单位的营业执照原件。", EN: "Take a new photo of your organization's original license."},
	},
	{
		Code: "contact_reused", Category: report.CategoryOrganization, NextStep: report.NextCorrectInput,
		Message:    report.Text{ZH: "填写的{field}已被其他组织使用。", EN: "The {field} that was entered is in use by another organization."},
		Suggestion: report.Text{ZH: "请填写本单位自己的{field}。", EN: "Enter the {field} of your own organization."},
	},

	{
		Code: "certification_changed", Category: report.CategoryOrganization, NextStep: report.NextWait,
		Message:    report.Text{ZH: "复核结果与上次认证不一致。", EN: "What was found now is not what was certified before."},
		Suggestion: personLooks,
	},

	{
		Code: codeEngineFailed, Category: report.CategorySystem, NextStep: report.NextWait,
		Message:    report.Text{ZH: "系统未能完成照片识别。", EN: "Our system could not finish reading the picture."},
		Suggestion: tryLater,
	},
	{
		Code: "system_storage_unavailable", Category: report.CategorySystem, NextStep: report.NextWait,
		Message:    report.Text{ZH: "系统暂时无法取得已上传的照片。", EN: "Our system cannot reach the uploaded photo at the moment."},
		Suggestion: tryLater,
	},
	{
		Code: "system_timeout", Category: report.CategorySystem, NextStep: report.NextWait,
		Message:    report.Text{ZH: "系统处理超时。", EN: "Our system took too long."},
		Suggestion: tryLater,
	},
}
