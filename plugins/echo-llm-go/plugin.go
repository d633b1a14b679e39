package main

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	pb "hector.example/gen/go/hector/plugin/v1"
	"hector.example/sdk"
)

// Options are what the host's configuration may set.
type Options struct {
	Replies     []any `json:"replies" description:"What script replies: texts, or objects as the README lists them."`
	ToolCalling bool  `json:"tool_calling" description:"Whether script says that it can call tools."`
}

// echo serves the models through the contract's four RPCs.
type echo struct {
	pb.UnimplementedLLMProviderServer
	options Options
	script  []answer
}

func newPlugin() sdk.Plugin {
	llm := &echo{options: Options{ToolCalling: true}}
	return sdk.Plugin{
		Name:        "echo-llm-go",
		Version:     "0.1.0",
		Description: "Three language models that need no network, to try Hector and to test agents.",
		LLM:         llm,
		Options:     &llm.options,
		Start:       llm.start,
	}
}

func (e *echo) start(context.Context, sdk.Setup) error {
	script, err := parseScript(e.options.Replies)
	e.script = script
	return err
}

func (e *echo) GenerateText(ctx context.Context, request *pb.GenerateTextRequest) (*pb.GenerateTextResponse, error) {
	answer, output, err := e.whole(ctx, request)
	if err != nil {
		return nil, err
	}
	return &pb.GenerateTextResponse{Text: answer.text, Usage: answer.usage, Output: output}, nil
}

func (e *echo) CallTool(ctx context.Context, request *pb.CallToolRequest) (*pb.CallToolResponse, error) {
	answer, output, err := e.whole(ctx, request)
	if err != nil {
		return nil, err
	}
	return &pb.CallToolResponse{Text: answer.text, Usage: answer.usage, Output: output}, nil
}

func (e *echo) StreamText(request *pb.StreamTextRequest, stream grpc.ServerStreamingServer[pb.StreamTextResponse]) error {
	answer, output, err := e.answer(request)
	if err != nil {
		return err
	}
	if err := answer.wait(stream.Context()); err != nil {
		return err
	}
	for _, piece := range pieces(answer.text) {
		if err := stream.Send(&pb.StreamTextResponse{Text: piece}); err != nil {
			return err
		}
	}
	if answer.failure != nil {
		return answer.failure
	}
	return stream.Send(&pb.StreamTextResponse{Done: true, Usage: answer.usage, Output: output})
}

func (e *echo) ListModels(context.Context, *pb.ListModelsRequest) (*pb.ListModelsResponse, error) {
	return &pb.ListModelsResponse{Models: []*pb.Model{
		{Id: "echo", Description: "Says the last user message back."},
		{Id: "reader", Description: "Searches, then answers with the best passage and its source.", ToolCalling: true},
		{Id: "script", Description: "Replies as its options say.", ToolCalling: e.options.ToolCalling},
	}}, nil
}

// asked is what the three generating requests have in common.
type asked interface {
	GetPrompt() string
	GetModel() string
	GetInput() *pb.ModelInput
}

// whole answers a unary call: with all of the answer, or with none of it.
func (e *echo) whole(ctx context.Context, request asked) (answer, *pb.ModelOutput, error) {
	answer, output, err := e.answer(request)
	if err == nil {
		err = answer.wait(ctx)
	}
	if err == nil {
		err = answer.failure
	}
	return answer, output, err
}

// answer asks the model that the request names.
func (e *echo) answer(request asked) (answer, *pb.ModelOutput, error) {
	talk := newConversation(request)
	name := request.GetModel()
	var said answer
	var err error
	switch name {
	case "", "echo":
		name, said = "echo", answer{text: talk.question}
	case "reader":
		said = read(talk)
	case "script":
		said, err = recite(talk, e.script)
	default:
		err = status.Errorf(codes.NotFound, `no model "%s": there are echo, reader, script`, name)
	}
	if err != nil {
		return answer{}, nil, err
	}
	said.usage = talk.usage(said.text)
	return said, output(name, said, talk.calls), nil
}
