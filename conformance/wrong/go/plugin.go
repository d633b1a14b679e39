package main

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
	pb "hector.example/gen/go/hector/plugin/v1"
)

type plugin struct {
	pb.UnimplementedPluginServer
	configured atomic.Int64
	described  atomic.Int64
}

func (p *plugin) Describe(context.Context, *pb.DescribeRequest) (*pb.DescribeResponse, error) {
	kind := "string"
	if has("plugin.config_schema_is_a_json_schema") {
		kind = "strin"
	}
	schema, _ := structpb.NewStruct(map[string]any{
		"type":                 "object",
		"properties":           map[string]any{"fault": map[string]any{"type": kind}},
		"additionalProperties": false,
	})
	services := []string{"hector.plugin.v1.LLMProvider", "hector.plugin.v1.ToolProvider"}
	if has("plugin.describe_names_its_services") {
		services = append(services, "hector.plugin.v1.EmbedderProvider")
	}
	version := "1"
	if has("plugin.describe_many_times_at_once") {
		version = fmt.Sprint(p.described.Add(1))
	}
	return &pb.DescribeResponse{Name: "wrong", Version: version, Services: services, ConfigSchema: schema}, nil
}

func (p *plugin) Configure(_ context.Context, request *pb.ConfigureRequest) (*pb.ConfigureResponse, error) {
	for name := range request.Config.GetFields() {
		if name == "fault" || has("plugin.unknown_option_is_refused") {
			continue
		}
		refused := status.New(codes.InvalidArgument, name+": unknown option")
		if !has("plugin.refused_option_is_named") {
			violation := &errdetails.BadRequest_FieldViolation{Field: name, Description: "unknown option"}
			refused, _ = refused.WithDetails(&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{violation}})
		}
		return nil, refused.Err()
	}
	if p.configured.Add(1) > 1 && has("plugin.configure_again_is_harmless") {
		return nil, status.Error(codes.FailedPrecondition, "configured already")
	}
	return &pb.ConfigureResponse{}, nil
}

type health struct {
	grpc_health_v1.UnimplementedHealthServer
	asked atomic.Int64
}

func (h *health) Check(_ context.Context, request *grpc_health_v1.HealthCheckRequest) (*grpc_health_v1.HealthCheckResponse, error) {
	says := grpc_health_v1.HealthCheckResponse_SERVING
	if request.Service == "" && h.asked.Add(1) > 1 && has("plugin.health_is_serving") {
		says = grpc_health_v1.HealthCheckResponse_NOT_SERVING
	}
	if request.Service == "plugin" && has("plugin.health_knows_the_service_plugin") {
		says = grpc_health_v1.HealthCheckResponse_NOT_SERVING
	}
	return &grpc_health_v1.HealthCheckResponse{Status: says}, nil
}

// controller is go-plugin's own service.
var controller = grpc.ServiceDesc{
	ServiceName: "plugin.GRPCController",
	HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{{MethodName: "Shutdown", Handler: func(
		_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor,
	) (any, error) {
		if !has("launch.shutdown_ends_it") {
			os.Exit(0)
		}
		request := &emptypb.Empty{}
		return request, decode(request)
	}}},
}

// unknown answers RPCs that nobody registered.
func unknown(_ any, stream grpc.ServerStream) error {
	if has("plugin.unknown_rpc_is_unimplemented") {
		method, _ := grpc.MethodFromServerStream(stream)
		if len(method) > 8 && method[len(method)-8:] == "/Nothing" {
			return stream.SendMsg(&emptypb.Empty{})
		}
	}
	return status.Error(codes.Unimplemented, "no such RPC")
}
