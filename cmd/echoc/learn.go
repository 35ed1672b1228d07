package main

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"strings"

	"socklife/internal/cli"
	"socklife/internal/course"
	"socklife/internal/lesson"
	"socklife/internal/stage"
	"socklife/internal/unsupported"
	"socklife/internal/view"
)

// learner is somebody who takes the course.
type learner struct {
	f       *cli.Flags
	asked   bool // somebody is there to press Enter; else all is played, and nothing remembered
	forgets bool // it cannot be remembered how far they have come; that has been said
}

// takeCourse plays the lessons one after the other, from where it was left, or from the one that was asked for.
func takeCourse(ctx context.Context, f *cli.Flags, args []string) error {
	if len(args) > 1 {
		return cli.Usagef("echoc learn takes the name or the number of one lesson (see echoc learn --list)")
	}
	if err := f.Refuse("the course, only for one scenario", "json", "quiet", "mermaid", "svg", "html", "record", "bind", "wire"); err != nil {
		return err
	}
	l := &learner{f: f, asked: view.IsTerminal(os.Stdout)}
	at, err := l.begin(args)
	if err != nil {
		return err
	}
	if at == len(course.Lessons) {
		_, err := fmt.Printf("All %d lessons are done. From the first again: echoc learn 1\nNow try: echoc quiz, or echoc --list for all the scenarios.\n", at)
		return err
	}
	for ; at < len(course.Lessons); at++ {
		if more, err := l.lesson(ctx, at); err != nil || !more {
			return err
		}
	}
	return nil
}

// begin is the lesson to begin with.
func (l *learner) begin(args []string) (int, error) {
	switch {
	case len(args) == 1:
		at, found := course.Find(args[0])
		if !found {
			return 0, cli.Usagef("%q is not a lesson of the course (see echoc learn --list); a scenario is played with: echoc %[1]s", args[0])
		}
		return at, nil
	case !l.asked:
		return 0, nil
	}
	at, err := course.Place()
	l.forgetful(err)
	return at, nil
}

// forgetful says, once, that it cannot be remembered how far somebody has come.
func (l *learner) forgetful(err error) {
	if err != nil && !l.forgets {
		l.forgets = true
		fmt.Fprintf(os.Stderr, "echoc: the next time the course begins at its first lesson: %v\n", err)
	}
}

// lesson plays one, as often as it is wanted; more is false where that is all.
func (l *learner) lesson(ctx context.Context, at int) (more bool, err error) {
	n := len(course.Lessons)
	sc, err := cli.Scenario(course.Lessons[at])
	if err != nil {
		return false, err
	}
	step := l.f.Step
	for {
		fmt.Printf("%d of %d: %s\n\n", at+1, n, sc.Name)
		if err := l.play(ctx, sc, step); unsupported.In(err) != nil {
			fmt.Printf("This one cannot be played here: %v\n", err)
		} else if err != nil {
			return false, err
		}
		fmt.Println()
		if !l.asked {
			return true, nil
		}
		l.forgetful(course.Remember(at + 1))
		again, more, err := l.next(ctx, at+1)
		if err != nil || !again {
			return more, err
		}
		step = true
	}
}

// play plays it in the usual view.
func (l *learner) play(ctx context.Context, sc *stage.Scenario, step bool) error {
	f := *l.f
	f.Step = step
	words := lesson.Of(sc.Name)
	words.Next = "" // the course says what comes next
	o := view.Options{Title: sc.Name, Lesson: sc.Lesson, Ref: sc.Source, Words: words, ManyConns: sc.Many}
	if f.Trace {
		o.ClientSource, o.ServerSource = "tracepoint", "tracepoint"
	}
	out := f.Output(os.Stdout, o)
	cfg := f.Config(out)
	cfg.Addr = netip.AddrPortFrom(cli.Loopback(f.IPv6), 0)
	return out.Done(cli.Verdict(sc.Name, stage.Both(ctx, sc, cfg)))
}

// next asks how to go on.
func (l *learner) next(ctx context.Context, to int) (again, more bool, err error) {
	enter := "that was the last; Enter: end"
	if to < len(course.Lessons) {
		enter = fmt.Sprintf("Enter: %d of %d, %s", to+1, len(course.Lessons), course.Lessons[to])
	}
	for {
		fmt.Printf("%s   s: this one again, call by call   q: quit ", enter)
		select {
		case line, open := <-l.f.Lines():
			if !open || !view.IsTerminal(os.Stdin) {
				fmt.Println()
			}
			switch strings.ToLower(strings.TrimSpace(line)) {
			case "":
				fmt.Println()
				return false, open, nil
			case "s":
				fmt.Println()
				return true, true, nil
			case "q":
				return false, false, nil
			}
		case <-ctx.Done():
			fmt.Println()
			return false, false, context.Cause(ctx)
		}
	}
}

// listCourse lists the lessons, and which are done.
func listCourse(ascii bool) error {
	place, err := course.Place()
	var list strings.Builder
	tick := "\u2713"
	if ascii {
		tick = "x"
	}
	for i, l := range course.Lessons {
		mark := " "
		switch {
		case i < place:
			mark = tick
		case i == place:
			mark = ">"
		}
		row := fmt.Sprintf("%s %2d  %-18s %s", mark, i+1, l, lesson.Of(l).Question)
		fmt.Fprintln(&list, strings.Join(view.Wrap(row, view.Width(os.Stdout), len("x  1  ")+19), "\n"))
	}
	if _, lost := os.Stdout.WriteString(list.String()); lost != nil {
		return lost
	}
	if err != nil {
		return fmt.Errorf("how far you have come is not known: %w", err)
	}
	return nil
}
