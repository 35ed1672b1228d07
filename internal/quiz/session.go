package quiz

import (
	"context"
	"fmt"
	"io"
	"strings"

	"socklife/internal/timeline"
	"socklife/internal/view"
)

// Session is where a quiz is held.
type Session struct {
	View  view.View     // shows the timeline
	Out   io.Writer     // where the view writes too
	Lines <-chan string // the answers
	Echo  bool          // show the answers: they are not typed on the same terminal
	Width int
	Color bool
}

// Score is what came of it.
type Score struct {
	Right, Asked int
	Quit         bool // before the end
}

// Play shows the events, and asks each question before its event is shown. It returns an error only if ctx has ended.
func (s *Session) Play(ctx context.Context, events []timeline.Event, questions []Question) (score Score, err error) {
	next := 0
	for i, e := range events {
		for ; next < len(questions) && questions[next].At <= i; next++ {
			s.View.Flush()
			right, more, err := s.ask(ctx, questions[next], next+1, len(questions))
			if err != nil {
				return score, err
			}
			if !more {
				score.Quit = true
				return score, nil
			}
			score.Asked++
			if right {
				score.Right++
			}
		}
		s.View.Event(e)
	}
	s.View.Flush()
	return score, nil
}

// ask asks until there is an answer; more is false where the user has quit, or nothing more is to be read.
func (s *Session) ask(ctx context.Context, q Question, n, of int) (right, more bool, err error) {
	s.say("")
	s.headed("1", fmt.Sprintf("Question %d of %d", n, of), fmt.Sprintf("(%s: %s)", q.Side, q.About))
	s.say(q.Text)
	s.list(q, func(c Choice) string { return c.Text })
	for {
		fmt.Fprint(s.Out, "a, b, c or d? (?: what each means, q: quit) ")
		line, more, err := s.line(ctx)
		if err != nil || !more {
			return false, false, err
		}
		switch answer := strings.ToLower(strings.TrimSpace(line)); {
		case answer == "q":
			return false, false, nil
		case answer == "?":
			s.list(q, means)
		case len(answer) == 1 && answer[0] >= 'a' && int(answer[0]-'a') < len(q.Choices):
			s.judge(q, int(answer[0]-'a'))
			return int(answer[0]-'a') == q.Right, true, nil
		default:
			s.say("Type one letter, then Enter.")
		}
	}
}

// line is the next that the user types.
func (s *Session) line(ctx context.Context) (line string, more bool, err error) {
	select {
	case line, more = <-s.Lines:
		if s.Echo || !more {
			s.say(line)
		}
		return line, more, nil
	case <-ctx.Done():
		s.say("")
		return "", false, context.Cause(ctx)
	}
}

// judge says whether an answer was right, and why.
func (s *Session) judge(q Question, answer int) {
	if right := q.Choices[q.Right]; answer == q.Right {
		s.headed("32", "Right.", q.Why)
	} else {
		s.headed("31;1", fmt.Sprintf("No: %c, %s.", 'a'+q.Right, right.Text), q.Why)
		s.wrapped(fmt.Sprintf("  %c  %s", 'a'+answer, means(q.Choices[answer])), 5)
	}
	s.say("")
}

// means is a choice with what it means.
func means(c Choice) string { return c.Text + ". " + sentence(c.Means) }

func (s *Session) list(q Question, text func(Choice) string) {
	for i, c := range q.Choices {
		s.wrapped(fmt.Sprintf("  %c  %s", 'a'+i, text(c)), 5)
	}
}

func (s *Session) say(text string) { s.wrapped(text, 0) }

func (s *Session) wrapped(text string, hang int) {
	fmt.Fprintln(s.Out, strings.Join(view.Wrap(text, s.Width, hang), "\n"))
}

// headed is a text that begins with words in a colour (SGR).
func (s *Session) headed(sgr, head, text string) {
	lines := view.Wrap(head+" "+text, s.Width, 0)
	if rest, ok := strings.CutPrefix(lines[0], head); ok && s.Color {
		lines[0] = "\x1b[" + sgr + "m" + head + "\x1b[0m" + rest
	}
	fmt.Fprintln(s.Out, strings.Join(lines, "\n"))
}
