package docs

import (
	"fmt"
	"strings"
	"testing"
)

// isPart tells a block that shows a part of a run.
func (b block) isPart() bool { return b.lanes || len(b.parts) > 0 || b.only != nil }

// gap stands where lines are left out.
const gap = "  …\n"

// cut is what the block shows of a run: all, or below the lanes' names the lines in question. A text that the comment
// names and the run does not have is an error.
func (b block) cut(text string) (string, error) {
	head, rest := lanesHead(text)
	happened := upToSummary(rest)
	if head == "" {
		happened = rest
	}
	var err error
	switch {
	case b.only != nil:
		if head != "" {
			head += gap
		}
		text = head + b.fitting(rest)
	case len(b.parts) > 0:
		text, err = b.between(rest, strings.Count(happened, "\n"), head != "")
		text = head + text
	case b.lanes && head == "":
		return "", fmt.Errorf("there are no lanes")
	case b.lanes:
		text = head + happened
	}
	if err != nil {
		return "", err
	}
	return b.number(text)
}

// upToSummary leaves out what is said when all has happened.
func upToSummary(rest string) string {
	kept := ""
	for line := range strings.Lines(rest) {
		if summary.MatchString(line) {
			break
		}
		kept += line
	}
	return strings.TrimRight(kept, "\n") + "\n"
}

// fitting are the lines that the pattern fits.
func (b block) fitting(rest string) (kept string) {
	goesOn := false
	for line := range strings.Lines(rest) {
		if goesOn || b.only.MatchString(line) {
			kept += line
			goesOn = strings.Contains(line, "<") && !strings.Contains(line, ">") // a list of options
		}
	}
	return kept
}

// between are the parts. A part without an end goes to where nothing happens any more.
func (b block) between(rest string, last int, lanes bool) (kept string, err error) {
	all := strings.Split(strings.TrimSuffix(rest, "\n"), "\n")
	places := newPlaces(all, lanes)
	n := 0 // the lines before it are shown or left out
	for _, p := range b.parts {
		begin, end := n, last
		if p.from != "" {
			at, ok := places.find(p.from, n)
			if !ok {
				return "", fmt.Errorf("not in the run: from %q", p.from)
			}
			begin = at.line
		}
		if p.to != "" {
			at, ok := places.find(p.to, begin)
			if !ok {
				return "", fmt.Errorf("not in the run, or only before %q: to %q", p.from, p.to)
			}
			for end = at.line + 1; end < len(all) && goesOn(all[end]); end++ {
			}
		}
		if begin > n {
			kept += gap
		}
		if end > begin {
			kept += strings.Join(all[begin:end], "\n") + "\n"
		}
		n = end
	}
	if n < last {
		kept += gap
	}
	return kept, nil
}

// goesOn tells whether a line is the rest of what stands above it: it has no time, and nothing begins in it.
func goesOn(line string) bool {
	runes := []rune(line)
	if strings.TrimSpace(line) == "" || len(runes) <= timeWide || strings.TrimSpace(string(runes[:timeWide])) != "" {
		return false
	}
	for _, c := range []string{cell(runes, timeWide, between), cell(runes, right, len(runes))} {
		if c != "" && indent(c) < 2 {
			return false
		}
	}
	return true
}

// lanesHead are the lines with the lanes' names, and what follows them.
func lanesHead(text string) (head, rest string) {
	i := strings.Index(text, "       ms client")
	if i < 0 {
		return "", text
	}
	head, rest, _ = strings.Cut(text[i:], "\n")
	for head += "\n"; strings.Count(head, "(") > strings.Count(head, ")"); { // a name that goes on in the next line
		more, after, _ := strings.Cut(rest, "\n")
		head, rest = head+more+"\n", after
	}
	return head, rest
}

const someRun = `echo: a title

       ms client                              server
    0.100 socket(AF_INET, SOCK_STREAM|
              SOCK_CLOEXEC, IPPROTO_IP) = 8
    0.200                                     accept4(8)
    0.300 connect(8, 127.0.0.1:7007) = 0
            CLOSED → ESTABLISHED                first seen ESTABLISHED
              SYN-SENT passed unseen              (sock_diag)
          ✓ connected; both directions are    ✓ nothing is known of the
            open                                client
    0.400 close(8) = 0
    0.500                                     close(9) = 0

echo: 2 checks, all met
  Seen: nothing.
`

func TestPartsAreCut(t *testing.T) {
	const head = "       ms client                              server\n"
	line := strings.SplitAfter(someRun, "\n")
	for note, want := range map[string]string{
		``:                                someRun,
		`lanes`:                           head + strings.Join(line[3:13], ""),
		`from "connect(" to "connected"`:  head + gap + strings.Join(line[6:11], "") + gap,
		`to "accept4("`:                   head + strings.Join(line[3:6], "") + gap,
		`from "close("`:                   head + gap + strings.Join(line[11:13], ""),
		`from "close(9"`:                  head + gap + line[12],
		`from "close(9" to "all met"`:     head + gap + strings.Join(line[12:15], ""),
		`to "socket" and from "are open"`: head + strings.Join(line[3:5], "") + gap + strings.Join(line[9:13], ""),
		`from "close(9" to "close(8"`:     "",
		`from "shutdown("`:                "",
	} {
		n, err := readNote(note)
		if err != nil {
			t.Fatal(err)
		}
		got, err := block{noted: n}.cut(someRun)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %v\n%s\nwant\n%s", note, err, got, want)
		}
	}
}
