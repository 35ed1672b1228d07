package cli

import (
	"bufio"
	"os"
)

// Lines are the lines of standard input, each when somebody takes it; after the last the channel is closed. Whoever
// reads lines in a run reads them here: two readers would take them from each other.
func (f *Flags) Lines() <-chan string {
	if f.lines == nil {
		lines := make(chan string)
		f.lines = lines
		go func() {
			defer close(lines)
			for sc := bufio.NewScanner(os.Stdin); sc.Scan(); {
				lines <- sc.Text()
			}
		}()
	}
	return f.lines
}
