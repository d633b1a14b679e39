package sdk

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/protobuf/types/known/structpb"
	pb "hector.example/gen/go/hector/plugin/v1"
)

// maxMessage bounds a message both ways, in bytes: gRPC's own 4 MiB is less than a batch of vectors.
const maxMessage = 64 << 20

// Server is a plugin on its way from options to calls, whatever listener it serves. Serve makes one; tests may too.
type Server struct {
	grpc      *grpc.Server
	lifecycle *lifecycle
	stopping  chan struct{}
	once      sync.Once
}

// NewServer prepares plugin; security is nil without TLS. The error tells what the plugin's author got wrong.
func NewServer(plugin Plugin, security *tls.Config) (*Server, error) {
	if err := plugin.check(); err != nil {
		return nil, err
	}
	around := guard{&gate{}}
	options := []grpc.ServerOption{
		grpc.MaxRecvMsgSize(maxMessage),
		grpc.MaxSendMsgSize(maxMessage),
		grpc.UnaryInterceptor(around.unary),
		grpc.StreamInterceptor(around.stream),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Second, PermitWithoutStream: true}),
	}
	if security != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(security)))
	}
	server := &Server{grpc: grpc.NewServer(options...), stopping: make(chan struct{})}
	server.lifecycle = newLifecycle(plugin, plugin.register(server.grpc), around.gate)
	pb.RegisterPluginServer(server.grpc, server.lifecycle)
	healthpb.RegisterHealthServer(server.grpc, server.lifecycle.health)
	for i := range ownServices {
		server.grpc.RegisterService(&ownServices[i], server)
	}
	// No reflection: its package alone adds a fifth to the time until the handshake, and Describe tells the same.
	return server, nil
}

// Configure starts the plugin with the options, as the RPC of that name does, and waits until it is ready.
func (s *Server) Configure(ctx context.Context, setup Setup, options *structpb.Struct) error {
	_, err := s.lifecycle.Configure(ctx, &pb.ConfigureRequest{Name: setup.Name, DataDir: setup.DataDir, Config: options})
	return err
}

// Serve answers calls until the server is stopped.
func (s *Server) Serve(listener net.Listener) error {
	return s.grpc.Serve(listener)
}

// requestStop asks whoever runs the server to stop it, and tells whether it was the first to.
func (s *Server) requestStop() (first bool) {
	s.once.Do(func() {
		first = true
		close(s.stopping)
	})
	return first
}

// farewell is how long what is cut off may take to leave.
const farewell = 200 * time.Millisecond

// Stop refuses new calls, gives those that run until ctx ends, closes every connection and stops the plugin.
func (s *Server) Stop(ctx context.Context) {
	s.requestStop()
	s.lifecycle.drain(ctx)
	closed := make(chan struct{})
	go func() {
		s.grpc.GracefulStop() // sends the answers that are on their way
		close(closed)
	}()
	select {
	case <-closed:
	case <-time.After(farewell): // somebody watches our health, or a call does not end
		s.grpc.Stop()
	}
	ctx, cancel := context.WithTimeout(context.Background(), farewell)
	defer cancel()
	s.lifecycle.end(ctx)
}
