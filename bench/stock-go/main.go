// Command stock-go is what a host made with HashiCorp's go-plugin has when its plugin is killed: it starts the plugin
// that it is given, kills it, calls it once more, and then does by hand what that library leaves to its user.
//
// Prints one JSON object: seconds until the call after the kill ended, and how; seconds until a client that was made
// anew had its answer, from the kill.
package main

import (
	"context"
	"encoding/json"
	"log"
	"os"
	"os/exec"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	pb "hector.example/gen/go/hector/plugin/v1"
)

const patience = 5 * time.Second

type llm struct {
	goplugin.NetRPCUnsupportedPlugin
}

func (llm) GRPCServer(*goplugin.GRPCBroker, *grpc.Server) error { return nil }

func (llm) GRPCClient(_ context.Context, _ *goplugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return conn, nil
}

func start(command []string) (*goplugin.Client, *exec.Cmd, pb.LLMProviderClient) {
	process := exec.Command(command[0], command[1:]...)
	process.Env = append(os.Environ(), "HECTOR_PLUGIN_CONFIG={}")
	client := goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig: goplugin.HandshakeConfig{
			ProtocolVersion: 1, MagicCookieKey: "HECTOR_PLUGIN", MagicCookieValue: "hector_plugin_v1",
		},
		Plugins:          goplugin.PluginSet{"llm": llm{}},
		Cmd:              process,
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		Logger:           hclog.NewNullLogger(),
	})
	protocol, err := client.Client()
	if err != nil {
		log.Fatal(err)
	}
	dispensed, err := protocol.Dispense("llm")
	if err != nil {
		log.Fatal(err)
	}
	conn := dispensed.(*grpc.ClientConn)
	if _, err := pb.NewPluginClient(conn).Configure(context.Background(), &pb.ConfigureRequest{}); err != nil {
		log.Fatal(err)
	}
	return client, process, pb.NewLLMProviderClient(conn)
}

func ask(model pb.LLMProviderClient) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, err := model.GenerateText(ctx, &pb.GenerateTextRequest{Prompt: "Hello"})
	return err
}

func main() {
	client, process, model := start(os.Args[1:])
	if err := ask(model); err != nil {
		log.Fatal(err)
	}
	killed := time.Now()
	if err := process.Process.Kill(); err != nil {
		log.Fatal(err)
	}
	outcome := "answered"
	if err := ask(model); err != nil {
		outcome = err.Error()
	}
	after := time.Since(killed)
	if _, err := client.Client(); err == nil { // it does not start a second process
		if ask(model) == nil {
			outcome = "answered by the old client"
		}
	}
	client.Kill()
	again := time.Now()
	client, _, model = start(os.Args[1:])
	if err := ask(model); err != nil {
		log.Fatal(err)
	}
	anew := time.Since(again)
	client.Kill()
	if err := json.NewEncoder(os.Stdout).Encode(map[string]any{
		"after": after.Seconds(), "outcome": outcome, "anew": anew.Seconds(),
	}); err != nil {
		log.Fatal(err)
	}
}
