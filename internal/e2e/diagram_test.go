package e2e

import (
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The state diagram as a tour measured it, in Mermaid's words and as a picture.
func TestTheMeasuredDiagram(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a tour")
	}
	beside(t)
	svg, html := filepath.Join(t.TempDir(), "states.svg"), filepath.Join(t.TempDir(), "states.html")
	status, out, errs := run(t, "echoc", "diagram", "--mermaid", "--svg", svg, "--html", html)
	if status != 0 {
		t.Fatalf("status %d: %s", status, errs)
	}
	for _, want := range []string{"```mermaid\nstateDiagram-v2\n", "s_CLOSED --> s_LISTEN : listen() (handshake)\n", "s_ESTABLISHED --> s_FIN_WAIT_1 : close() ("} {
		if !strings.Contains(out, want) {
			t.Errorf("there is no %q in\n%s", want, out)
		}
	}
	if b, err := os.ReadFile(html); err != nil || !strings.Contains(string(b), "<td>CLOSED</td><td>LISTEN</td><td>listen() (handshake)</td>") {
		t.Errorf("%v: %s", err, b)
	}
	file, err := os.Open(svg)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for d := xml.NewDecoder(file); ; {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if status, _, errs := run(t, "echoc", "diagram", "--svg", svg); status != 1 || !strings.Contains(errs, "--overwrite") {
		t.Errorf("over a file that is there: status %d: %s", status, errs)
	}
}
