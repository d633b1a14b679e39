package sdk

import (
	"context"
	"log/slog"
	"os"
	"reflect"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
	pb "hector.example/gen/go/hector/plugin/v1"
)

// contractRevision is the newest revision of the contract that this SDK knows.
const contractRevision = 1

// Why calls are refused.
var (
	errNotConfigured = status.Error(codes.FailedPrecondition, "the plugin is not configured: call Plugin.Configure first")
	errStarting      = status.Error(codes.Unavailable, "the plugin is still starting: wait until its health is SERVING")
	errStopping      = status.Error(codes.Unavailable, "the plugin is stopping")
	errSuperseded    = status.Error(codes.Aborted, "superseded by a Configure with other options")
)

// lifecycle serves hector.plugin.v1.Plugin: it turns options into a ready plugin. There is at most one start at a time,
// and equal options join it.
type lifecycle struct {
	pb.UnimplementedPluginServer
	plugin   Plugin
	defaults reflect.Value // what Plugin.Options pointed to at first
	services []string
	gate     *gate
	health   *health.Server

	mu      sync.Mutex
	newest  *start
	stopped bool
}

// start is one attempt to make the plugin ready with some options.
type start struct {
	setup   Setup
	options *structpb.Struct
	cancel  context.CancelFunc
	done    chan struct{}
	err     error // valid once done is closed
	told    atomic.Bool
}

// refused is a start that never began.
func refused(err error) *start {
	done := make(chan struct{})
	close(done)
	return &start{done: done, err: err}
}

// wait gives the outcome of the start.
func (s *start) wait(ctx context.Context) error {
	select {
	case <-s.done:
		s.told.Store(true)
		return asStatus(s.err)
	case <-ctx.Done():
		return asStatus(ctx.Err())
	}
}

// abandon tells a start that is still running to give up. What one that succeeded holds lives on until Stop.
func (s *start) abandon() {
	select {
	case <-s.done:
	default:
		s.cancel()
	}
}

// over tells whether the start has failed, and somebody knows.
func (s *start) over() bool {
	select {
	case <-s.done:
		return s.err != nil && s.told.Load()
	default:
		return false
	}
}

func newLifecycle(plugin Plugin, services []string, gate *gate) *lifecycle {
	l := &lifecycle{plugin: plugin, services: services, gate: gate, health: health.NewServer()}
	if plugin.Options != nil {
		current := reflect.ValueOf(plugin.Options).Elem()
		l.defaults = reflect.New(current.Type()).Elem()
		l.defaults.Set(current)
	}
	l.gate.shut(errNotConfigured)
	l.setServing(false)
	return l
}

// setServing answers health for the whole process and for the name that stock go-plugin hosts ask for.
func (l *lifecycle) setServing(ready bool) {
	answer := healthpb.HealthCheckResponse_NOT_SERVING
	if ready {
		answer = healthpb.HealthCheckResponse_SERVING
	}
	l.health.SetServingStatus("", answer)
	l.health.SetServingStatus("plugin", answer)
}

func (l *lifecycle) Describe(context.Context, *pb.DescribeRequest) (*pb.DescribeResponse, error) {
	schema, err := structpb.NewStruct(optionsSchema(l.defaults))
	if err != nil {
		return nil, err
	}
	return &pb.DescribeResponse{
		Name:             l.plugin.Name,
		Version:          l.plugin.Version,
		Description:      l.plugin.Description,
		Services:         l.services,
		ConfigSchema:     schema,
		ContractRevision: contractRevision,
	}, nil
}

// Configure answers when the plugin is ready, or says why it is not.
func (l *lifecycle) Configure(ctx context.Context, request *pb.ConfigureRequest) (*pb.ConfigureResponse, error) {
	return &pb.ConfigureResponse{}, l.begin(Setup{Name: request.Name, DataDir: request.DataDir}, request.Config).wait(ctx)
}

