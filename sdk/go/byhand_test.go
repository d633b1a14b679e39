//go:build unix

package sdk_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/grpc/credentials/insecure"
	pb "hector.example/gen/go/hector/plugin/v1"
)

const usage = `usage: %s [--listen ADDRESS] [--data-dir DIR] [--config JSON or FILE] [--health ADDRESS]

greeter 1.2.3: Greets.

A Hector plugin, to be started by a host. It serves hector.plugin.v1.LLMProvider.
Name it in a configuration (plugins: ... path, package or command), or serve it by hand with --listen.

  --listen ADDRESS       serve at HOST:PORT, :PORT or unix:PATH
  --data-dir DIR         where it may keep data
  --config JSON or FILE  its options, as a JSON object or a file with one
  --health ADDRESS       ask a running one: exit code 0 when it is ready, else 1
`

func TestByHandItExplainsItself(t *testing.T) {
	for name, test := range map[string]struct {
		arguments []string
		status    int
		before    string
	}{
		"nothing": {nil, 1, ""},
		"help":    {[]string{"--help"}, 0, ""},
		"unknown": {[]string{"--nope"}, 2, "flag provided but not defined: -nope\n"},
	} {
		t.Run(name, func(t *testing.T) {
			c := start(t, test.arguments)
			if status := c.exit(); status != test.status {
				t.Errorf("exit status %d, want %d", status, test.status)
			}
			if want := test.before + fmt.Sprintf(usage, os.Args[0]); c.stderr.String() != want {
				t.Errorf("said\n%s\nwant\n%s", &c.stderr, want)
			}
		})
	}
}

// listen starts it by hand, and gives the address that it tells.
func listen(t *testing.T, arguments ...string) (*child, string) {
	t.Helper()
	c := start(t, append([]string{"--listen"}, arguments...))
	for {
		line, err := c.stdout.ReadString('\n')
		if err != nil {
			_ = c.Wait()
			t.Fatalf("does not listen: %v\n%s", err, &c.stderr)
		}
		if address, ok := strings.CutPrefix(line, "greeter listens on "); ok {
			return c, strings.TrimSpace(address)
		}
	}
}

func TestByHandItServesWhereItIsTold(t *testing.T) {
	file := filepath.Join(t.TempDir(), "options.json")
	if err := os.WriteFile(file, []byte(`{"greeting": "Hey "}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, at := range []string{"127.0.0.1:0", "unix:" + filepath.Join(short(t), "s")} {
		c, address := listen(t, at, "--config", file)
		conn := dial(t, address, insecure.NewCredentials())
		waitServing(t, conn)
		response, err := pb.NewLLMProviderClient(conn).GenerateText(t.Context(), &pb.GenerateTextRequest{Prompt: "Ada"})
		if err != nil || response.Text != "Hey Ada" {
			t.Errorf("got %v, %v", response, err)
		}
		asked := start(t, []string{"--health", address})
		if status := asked.exit(); status != 0 {
			t.Errorf("health: exit status %d", status)
		}
		_ = c.Process.Signal(os.Interrupt)
		if status := c.exit(); status != 0 {
			t.Errorf("exit status %d\n%s", status, &c.stderr)
		}
	}
}

func TestByHandAPluginThatCannotStartEnds(t *testing.T) {
	c, _ := listen(t, "127.0.0.1:0", "--config", `{"times": -1}`)
	if status := c.exit(); status != 1 {
		t.Errorf("exit status %d", status)
	}
	if !strings.HasSuffix(c.stderr.String(), "\ngreeter: times: is less than 0\n") {
		t.Errorf("said %s", &c.stderr)
	}
}

func TestByHandWrongOptionsAreRefused(t *testing.T) {
	for config, want := range map[string]string{
		"{":        "greeter: --config is not a JSON object\n",
		"/no/file": "greeter: --config: open /no/file: no such file or directory\n",
	} {
		c := start(t, []string{"--listen", "127.0.0.1:0", "--config", config})
		if status := c.exit(); status != 1 || c.stderr.String() != want {
			t.Errorf("exit status %d: %s", status, &c.stderr)
		}
	}
}

func TestHealthOfNobodyIsOne(t *testing.T) {
	address := "unix:" + filepath.Join(short(t), "nobody")
	c := start(t, []string{"--health", address})
	if status := c.exit(); status != 1 || !strings.HasPrefix(c.stderr.String(), address+": ") {
		t.Errorf("exit status %d: %s", status, &c.stderr)
	}
}
