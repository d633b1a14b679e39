package sdk

import (
	"context"
	"log/slog"
	"reflect"
	"sync"

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
}

// refused is a start that never began.
func refused(err error) *start {
	done := make(chan struct{})
	close(done)
	return &start{done: done, err: err}
}

func newLifecycle(plugin Plugin, services []string, gate *gate) *lifecycle {
	l := &lifecycle{plugin: plugin, services: services, gate: gate, health: health.NewServer()}
	if plugin.Options != nil {
		current := reflect.ValueOf(plugin.Options).Elem()
		l.defaults = reflect.New(current.Type()).Elem()
		l.defaults.Set(current)
	}
	l.gate.shut(status.Error(codes.FailedPrecondition, plugin.Name+" is not configured yet"))
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
	start := l.begin(Setup{Name: request.Name, DataDir: request.DataDir}, request.Config)
	select {
	case <-start.done:
		return &pb.ConfigureResponse{}, asStatus(start.err)
	case <-ctx.Done():
		return nil, asStatus(ctx.Err())
	}
}

// begin starts the plugin with the options, or joins the start that had equal ones. A start that failed is tried again.
func (l *lifecycle) begin(setup Setup, options *structpb.Struct) *start {
	if options == nil {
		options = &structpb.Struct{}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopped {
		return refused(l.stopping())
	}
	previous := l.newest
	if previous != nil {
		setup = setup.or(previous.setup)
		if previous.setup == setup && proto.Equal(previous.options, options) && !previous.failed() {
			return previous
		}
		previous.cancel()
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

func (s *start) failed() bool {
	select {
	case <-s.done:
		return s.err != nil
	default:
		return false
	}
}

// run performs a start once the previous one has ended and the calls that used it have left.
func (l *lifecycle) run(ctx context.Context, start, previous *start) {
	defer close(start.done)
	left := l.gate.shut(status.Error(codes.FailedPrecondition, l.plugin.Name+" is still starting"))
	l.setServing(false)
	if previous != nil {
		<-previous.done
		<-left
		if previous.err == nil {
			l.stopPlugin()
		}
	}
	if start.err = l.startPlugin(ctx, start); start.err != nil {
		slog.Error("could not start", "error", start.err)
		l.gate.shut(status.Errorf(codes.FailedPrecondition, "%s did not start: %s", l.plugin.Name, status.Convert(asStatus(start.err)).Message()))
		return
	}
	l.gate.open()
	l.setServing(true)
	slog.Debug("ready")
}

func (l *lifecycle) startPlugin(ctx context.Context, start *start) (err error) {
	defer recovered("Start", &err)
	options, err := decodeOptions(start.options.AsMap(), l.defaults)
	if err != nil {
		return err
	}
	if l.plugin.Options != nil {
		reflect.ValueOf(l.plugin.Options).Elem().Set(options)
	}
	if l.plugin.Start != nil {
		if err := l.plugin.Start(ctx, start.setup); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (l *lifecycle) stopPlugin() {
	var err error
	defer recovered("Stop", &err)
	if l.plugin.Stop != nil {
		l.plugin.Stop()
	}
}

// stop refuses new calls, waits until those that run have ended or ctx has, and stops the plugin if it had been started.
func (l *lifecycle) stop(ctx context.Context) {
	l.mu.Lock()
	l.stopped = true
	newest := l.newest
	l.mu.Unlock()
	if newest == nil {
		return
	}
	newest.cancel()
	select {
	case <-newest.done:
	case <-ctx.Done():
		return
	}
	l.setServing(false)
	select {
	case <-l.gate.shut(l.stopping()):
	case <-ctx.Done():
	}
	if newest.err == nil {
		l.stopPlugin()
	}
}

func (l *lifecycle) stopping() error {
	return status.Error(codes.Unavailable, l.plugin.Name+" is stopping")
}
