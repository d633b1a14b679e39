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

// head is what the README's second program leaves out: it goes on where the first one ended.
const head = `package main

import (
	"context"

	pb "hector.example/gen/go/hector/plugin/v1"
	"hector.example/sdk"
)

`

func TestTheReadmesPluginsBuild(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	programs := 0
	for _, block := range regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(readme), -1) {
		switch program := block[1]; {
		case strings.HasPrefix(program, "package main"):
			buildInPlace(t, program)
			programs++
		case strings.Contains(program, "func main()"):
			buildInPlace(t, head+program)
			programs++
		}
	}
	if programs != 2 {
		t.Errorf("found %d programs", programs)
	}
}

// buildInPlace builds a program as if it lay in this module, where the contract and the SDK are found.
func buildInPlace(t *testing.T, program string) {
	t.Helper()
	place, err := filepath.Abs(filepath.Join("readme", "main.go"))
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	file, overlay := filepath.Join(folder, "main.go"), filepath.Join(folder, "overlay.json")
	write(t, file, program)
	replaced, err := json.Marshal(map[string]any{"Replace": map[string]string{place: file}})
	if err != nil {
		t.Fatal(err)
	}
	write(t, overlay, string(replaced))
	goTool(t, "CGO_ENABLED=0", "build", "-overlay", overlay, "-o", filepath.Join(folder, "plugin"), "./readme")
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
