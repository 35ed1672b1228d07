package cli

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"socklife/internal/lab"
	"socklife/internal/stage"
	"socklife/internal/timeline"
)

// WireFlags put a wire between the two sides, and say what it does.
type WireFlags struct {
	On       bool
	Absolute bool
	Capture  bool
	Pcap     string
	PcapBoth bool
	link     lab.Link
	rules    []lab.Rule
	sysctls  []stage.Sysctl

	among *Flags // with which it was typed
}

// AddTo declares them.
func (w *WireFlags) AddTo(fs *pflag.FlagSet) {
	fs.BoolVar(&w.On, "wire", false, "two hosts with a wire between them, and every segment shown (root, or who may have namespaces)")
	fs.DurationVar(&w.link.Delay, "delay", 0, "how long a segment is on the wire")
	fs.Func("loss", "lose this `SHARE` of the segments: 10%", func(s string) (err error) {
		w.link.Loss, err = percent(s)
		return err
	})
	fs.Uint64Var(&w.link.Seed, "seed", 1, "what chance begins with: the same `N`, the same losses; and of a quiz, the same questions")
	for _, a := range []struct {
		action lab.Action
		does   string
	}{{lab.Drop, "lose"}, {lab.Dup, "deliver twice"}, {lab.Reorder, "deliver after the next"}} {
		fs.Func(a.action.String(), a.does+" the segments that this `RULE` fits; may be given again", func(s string) error {
			return w.addRule(a.action, s)
		})
	}
	fs.Func("sysctl", "set this `SYSCTL` on both hosts, or on one; may be given again", w.addSysctl)
	fs.BoolVar(&w.PcapBoth, "pcap-both", false, "with --pcap: the server's view of the segments too, as a second interface")
}

// AddCapture declares those that need no wire of our own.
func (w *WireFlags) AddCapture(fs *pflag.FlagSet) {
	fs.BoolVar(&w.Capture, "capture", false, "show the segments on this host's interfaces (root)")
	fs.StringVar(&w.Pcap, "pcap", "", "write the client's view of the segments to this `FILE` (pcapng, for Wireshark; -: standard output)")
	fs.BoolVar(&w.Absolute, "absolute-seq", false, "show sequence numbers as they are, not from 0")
}

// check refuses what has no meaning.
func (w *WireFlags) check(fs *pflag.FlagSet) error {
	for _, name := range []string{"delay", "loss", "seed", "drop", "dup", "reorder", "sysctl", "pcap-both"} {
		if fs.Lookup(name) != nil && fs.Changed(name) && !w.On && !(name == "seed" && fs.Arg(0) == "quiz") {
			return Usagef("--%s is about the segments on a wire: it goes with --wire", name)
		}
	}
	if fs.Lookup("pcap") != nil && fs.Changed("pcap") && w.Pcap == "" {
		return Usagef("--pcap '': want the name of a file")
	}
	if w.Pcap != "" && !w.On && !w.Capture {
		if fs.Lookup("wire") == nil {
			return Usagef("--pcap is about segments: it goes with --capture")
		}
		return Usagef("--pcap is about segments: it goes with --wire or --capture")
	}
	if w.PcapBoth && w.Pcap == "" {
		return Usagef("--pcap-both is about the capture: it goes with --pcap FILE")
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
func (w *WireFlags) Config(out Output) (*stage.WireConfig, func()) {
	cfg := &stage.WireConfig{Link: w.link, Rules: w.rules, Sets: w.sysctls}
	if out.screen == nil {
		return cfg, func() {}
	}
	s, restore := newWireStep(os.Stdin, out)
	cfg.Step = s.Hold
	return cfg, restore
}

// LetGo refuses a rule to hold segments that nobody would let go, now that it is known who is asked.
func (w *WireFlags) LetGo(out Output) error {
	if out.screen != nil {
		return nil
	}
	for _, rule := range w.rules {
		if rule.Action() == lab.Hold {
			return Usagef("--hold %q: nobody would let it go: add --step, in a terminal, or --drop it", strings.TrimPrefix(rule.String(), "hold "))
		}
	}
	return nil
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

func (w *WireFlags) addSysctl(text string) error {
	var s stage.Sysctl
	for _, side := range []timeline.Side{timeline.Client, timeline.Server} {
		if rest, is := strings.CutPrefix(text, string(side)+":"); is {
			s.Side, text = side, rest
		}
	}
	var ok bool
	if s.Name, s.Value, ok = strings.Cut(text, "="); !ok || s.Name == "" || s.Value == "" {
		return errors.New("want NAME=VALUE, as in net.ipv4.tcp_fin_timeout=5")
	}
	s.Name = strings.ReplaceAll(s.Name, "/", ".")
	if !strings.HasPrefix(s.Name, "net.") {
		return errors.New("want one of a network namespace: its name begins with net, as in net.ipv4.tcp_sack")
	}
	w.sysctls = append(w.sysctls, s)
	return nil
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
