package cli

import (
	"io"
	"os"

	"socklife/internal/timeline"
	"socklife/internal/view"
)

// Talk is what the plain client's user types and sees.
type Talk struct {
	Output           // what is told of the connection, on standard error
	In     io.Reader // standard input
	Out    io.Writer // standard output: what came back, byte for byte where that is no terminal
	Typed  bool      // somebody types, and is told

	dialogue *view.Dialogue
}

// Talk has what came back told from the rest, on a terminal.
func (f *Flags) Talk() Talk {
	t := Talk{In: os.Stdin, Out: os.Stdout}
	told := view.IsTerminal(os.Stderr) && !f.JSON && !f.Quiet
	t.Typed = told && view.IsTerminal(os.Stdin)
	if f.Quiet || !view.IsTerminal(os.Stdout) {
		t.Output = f.Narration(os.Stderr, timeline.Client)
		if view.IsTerminal(os.Stdout) {
			t.Out = view.Harmless(os.Stdout)
		}
		return t
	}
	t.dialogue = view.NewDialogue(os.Stdout, view.For(os.Stdout, f.Color), t.Typed && os.Getenv("TERM") != "dumb")
	t.In, t.Out = t.dialogue.Typed(os.Stdin), t.dialogue.CameBack()
	through := io.Writer(os.Stderr)
	if told {
		through = t.dialogue.Told(os.Stderr)
	}
	t.Output = f.narration(os.Stderr, through, timeline.Client)
	return t
}

// Done is Output's, after which nothing more is typed.
func (t Talk) Done(ended error) error {
	if t.dialogue != nil {
		t.dialogue.End()
	}
	return t.Output.Done(ended)
}
