// Package sdk serves Hector plugins: fill in a Plugin with the providers that you wrote, hand it to Serve, and the process
// speaks the launch protocol, the health protocol and hector.plugin.v1 for you.
package sdk

import (
	"context"
	"errors"

	"google.golang.org/grpc"
	pb "hector.example/gen/go/hector/plugin/v1"
)

// Plugin is what a process serves. Name and at least one provider are required.
type Plugin struct {
	Name        string
	Version     string
	Description string

	LLM       pb.LLMProviderServer
	Database  pb.DatabaseProviderServer
	Embedder  pb.EmbedderProviderServer
	Tools     pb.ToolProviderServer
	Reasoning pb.ReasoningStrategyServer

	// Options points to the struct that the host's options are decoded into; what it holds at first are the defaults.
	// It is filled before Start and changes only while no call is running. Nil: the plugin has no options.
	//
	// Fields are named by their `json` tag, described by `description`, and must be given with `required:"true"`.
	Options any

	// Start does the slow work (loading a model, opening a database) once Options are filled. Calls are let in when it
	// returns nil. An error of InvalidOption tells the host which option is wrong; NotReady, what is absent. It is called
	// again, after Stop, only when the host configures the process with other options.
	Start func(ctx context.Context, setup Setup) error

	// Stop releases what Start took. No call is running when it is called.
	Stop func()
}

// Setup is what a plugin learns about its place beside its options.
type Setup struct {
	// Name is the key under which the host's configuration lists this plugin.
	Name string
	// DataDir may be written and outlives the process. Empty when there is none.
	DataDir string
}

// register adds the plugin's providers to the server and returns the full names of their services.
func (p Plugin) register(server grpc.ServiceRegistrar) []string {
	var services []string
	if p.LLM != nil {
		pb.RegisterLLMProviderServer(server, p.LLM)
		services = append(services, pb.LLMProvider_ServiceDesc.ServiceName)
	}
	if p.Database != nil {
		pb.RegisterDatabaseProviderServer(server, p.Database)
		services = append(services, pb.DatabaseProvider_ServiceDesc.ServiceName)
	}
	if p.Embedder != nil {
		pb.RegisterEmbedderProviderServer(server, p.Embedder)
		services = append(services, pb.EmbedderProvider_ServiceDesc.ServiceName)
	}
	if p.Tools != nil {
		pb.RegisterToolProviderServer(server, p.Tools)
		services = append(services, pb.ToolProvider_ServiceDesc.ServiceName)
	}
	if p.Reasoning != nil {
		pb.RegisterReasoningStrategyServer(server, p.Reasoning)
		services = append(services, pb.ReasoningStrategy_ServiceDesc.ServiceName)
	}
	return services
}

// check reports what the author of the plugin got wrong.
func (p Plugin) check() error {
	if p.Name == "" {
		return errors.New("sdk.Plugin needs a Name")
	}
	if p.LLM == nil && p.Database == nil && p.Embedder == nil && p.Tools == nil && p.Reasoning == nil {
		return errors.New("sdk.Plugin needs a provider: LLM, Database, Embedder, Tools or Reasoning")
	}
	if tools, ok := p.Tools.(*toolbox); ok {
		if err := tools.check(); err != nil {
			return err
		}
	}
	return checkOptions(p.Options)
}
