// Package interop is what our plugins and our host are held against: programs made with HashiCorp's go-plugin, the
// library that the launch protocol comes from, which know nothing of Hector but its contract.
package interop

import (
	"context"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	pb "hector.example/gen/go/hector/plugin/v1"
)

// Handshake is what host and plugin agree upon before they talk.
var Handshake = goplugin.HandshakeConfig{
	ProtocolVersion: 1, MagicCookieKey: "HECTOR_PLUGIN", MagicCookieValue: "hector_plugin_v1",
}

// Name is under which the model is dispensed.
const Name = "llm"

// Model is a language model as go-plugin has it: served by a plugin, dispensed by a host.
type Model struct {
	goplugin.NetRPCUnsupportedPlugin
	// Serve makes what a plugin serves. A host leaves it nil.
	Serve func(*goplugin.GRPCBroker) pb.LLMProviderServer
}

// Dispensed is what a host gets.
type Dispensed struct {
	Conn   *grpc.ClientConn
	Broker *goplugin.GRPCBroker
}

// GRPCServer is called in the plugin.
func (m Model) GRPCServer(broker *goplugin.GRPCBroker, server *grpc.Server) error {
	pb.RegisterLLMProviderServer(server, m.Serve(broker))
	return nil
}

// GRPCClient is called in the host.
func (Model) GRPCClient(_ context.Context, broker *goplugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return Dispensed{conn, broker}, nil
}
