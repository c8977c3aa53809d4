package runtime

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Who looks for a file finds it in the package's comment, and what that names is there.
func TestDocNamesEachFile(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	words := regexp.MustCompile(`[a-z]+(_[a-z]+)*`).FindAllString(string(doc), -1)
	files, _ := filepath.Glob("*.go")
	for _, file := range files {
		if name := strings.TrimSuffix(file, ".go"); name != "doc" && !strings.HasSuffix(name, "_test") && !slices.Contains(words, name) {
			t.Errorf("doc.go does not name %s", name)
		}
	}
	for _, w := range words {
		if strings.Contains(w, "_") && !slices.Contains(files, w+".go") {
			t.Errorf("doc.go names %s, which is not there", w)
		}
	}
}
