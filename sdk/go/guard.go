package sdk

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	pb "hector.example/gen/go/hector/plugin/v1"
)

// guard stands around every call: it passes the gate, and whatever the handler does, the process lives and the caller gets
// an answer that can be read.
type guard struct{ gate *gate }

func (g guard) unary(
	ctx context.Context, request any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler,
) (response any, err error) {
	if gated(info.FullMethod) {
		if err := g.gate.enter(); err != nil {
			return nil, err
		}
		defer g.gate.leave()
	}
	defer recovered(info.FullMethod, &err)
	response, err = handle(ctx, request)
	var no failure
	if errors.As(err, &no) {
		if refused := refusal(info.FullMethod, no); refused != nil {
			return refused, nil
		}
	}
	return response, reported(info.FullMethod, err)
}

func (g guard) stream(
	server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler,
) (err error) {
	if gated(info.FullMethod) {
		if err := g.gate.enter(); err != nil {
			return err
		}
		defer g.gate.leave()
	}
	defer recovered(info.FullMethod, &err)
	return reported(info.FullMethod, handle(server, stream))
}

// gated tells the providers' methods, which need a plugin that is ready, from health and the lifecycle.
func gated(method string) bool {
	return strings.HasPrefix(method, "/hector.plugin.") &&
		!strings.HasPrefix(method, "/"+pb.Plugin_ServiceDesc.ServiceName+"/")
}

// recovered turns a panic into INTERNAL. Its words stay in the log: they were written for the plugin's author.
func recovered(what string, err *error) {
	if reason := recover(); reason != nil {
		slog.Error("panic", "in", what, "reason", reason, "stack", string(debug.Stack()))
		*err = status.Errorf(codes.Internal, "panic in %s: see the plugin's log", what)
	}
}

// reported logs the errors that are nobody's intention.
func reported(method string, err error) error {
	answer := asStatus(err)
	if _, meant := status.FromError(err); !meant && status.Code(answer) == codes.Internal {
		slog.Error("a call failed unexpectedly", "method", method, "error", err)
	}
	return answer
}
