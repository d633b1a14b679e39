// Package sdktest serves a plugin on a real socket and hands out stubs for it: what a host would see, in one process.
package sdktest

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/protobuf/types/known/structpb"
	pb "hector.example/gen/go/hector/plugin/v1"
	"hector.example/sdk"
)

// deadline is how long a plugin under test may take to become ready and to stop.
const deadline = 30 * time.Second

// Stubs call the plugin under test. Those of services that it does not serve answer UNIMPLEMENTED.
type Stubs struct {
	Conn      *grpc.ClientConn
	Plugin    pb.PluginClient
	Health    healthpb.HealthClient
	LLM       pb.LLMProviderClient
	Database  pb.DatabaseProviderClient
	Embedder  pb.EmbedderProviderClient
	Tools     pb.ToolProviderClient
	Reasoning pb.ReasoningStrategyClient
	// DataDir is the directory that the plugin was given; it goes with the test.
	DataDir string
}

// Run serves plugin with the options until the test ends, and fails the test unless it becomes ready.
func Run(t testing.TB, plugin sdk.Plugin, options map[string]any) *Stubs {
	t.Helper()
	stubs := Serve(t, plugin)
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	if _, err := stubs.Configure(ctx, options); err != nil {
		t.Fatalf("%s did not become ready: %v", plugin.Name, err)
	}
	return stubs
}

// Configure hands the options over, as a host does.
func (s *Stubs) Configure(ctx context.Context, options map[string]any) (*pb.ConfigureResponse, error) {
	config, err := structpb.NewStruct(options)
	if err != nil {
		return nil, err
	}
	return s.Plugin.Configure(ctx, &pb.ConfigureRequest{Name: "under_test", DataDir: s.DataDir, Config: config})
}

// Serve is Run without options: the test calls Configure itself.
func Serve(t testing.TB, plugin sdk.Plugin) *Stubs {
	t.Helper()
	server, err := sdk.NewServer(plugin, nil)
	if err != nil {
		t.Fatal(err)
	}
	folder, err := os.MkdirTemp("", "hector") // t.TempDir is too long for a socket's path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	listener, err := net.Listen("unix", filepath.Join(folder, "s"))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := grpc.NewClient("unix:"+filepath.Join(folder, "s"),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64<<20)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() { stop(t, server, served) })
	return &Stubs{
		Conn:      conn,
		Plugin:    pb.NewPluginClient(conn),
		Health:    healthpb.NewHealthClient(conn),
		LLM:       pb.NewLLMProviderClient(conn),
		Database:  pb.NewDatabaseProviderClient(conn),
		Embedder:  pb.NewEmbedderProviderClient(conn),
		Tools:     pb.NewToolProviderClient(conn),
		Reasoning: pb.NewReasoningStrategyClient(conn),
		DataDir:   t.TempDir(),
	}
}

func stop(t testing.TB, server *sdk.Server, served <-chan error) {
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	server.Stop(ctx)
	select {
	case err := <-served:
		if err != nil {
			t.Errorf("serving ended with %v", err)
		}
	case <-ctx.Done():
		t.Error("a call did not end after its context had")
	}
}
