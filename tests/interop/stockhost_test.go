// Package stockhost holds our plugins against the library that their launch protocol comes from: a host made with
// HashiCorp's go-plugin, which knows nothing of Hector.
package stockhost

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	pb "hector.example/gen/go/hector/plugin/v1"
)

// llm is how a stock host gets its stub.
type llm struct {
	goplugin.NetRPCUnsupportedPlugin
}

func (llm) GRPCServer(*goplugin.GRPCBroker, *grpc.Server) error { return nil }

func (llm) GRPCClient(_ context.Context, _ *goplugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return conn, nil
}

// built is the executable of a Go plugin of this repository.
func built(t *testing.T, name string) string {
	t.Helper()
	executable := filepath.Join(t.TempDir(), name)
	build := exec.Command("go", "build", "-o", executable, ".")
	build.Dir = filepath.Join("..", "..", "plugins", name)
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return executable
}

func TestAStockHostRunsAPluginOfTheGoSDK(t *testing.T) {
	executable := built(t, "echo-llm-go")
	for name, secured := range map[string]bool{"plain": false, "mutual TLS": true} {
		t.Run(name, func(t *testing.T) {
			command := exec.Command(executable)
			command.Env = append(os.Environ(), "HECTOR_PLUGIN_CONFIG={}")
			var log bytes.Buffer
			client := goplugin.NewClient(&goplugin.ClientConfig{
				HandshakeConfig: goplugin.HandshakeConfig{
					ProtocolVersion: 1, MagicCookieKey: "HECTOR_PLUGIN", MagicCookieValue: "hector_plugin_v1",
				},
				Plugins:          goplugin.PluginSet{"llm": llm{}},
				Cmd:              command,
				AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
				AutoMTLS:         secured,
				Logger:           hclog.New(&hclog.LoggerOptions{Output: &log, Level: hclog.Debug}),
			})
			defer client.Kill()
			protocol, err := client.Client()
			if err != nil {
				t.Fatal(err)
			}
			if err := protocol.Ping(); err != nil {
				t.Error(err)
			}
			dispensed, err := protocol.Dispense("llm")
			if err != nil {
				t.Fatal(err)
			}
			conn := dispensed.(*grpc.ClientConn)
			// A host that does not know health waits by calling Configure, which joins the start.
			if _, err := pb.NewPluginClient(conn).Configure(t.Context(), &pb.ConfigureRequest{}); err != nil {
				t.Fatal(err)
			}
			answer, err := pb.NewLLMProviderClient(conn).GenerateText(t.Context(), &pb.GenerateTextRequest{Prompt: "Hello"})
			if err != nil || answer.Text != "Hello" {
				t.Errorf("got %v, %v", answer, err)
			}
			client.Kill()
			if status := command.ProcessState; !client.Exited() || status == nil || status.ExitCode() != 0 {
				t.Errorf("ended with %v", status)
			}
			if said := log.String(); strings.Contains(said, "[WARN]") || strings.Contains(said, "[ERROR]") {
				t.Errorf("the host complains:\n%s", said)
			}
		})
	}
}
