package view

import "testing"

const somePage = "# close: both `close`\n\nA paragraph with `close(fd)`, a [link](close.md#x), *stress* and\nmore than one line of text that goes on for longer than forty columns.\n\n" +
	"## See it\n\n```sh\necho \"a  b\"   # spaces stay\n```\n\n<!-- run: echoc close  # exit 1 -->\n```text\n   ms  client                               server\n" +
	" 0.10                                       socket(AF_INET) = 8 of a row that is wide\n```\n<!-- end -->\n\n- one item that is long enough to be\n  wrapped somewhere\n- another: 2\\*3\n\n" +
	"| option | ends \\| not | after |\n|---|---|---|\n| `SO_XY` | the call and nothing more | 1 s |\n| two | | 2 s |\n"

func TestPage(t *testing.T) {
	t.Parallel()
	want := `close: both close

  A paragraph with close(fd), a link, stress and more than one line of text that goes on
  for longer than forty columns.

See it

    echo "a  b"   # spaces stay

   ms  client                               server
 0.10                                       socket(AF_INET) = 8 of a row that is wide

  - one item that is long enough to be wrapped somewhere
  - another: 2\*3

  option  ends | not                 after
  SO_XY   the call and nothing more  1 s
  two                                2 s
`
	if got := Page(somePage, Options{Width: 90}); got != want {
		t.Errorf("%s\nwant:\n%s", got, want)
	}
	narrow := `close: both close

  A paragraph with close(fd), a
  link, stress and more than one
  line of text that goes on for
  longer than forty columns.

See it

    echo "a  b"   # spaces stay

  (a transcript that does not
  fit here: echoc close)

  - one item that is long enough
    to be wrapped somewhere
  - another: 2\*3

  option  ends | not       after
  SO_XY   the call and     1 s
            nothing more
  two                      2 s
`
	if got := Page(somePage, Options{Width: 32}); got != narrow {
		t.Errorf("%s\nwant:\n%s", got, narrow)
	}
}

// A table that cannot be made narrow enough is a list.
func TestPageTableAsList(t *testing.T) {
	t.Parallel()
	const table = "| one column | another column | and a third one | and more |\n|---|---|---|---|\n| the first cell | the second cell | the third | more |\n| two | | | less |\n"
	want := `  - the first cell: another
    column the second cell; and
    a third one the third; and
    more more
  - two: and more less
`
	if got := Page(table, Options{Width: 32}); got != want {
		t.Errorf("%s\nwant:\n%s", got, want)
	}
}
