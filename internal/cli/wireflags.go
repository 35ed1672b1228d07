package cli

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"socklife/internal/lab"
	"socklife/internal/observe"
	"socklife/internal/stage"
)

// WireFlags put a wire between the two sides, and say what it does.
type WireFlags struct {
	On       bool
	Absolute bool
	Capture  bool
	Pcap     string
	link     lab.Link
	rules    []lab.Rule
}

// AddTo declares them.
func (w *WireFlags) AddTo(fs *pflag.FlagSet) {
	fs.BoolVar(&w.On, "wire", false, "two hosts with a wire between them, and every segment shown (root, or an ordinary user who may have namespaces)")
	fs.DurationVar(&w.link.Delay, "delay", 0, "how `long` a segment is on the wire")
	fs.Func("loss", "how `many` of the segments are lost: 10%", func(s string) (err error) {
		w.link.Loss, err = percent(s)
		return err
	})
	fs.Uint64Var(&w.link.Seed, "seed", 1, "the `number` that chance begins with: the same, the same losses; and of a quiz, the same questions")
	for _, a := range []struct {
		action lab.Action
		does   string
	}{{lab.Drop, "lose"}, {lab.Dup, "deliver twice"}, {lab.Reorder, "deliver after the next"}} {
		fs.Func(a.action.String(), a.does+" the segments that this `RULE` fits, as \"client fin 1\"; may be given again", func(s string) error {
			return w.addRule(a.action, s)
		})
	}
	fs.StringVar(&w.Pcap, "pcap", "", "write the segments to this `FILE` (pcapng, for Wireshark)")
}

// AddCapture declares those that need no wire.
func (w *WireFlags) AddCapture(fs *pflag.FlagSet) {
	fs.BoolVar(&w.Capture, "capture", false, "show the segments on this host's interfaces (root)")
	fs.BoolVar(&w.Absolute, "absolute-seq", false, "show sequence numbers as they are, not from 0")
}

// check refuses what has no meaning.
func (w *WireFlags) check(fs *pflag.FlagSet) error {
	for _, name := range []string{"delay", "loss", "seed", "drop", "dup", "reorder", "pcap"} {
		if fs.Lookup(name) != nil && fs.Changed(name) && !w.On && !(name == "seed" && fs.Arg(0) == "quiz") {
			return Usagef("--%s is about the segments on a wire: it goes with --wire", name)
		}
	}
	if fs.Lookup("pcap") != nil && fs.Changed("pcap") && w.Pcap == "" {
		return Usagef("--pcap '': want the name of a file")
	}
	if w.Absolute && !w.On && !w.Capture {
		return Usagef("--absolute-seq is about segments: it goes with --wire or --capture")
	}
	if w.Capture && w.On {
		return Usagef("--capture is for this host's own interfaces: on the wire every segment is shown anyway")
	}
	if len(w.rules) > 0 && !w.On {
		return Usagef("--hold RULE is about the segments on a wire: it goes with --wire")
	}
	return nil
}

// Config is what the flags say; where out is a screen on which the user is asked, that is about each segment. The
// function it returns ends what has begun here.
func (w *WireFlags) Config(out Output) (*stage.WireConfig, func() error, error) {
	cfg := &stage.WireConfig{Link: w.link, Rules: w.rules}
	end := func() error { return nil }
	if w.Pcap != "" {
		var err error
		if end, err = w.capture(cfg); err != nil {
			return nil, nil, err
		}
	}
	if out.screen != nil {
		s, restore := newWireStep(os.Stdin, out.screen)
		cfg.Step = s.Hold
		capture := end
		end = func() error { restore(); return capture() }
	}
	return cfg, end, nil
}

// capture has the segments written to a file.
func (w *WireFlags) capture(cfg *stage.WireConfig) (end func() error, err error) {
	file, err := os.Create(w.Pcap)
	if err != nil {
		return nil, err
	}
	if cfg.Pcap, err = observe.NewPcap(file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return func() error { return errors.Join(cfg.Pcap.Close(), file.Close()) }, nil
}

// Seed is the number that chance begins with, and whether the user gave it.
func (w *WireFlags) Seed(fs *pflag.FlagSet) (seed uint64, given bool) {
	return w.link.Seed, fs.Changed("seed")
}

// Rules tells whether there are any.
func (w *WireFlags) Rules() bool { return len(w.rules) > 0 }

// Timeout is how long a side waits for the other over this wire.
func (w *WireFlags) Timeout() time.Duration { return 10*time.Second + 100*w.link.Delay }

func (w *WireFlags) addRule(action lab.Action, text string) error {
	rule, err := action.Rule(text)
	if err == nil {
		w.rules = append(w.rules, rule)
	}
	return err
}

// percent is the share that a text such as 10% or 0.5% stands for.
func percent(s string) (float64, error) {
	digits, ok := strings.CutSuffix(s, "%")
	n, err := strconv.ParseFloat(digits, 64)
	if !ok || err != nil || !(n >= 0 && n <= 100) {
		return 0, errors.New("want a percentage from 0% to 100%")
	}
	return n / 100, nil
}
