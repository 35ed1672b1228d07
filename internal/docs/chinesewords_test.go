package docs

import (
	"regexp"
	"strings"
	"testing"
)

// chineseWords are those that the facts' expressions look for (facts_test.go), and the marks at which a sentence ends.
var chineseWords = strings.NewReplacer(
	"。", ". A ", "；", "; A ", "：", ": A ", "！", "! A ", "？", "? A ", "，", ", ", "（", " (", "）", ") ", "、", ", ",
	"MSL 为 ", "MSL ", "默认值", " default ", "默认", " default ",
	"孤儿", " orphan ", "之后", " after ", "关闭后", "after close", "延迟", " delayed ", "确认", " ACK ",
	"首次重传超时", " first retransmission timeout ", "第一次重传超时", " first retransmission timeout ",
	"每次加倍", " twice as long each time ", "全连接队列", " accept queue ", "个端口", " ports",
	"毫秒", " ms ", "分钟", " minutes ", "秒", " s ", "小时", " hours ", "一刻钟", " 15 minutes ",
	"到", " to ", "至", " to ",
)

var byDefault = regexp.MustCompile(`默认值?[为是]? ?(\d[\d,]*(?: ?(?:ms|s|毫秒|秒))?)`)

var chineseNumber = regexp.MustCompile(`(十五|六十|四十|一|两|二|三|四|五|十) ?(个半|个|分钟|秒|毫秒|小时)`)

// inEnglish is a Chinese text with those words and marks in English: enough to be held to the facts.
func inEnglish(text string) string {
	text = chineseNumber.ReplaceAllStringFunc(text, func(s string) string {
		m := chineseNumber.FindStringSubmatch(s)
		n := map[string]string{"一": "1", "两": "2", "二": "2", "三": "3", "四": "4", "五": "5", "十": "10", "十五": "15", "四十": "40", "六十": "60"}[m[1]]
		if strings.HasPrefix(m[2], "个") { // what is counted is no time
			return s
		}
		return n + " " + m[2]
	})
	return chineseWords.Replace(byDefault.ReplaceAllString(text, "$1 by default"))
}

// What a Chinese page says of a fact is held to docs/facts.md, too.
func TestAWrongMentionInChineseIsFound(t *testing.T) {
	t.Parallel()
	for _, wrong := range []string{
		"TIME-WAIT 持续 120 秒。",
		"TIME-WAIT 要等两分钟，端口才能再用。",
		"孤儿（orphan）套接字在 FIN-WAIT-2 最多停留 180 s。",
		"服务器的内核把 ACK 延迟最多 100 毫秒。",
		"`net.ipv4.tcp_fin_timeout`（30）只管孤儿。",
		"它把 `net.core.somaxconn` 传给 listen，默认 128。",
		"队列能放下 backlog + 2 条连接。",
		"默认有 64,512 个端口可选。",
	} {
		if _, found := mentions(inEnglish(wrong)); len(found) == 0 {
			t.Errorf("not found: %s", inEnglish(wrong))
		}
	}
	for _, right := range []string{
		"TIME-WAIT 持续 60 秒；重传在 204 ms 之后。",
		"TIME-WAIT 要等一分钟。",
		"ACK 最多延迟 40 ms。连接在两秒后断开。",
		"队列能放下 backlog + 1 条连接。",
		"有 28,232 个端口可选。",
	} {
		if _, found := mentions(inEnglish(right)); len(found) > 0 {
			t.Errorf("found, and true: %s: %v", inEnglish(right), found)
		}
	}
}
