package sdk_test

import (
	"context"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	pb "hector.example/gen/go/hector/plugin/v1"
	"hector.example/sdk"
	"hector.example/sdk/sdktest"
)

// greeter is the plugin of these tests: what it does is its functions, which a test replaces.
type greeter struct {
	pb.UnimplementedLLMProviderServer
	options  greeterOptions
	generate func(context.Context, string) (string, error)
	start    func(context.Context, sdk.Setup) error
	stop     func()
}

type greeterOptions struct {
	Greeting string       `json:"greeting" description:"What it says first."`
	Times    int          `json:"times"`
	Models   []modelEntry `json:"models"`
}

type modelEntry struct {
	Name string `json:"name" required:"true"`
}

func (g *greeter) GenerateText(ctx context.Context, request *pb.GenerateTextRequest) (*pb.GenerateTextResponse, error) {
	if g.generate == nil {
		return &pb.GenerateTextResponse{Text: g.options.Greeting + request.Prompt}, nil
	}
	text, err := g.generate(ctx, request.Prompt)
	if err != nil {
		return nil, err
	}
	return &pb.GenerateTextResponse{Text: text}, nil
}

func (g *greeter) StreamText(request *pb.StreamTextRequest, stream grpc.ServerStreamingServer[pb.StreamTextResponse]) error {
	if err := stream.SendHeader(nil); err != nil {
		return err
	}
	text, err := g.generate(stream.Context(), request.Prompt)
	if err != nil {
		return err
	}
	return stream.Send(&pb.StreamTextResponse{Text: text, Done: true})
}

func (g *greeter) plugin() sdk.Plugin {
	if g.options.Greeting == "" {
		g.options.Greeting = "Hello, "
	}
	return sdk.Plugin{
		Name: "greeter", Version: "1.2.3", Description: "Greets.",
		LLM: g, Options: &g.options, Start: g.start, Stop: g.stop,
	}
}

func ask(t *testing.T, stubs *sdktest.Stubs, prompt string) (string, error) {
	t.Helper()
	response, err := stubs.LLM.GenerateText(t.Context(), &pb.GenerateTextRequest{Prompt: prompt})
	return response.GetText(), err
}

// wantStatus checks the code and the full message.
func wantStatus(t *testing.T, err error, code codes.Code, message string) {
	t.Helper()
	if got := status.Convert(err); got.Code() != code || got.Message() != message {
		t.Errorf("got %s %q\nwant %s %q", got.Code(), got.Message(), code, message)
	}
}

// violations are the fields that a BadRequest among the details of err names.
func violations(t *testing.T, err error) map[string]string {
	t.Helper()
	for _, detail := range status.Convert(err).Details() {
		if request, ok := detail.(*errdetails.BadRequest); ok {
			fields := map[string]string{}
			for _, violation := range request.FieldViolations {
				fields[violation.Field] = violation.Description
			}
			return fields
		}
	}
	t.Fatalf("no BadRequest in %v", err)
	return nil
}

func TestAPluginThatCannotBeServedIsRefused(t *testing.T) {
	for want, plugin := range map[string]sdk.Plugin{
		"sdk.Plugin needs a Name": {LLM: &greeter{}},
		"sdk.Plugin needs a provider: LLM, Database, Embedder, Tools or Reasoning":                      {Name: "x"},
		"sdk.Plugin.Options is a sdk_test.greeterOptions; it must point to a struct with the defaults":  {Name: "x", LLM: &greeter{}, Options: greeterOptions{}},
		"sdk.Plugin.Options is a *sdk_test.greeterOptions; it must point to a struct with the defaults": {Name: "x", LLM: &greeter{}, Options: (*greeterOptions)(nil)},
		"badOptions.When is a chan int, which no option can be":                                         {Name: "x", LLM: &greeter{}, Options: &badOptions{}},
	} {
		if _, err := sdk.NewServer(plugin, nil); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

type badOptions struct{ When chan int }

func TestEveryKindIsServed(t *testing.T) {
	stubs := sdktest.Run(t, sdk.Plugin{
		Name:      "all",
		LLM:       pb.UnimplementedLLMProviderServer{},
		Database:  pb.UnimplementedDatabaseProviderServer{},
		Embedder:  pb.UnimplementedEmbedderProviderServer{},
		Tools:     pb.UnimplementedToolProviderServer{},
		Reasoning: pb.UnimplementedReasoningStrategyServer{},
	}, nil)
	description, err := stubs.Plugin.Describe(t.Context(), &pb.DescribeRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if len(description.Services) != 5 {
		t.Errorf("services: %v", description.Services)
	}
	_, err = stubs.Tools.ListTools(t.Context(), &pb.ListToolsRequest{})
	wantStatus(t, err, codes.Unimplemented, "method ListTools not implemented")
}