// begin starts the plugin with the options, or joins the start that had equal ones. A failure is told once; then equal options
// are tried again.
func (l *lifecycle) begin(setup Setup, options *structpb.Struct) *start {
	if options == nil {
		options = &structpb.Struct{}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopped {
		return refused(errStopping)
	}
	previous := l.newest
	if previous != nil {
		setup = setup.or(previous.setup)
		if previous.setup == setup && proto.Equal(previous.options, options) && !previous.over() {
			return previous
		}
		previous.abandon()
	}
	ctx, cancel := context.WithCancel(context.Background())
	l.newest = &start{setup: setup, options: options, cancel: cancel, done: make(chan struct{})}
	go l.run(ctx, l.newest, previous)
	return l.newest
}

// or fills what is empty: a host that gives no data directory leaves the one that the process was launched with.
func (s Setup) or(other Setup) Setup {
	if s.Name == "" {
		s.Name = other.Name
	}
	if s.DataDir == "" {
		s.DataDir = other.DataDir
	}
	return s
}

// run performs a start once the previous one has ended and the calls that used it have left.
func (l *lifecycle) run(ctx context.Context, start, previous *start) {
	defer close(start.done)
	if previous != nil {
		<-previous.done // else it might open the gate that is shut here
	}
	left := l.gate.shut(errStarting)
	l.setServing(false)
	if previous != nil && previous.err == nil {
		<-left
		l.stopPlugin()
	}
	if start.err = l.startPlugin(ctx, start); start.err != nil {
		words := status.Convert(asStatus(start.err)).Message()
		l.gate.shut(status.Errorf(codes.FailedPrecondition, "the plugin did not start: %s", words))
		return
	}
	l.gate.open()
	l.setServing(true)
}

// startPlugin fills the options and lets the plugin do its slow work. ctx ends when nobody wants that any more.
func (l *lifecycle) startPlugin(ctx context.Context, start *start) error {
	err := l.callStart(ctx, start)
	switch {
	case ctx.Err() != nil:
		if err == nil {
			l.stopPlugin()
		}
		return errSuperseded
	case err != nil:
		slog.Error("cannot start", "error", err)
	}
	return err
}

func (l *lifecycle) callStart(ctx context.Context, start *start) (err error) {
	defer recovered("Start", &err)
	options, err := decodeOptions(start.options.AsMap(), l.defaults)
	if err != nil {
		return err
	}
	if l.plugin.Options != nil {
		reflect.ValueOf(l.plugin.Options).Elem().Set(options)
	}
	if start.setup.DataDir != "" {
		if err := os.MkdirAll(start.setup.DataDir, 0o755); err != nil {
			return NotReady("%v", err)
		}
	}
	if l.plugin.Start == nil {
		return nil
	}
	return l.plugin.Start(ctx, start.setup)
}

func (l *lifecycle) stopPlugin() {
	var err error
	defer recovered("Stop", &err)
	if l.plugin.Stop != nil {
		l.plugin.Stop()
	}
}

// drain refuses new calls for good, and waits until those that run have left or ctx has ended.
func (l *lifecycle) drain(ctx context.Context) {
	l.mu.Lock()
	l.stopped = true
	newest := l.newest
	l.mu.Unlock()
	if newest != nil {
		newest.abandon()
		select {
		case <-newest.done:
		case <-ctx.Done():
		}
	}
	l.setServing(false)
	select {
	case <-l.gate.shut(errStopping):
	case <-ctx.Done():
	}
}

// end stops the plugin once the calls that were cut off have left. One that does not leave has the process's end coming.
func (l *lifecycle) end(ctx context.Context) {
	l.mu.Lock()
	newest := l.newest
	l.mu.Unlock()
	if newest == nil {
		return
	}
	for _, left := range []<-chan struct{}{newest.done, l.gate.shut(errStopping)} {
		select {
		case <-left:
		case <-ctx.Done():
			slog.Warn("stopped while work was going on", "plugin", l.plugin.Name)
			return
		}
	}
	if newest.err == nil {
		l.stopPlugin()
	}
}
