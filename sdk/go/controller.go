package sdk

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
)

// go-plugin's own services, written by hand: what their messages hold is of no use here, so all are read as empty ones.
//
// GRPCController ends this process: a stock host that finds it does not wait two seconds before it kills. GRPCBroker and
// GRPCStdio are streams that such a host opens at once and keeps until it goes; nothing of the contract needs them, so they
// stay open and silent. What this process prints is in the log already, by standard error, and would be there twice. Both
// end when the process is asked to stop: they are no calls to be waited for.
var ownServices = []grpc.ServiceDesc{
	{
		ServiceName: "plugin.GRPCController",
		HandlerType: (*any)(nil),
		Methods:     []grpc.MethodDesc{{MethodName: "Shutdown", Handler: shutdown}},
		Metadata:    "grpc_controller.proto",
	}, {
		ServiceName: "plugin.GRPCBroker",
		HandlerType: (*any)(nil),
		Streams: []grpc.StreamDesc{
			{StreamName: "StartStream", Handler: keepOpen, ServerStreams: true, ClientStreams: true},
		},
		Metadata: "grpc_broker.proto",
	}, {
		ServiceName: "plugin.GRPCStdio",
		HandlerType: (*any)(nil),
		Streams:     []grpc.StreamDesc{{StreamName: "StreamStdio", Handler: keepOpen, ServerStreams: true}},
		Metadata:    "grpc_stdio.proto",
	},
}

// shutdown answers first: what it asks for stops the server that would send the answer.
func shutdown(server any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	if err := decode(&emptypb.Empty{}); err != nil {
		return nil, err
	}
	server.(*Server).requestStop()
	return &emptypb.Empty{}, nil
}

// keepOpen reads what the host says, so that it is never held up, and says nothing.
func keepOpen(server any, stream grpc.ServerStream) error {
	go func() {
		for stream.RecvMsg(&emptypb.Empty{}) == nil {
		}
	}()
	select {
	case <-stream.Context().Done():
		return stream.Context().Err()
	case <-server.(*Server).stopping:
		return nil
	}
}
