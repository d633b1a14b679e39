// Command stockplugin is a plugin made with go-plugin's own Serve: a model that says the question back.
//
// It prints and logs in every way that such a plugin can, and the question "broker" makes it open a further listener
// and offer it to the host: the answer is the listener's number, once the host has been told of it.
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	pb "hector.example/gen/go/hector/plugin/v1"
	"hector.example/tests/interop"
)

const largestMessage = 64 << 20

type model struct {
	pb.UnimplementedLLMProviderServer
	broker *goplugin.GRPCBroker
	log    hclog.Logger
}

func (m *model) GenerateText(_ context.Context, request *pb.GenerateTextRequest) (*pb.GenerateTextResponse, error) {
	switch request.Prompt {
	case "broker":
		return m.offer()
	case "print":
		fmt.Println("printed to stdout")
		fmt.Fprintln(os.Stderr, "printed to stderr")
		m.log.Info("logged", "by", "hclog")
	}
	return &pb.GenerateTextResponse{Text: request.Prompt}, nil
}

// offer answers once the host has taken what the broker's stream says.
func (m *model) offer() (*pb.GenerateTextResponse, error) {
	id := m.broker.NextId()
	serving := make(chan struct{})
	go m.broker.AcceptAndServe(id, func(options []grpc.ServerOption) *grpc.Server {
		server := grpc.NewServer(options...)
		healthpb.RegisterHealthServer(server, health.NewServer())
		close(serving)
		return server
	})
	<-serving
	return &pb.GenerateTextResponse{Text: strconv.FormatUint(uint64(id), 10)}, nil
}

func (m *model) StreamText(request *pb.StreamTextRequest, stream grpc.ServerStreamingServer[pb.StreamTextResponse]) error {
	for _, word := range strings.SplitAfter(request.Prompt, " ") {
		if err := stream.Send(&pb.StreamTextResponse{Text: word}); err != nil {
			return err
		}
	}
	return stream.Send(&pb.StreamTextResponse{Done: true})
}

func main() {
	log := hclog.New(&hclog.LoggerOptions{Name: "stockplugin", Level: hclog.Info, Output: os.Stderr, JSONFormat: true})
	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig: interop.Handshake,
		Plugins: goplugin.PluginSet{interop.Name: interop.Model{
			Serve: func(broker *goplugin.GRPCBroker) pb.LLMProviderServer { return &model{broker: broker, log: log} },
		}},
		GRPCServer: func(options []grpc.ServerOption) *grpc.Server {
			limits := []grpc.ServerOption{grpc.MaxRecvMsgSize(largestMessage), grpc.MaxSendMsgSize(largestMessage)}
			return grpc.NewServer(append(options, limits...)...)
		},
		Logger: log,
	})
}
