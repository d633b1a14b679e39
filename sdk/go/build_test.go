package sdk_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// goTool runs the Go tool in this folder, outside of any workspace.
func goTool(t *testing.T, environment string, arguments ...string) {
	t.Helper()
	command := exec.Command("go", arguments...)
	command.Env = append(os.Environ(), "GOWORK=off", environment)
	if output, err := command.CombinedOutput(); err != nil {
		t.Errorf("go %s: %v\n%s", strings.Join(arguments, " "), err, output)
	}
}

func TestItBuildsForEverySystem(t *testing.T) {
	for _, system := range []string{"linux", "darwin", "windows"} {
		goTool(t, "GOOS="+system, "build", ".", "./sdktest")
	}
}

// TestTheReadmesPluginsBuild adds the README's programs to this module for the length of a build.
func TestTheReadmesPluginsBuild(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	programs := 0
	for _, block := range regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(readme), -1) {
		program := block[1]
		if !strings.Contains(program, "func main()") {
			continue
		}
		if !strings.HasPrefix(program, "package main") { // it goes on where the first one ended
			program = "package main\n\nimport (\n\t\"context\"\n\n\tpb \"hector.example/gen/go/hector/plugin/v1\"\n\t\"hector.example/sdk\"\n)\n\n" + program
		}
		programs++
		folder := t.TempDir()
		file, overlay := filepath.Join(folder, "main.go"), filepath.Join(folder, "overlay.json")
		here, err := filepath.Abs("readme")
		if err != nil {
			t.Fatal(err)
		}
		replaced, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(here, "main.go"): file}})
		if err != nil {
			t.Fatal(err)
		}
		for path, content := range map[string][]byte{file: []byte(program), overlay: replaced} {
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		goTool(t, "CGO_ENABLED=0", "build", "-overlay", overlay, "-o", filepath.Join(folder, "plugin"), "./readme")
	}
	if programs != 2 {
		t.Errorf("found %d programs", programs)
	}
}
