package certify

import (
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/heyan/heyan/pipeline/codes"
)

// licenseAuthority is position 1 of every USCC on a business license: the market
// regulator (GB 32100-2015, table 1).
const licenseAuthority = "9"

// notServed are the kinds of organizations, as declared, that have no business
// license: those of the other authorities of GB 32100-2015, and those that are
// registered abroad.
var notServed = strings.Fields(`
	government government_agency public_institution 政府 政府机关 机关 党政机关 国家机关 事业单位
	school kindergarten university 学校 幼儿园 中小学 高校 大学
	social_group social_organization 社会团体 社会组织 社团 群众团体 协会 商会
	foundation 基金会 private_non_enterprise 民办非企业单位 社会服务机构
	law_firm notary_office arbitration_commission 律师事务所 公证处 仲裁委员会 司法鉴定机构
	trade_union 工会 religious_organization 宗教活动场所 宗教院校 military 军队
	village_committee residents_committee 村民委员会 居民委员会 村委会 居委会 collective_economic_organization 农村集体经济组织
	overseas overseas_organization overseas_company foreign_organization 境外 海外 境外组织 境外机构 境外企业 海外企业 外国企业`)

// Procedure tells whether the procedure serves an organization of the declared
// kind and code, either of which may be empty; one that it does not serve is told
// to use another (report.NextUseOtherProcedure). A code that keeps its rules
// decides, for a school may be run as a company and have a license; without one
// the declared kind does. Kinds that are not known are served: whether they are
// right is for the checks of a verification to find.
func Procedure(entityType, uscc string) (served bool) {
	if code := codes.CheckUSCC(uscc); code.Verdict != codes.VerdictInvalid {
		return code.Authority == licenseAuthority
	}
	kind := strings.Join(strings.Fields(strings.ToLower(norm.NFKC.String(entityType))), "_")
	return !slices.Contains(notServed, strings.ReplaceAll(kind, "-", "_"))
}
