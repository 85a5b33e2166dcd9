package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/heyan/heyan/pipeline/codes"
)

type checkCommand struct {
	Kind    string   `arg:"" enum:"uscc,regno,orgcode,id" help:"What the numbers are: uscc, regno (registration number), orgcode, id."`
	Numbers []string `arg:"" name:"number" help:"Numbers to check."`
	IDKind  string   `help:"For id: the kind of the number; told from the number when left out."`
	JSON    bool     `help:"Print one result a line."`
}

// good are the verdicts of numbers that may be accepted as they are.
var good = map[codes.Verdict]bool{
	codes.VerdictValid: true, codes.VerdictFormatValid: true, codes.VerdictLegacy13: true}

func (c *checkCommand) Run(std standard) error {
	all := true
	for _, number := range c.Numbers {
		result := c.check(number)
		all = all && good[result.Verdict]
		if c.JSON {
			if err := json.NewEncoder(std.out).Encode(result); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(std.out, "%-15s %s\n                %s\n                %s\n",
			result.Verdict, oneLine(result.Normalized), result.Message.ZH, result.Message.EN)
	}
	if !all {
		return &exit{code: exitVerdict}
	}
	return nil
}

func (c *checkCommand) check(number string) codes.Result {
	switch c.Kind {
	case "uscc":
		return codes.CheckUSCC(number)
	case "regno":
		return codes.CheckRegistrationNumber(number)
	case "orgcode":
		return codes.CheckOrganizationCode(number)
	default:
		return codes.CheckID(number, codes.IDKind(c.IDKind), time.Now())
	}
}
