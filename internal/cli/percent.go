package cli

import (
	"fmt"
	"strconv"
	"strings"
)

// percent is a flag's value such as 10% or 0.5%.
type percent struct{ of *float64 }

func (p percent) String() string {
	if p.of == nil || *p.of == 0 {
		return ""
	}
	return strconv.FormatFloat(*p.of*100, 'g', -1, 64) + "%"
}

func (p percent) Type() string { return "many" }

func (p percent) Set(s string) error {
	n, err := strconv.ParseFloat(strings.TrimSuffix(s, "%"), 64)
	if err != nil || !(n >= 0 && n <= 100) || !strings.HasSuffix(s, "%") {
		return fmt.Errorf("want a percentage from 0%% to 100%%")
	}
	*p.of = n / 100
	return nil
}
