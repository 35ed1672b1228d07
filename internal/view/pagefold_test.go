package view

import "testing"

const foldedPage = `What matters: ①.

<details><summary>The whole run</summary>

<!-- run: echoc close  # exit 1 -->
` + "```text\n   ms  client\n```" + `
<!-- end -->

</details>

<details>
<summary>Both terminals</summary>

<!-- run 2 of: echod close & echoc close 127.0.0.1:7007 -->
` + "```text\n   ms  client\n```" + `
<!-- end -->

</details>

1. Why?

<details><summary>Answer</summary>

Because of the ` + "`FIN`" + `.

<!-- run: echoc --wire close -->
` + "```text\n   ms  client\n```" + `
<!-- end -->

</details>

The end.
`

// A folded run is left out; a folded answer is not.
func TestPageFolded(t *testing.T) {
	t.Parallel()
	want := `  What matters: ①.

  (Left out here: The whole run. To see it: echoc close)

  (Left out here: Both terminals. To see it: echod close, and in another
  terminal echoc close 127.0.0.1:7007)

  1. Why?

  Answer:

  Because of the FIN.

  (Left out here: Answer. To see it: echoc --wire close)

  The end.
`
	if got := Page(foldedPage, Options{Width: 80}); got != want {
		t.Errorf("%s\nwant:\n%s", got, want)
	}
}
