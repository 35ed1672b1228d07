package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"

	"socklife/internal/cli"
	"socklife/internal/course"
	"socklife/internal/quiz"
	"socklife/internal/stage"
	"socklife/internal/timeline"
	"socklife/internal/view"
)

// holdQuiz plays a scenario, and shows its timeline with questions in it.
func holdQuiz(ctx context.Context, f *cli.Flags, args []string) error {
	if len(args) > 1 {
		return cli.Usagef("echoc quiz takes one scenario and no address: it plays both sides itself")
	}
	if err := f.Refuse("a quiz, which waits for answers", "json", "quiet", "mermaid", "svg", "html", "record", "step", "pace", "hold", "pcap", "pcap-both"); err != nil {
		return err
	}
	seed, given := f.Wire.Seed(f.Set)
	if !given {
		seed = 1 + rand.Uint64N(9999)
	}
	name := course.Lessons[rand.New(rand.NewPCG(seed, 0)).IntN(len(course.Lessons))]
	if len(args) > 0 {
		name = args[0]
	}
	sc, err := cli.Scenario(name)
	if err != nil {
		return err
	}
	events, questions, err := quiz.Steady(seed, func() ([]timeline.Event, error) {
		var run quiz.Recorder
		err := recorded(ctx, f, sc, &run)
		return run.Events, err
	})
	if cli.Status(err) != cli.ExitOK && cli.Status(err) != cli.ExitFailed {
		return err
	} else if err != nil {
		shown(f, sc, events) // it is not the lesson: there is nothing to ask, but something to see
		return err
	}
	return ask(ctx, f, sc, events, questions, seed)
}

// recorded plays a scenario and shows nothing.
func recorded(ctx context.Context, f *cli.Flags, sc *stage.Scenario, run *quiz.Recorder) error {
	out := cli.Output{Log: timeline.New(run), View: view.New(os.Stdout, view.Options{})}
	cfg := f.Config(out)
	cfg.Addr = netip.AddrPortFrom(cli.Loopback(f.IPv6), 0)
	ctx, finish, err := onWire(ctx, f, sc, out, &cfg, nil)
	if err != nil {
		return err
	}
	result := stage.Both(ctx, sc, cfg)
	if err := finish(); err != nil {
		return out.Done(err)
	}
	return out.Done(cli.Verdict(sc.Name, result))
}

// ask shows the events with the questions in between.
func ask(ctx context.Context, f *cli.Flags, sc *stage.Scenario, events []timeline.Event, questions []quiz.Question, seed uint64) error {
	if len(questions) == 0 {
		fmt.Printf("There is nothing to ask about %s. This is its timeline.\n\n", sc.Name)
		return shown(f, sc, events)
	}
	fmt.Printf("A quiz on %s: its run is over, and shown here. It stops %d times, to ask\nwhat comes next. Answer with a letter and Enter.\n\n", sc.Name, len(questions))
	o := options(f, sc)
	s := quiz.Session{View: view.New(os.Stdout, o), Out: os.Stdout, Lines: f.Lines(), Echo: !view.IsTerminal(os.Stdin), Width: min(o.Width, 100), Color: o.Color}
	score, err := s.Play(ctx, events, questions)
	if err != nil {
		return err
	}
	fmt.Println()
	if score.Quit {
		fmt.Printf("%d of %d right, of %d questions.\n", score.Right, score.Asked, len(questions))
	} else {
		fmt.Printf("%d of %d right.\n", score.Right, score.Asked)
	}
	fmt.Printf("The same questions again: echoc%s quiz --seed %d %s\n", map[bool]string{true: " --wire"}[f.Wire.On], seed, sc.Name)
	return s.View.Err()
}

// shown shows all there is.
func shown(f *cli.Flags, sc *stage.Scenario, events []timeline.Event) error {
	v := view.New(os.Stdout, options(f, sc))
	for _, e := range events {
		v.Event(e)
	}
	v.Flush()
	return v.Err()
}

// options are how a quiz is shown: without what the lesson is, which would be the answer.
func options(f *cli.Flags, sc *stage.Scenario) view.Options {
	o := view.For(os.Stdout, f.Color)
	o.Title, o.Ref, o.ManyConns = sc.Name, sc.Source, sc.Many
	if f.Trace {
		o.ClientSource, o.ServerSource = "tracepoint", "tracepoint"
	}
	return o
}
