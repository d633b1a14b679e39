package sdk

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
)

// controller is go-plugin's plugin.GRPCController, written by hand: its messages are empty, whatever their names. A stock
// host that finds it does not wait two seconds before it kills.
var controller = grpc.ServiceDesc{
	ServiceName: "plugin.GRPCController",
	HandlerType: (*any)(nil),
	Methods:     []grpc.MethodDesc{{MethodName: "Shutdown", Handler: shutdown}},
	Metadata:    "grpc_controller.proto",
}

// shutdown answers first: what it asks for stops the server that would send the answer.
func shutdown(server any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	if err := decode(&emptypb.Empty{}); err != nil {
		return nil, err
	}
	server.(*Server).requestStop()
	return &emptypb.Empty{}, nil
}
