package sdk_test

import (
	"context"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
	pb "hector.example/gen/go/hector/plugin/v1"
	"hector.example/sdk"
	"hector.example/sdk/sdktest"
)

type division struct {
	A float64 `json:"a" description:"What is divided." required:"true"`
	B float64 `json:"b" description:"By what."`
}

func divide(_ context.Context, given division) (float64, error) {
	if given.B == 0 {
		return 0, sdk.Failure("nobody divides by zero")
	}
	return given.A / given.B, nil
}

func tools() sdk.Plugin {
	return sdk.Plugin{Name: "tools", Tools: sdk.Tools(
		sdk.NewTool("divide", "Divide two numbers.", &pb.ToolEffects{ReadOnly: true}, divide),
		sdk.NewTool("greet", "Greet.", nil, func(_ context.Context, given struct{ Name string }) (string, error) {
			return "Hello, " + given.Name, nil
		}),
		sdk.NewTool("raw", "Answer.", nil, func(context.Context, struct{}) (*pb.ExecuteToolResponse, error) {
			return &pb.ExecuteToolResponse{Error: "own words"}, nil
		}),
		sdk.NewTool("point", "Give a point.", nil, func(context.Context, struct{}) (map[string]int, error) {
			return map[string]int{"x": 1}, nil
		}),
	)}
}

func TestToolsAreDescribedByTheirParameters(t *testing.T) {
	stubs := sdktest.Run(t, tools(), nil)
	listed, err := stubs.Tools.ListTools(t.Context(), &pb.ListToolsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	want := &pb.Tool{}
	if err := protojson.Unmarshal([]byte(`{"name": "divide", "description": "Divide two numbers.",
		"effects": {"readOnly": true}, "parameters": {"type": "object", "additionalProperties": false, "required": ["a"],
		"properties": {"a": {"type": "number", "description": "What is divided."},
			"b": {"type": "number", "description": "By what.", "default": 0}}}}`), want); err != nil {
		t.Fatal(err)
	}
	if len(listed.Tools) != 4 || !proto.Equal(listed.Tools[0], want) {
		t.Errorf("got\n%s\nwant\n%s", protojson.Format(listed), protojson.Format(want))
	}
	schema, err := stubs.Tools.GetToolSchema(t.Context(), &pb.GetToolSchemaRequest{Tool: "divide"})
	if err != nil || !proto.Equal(schema.Parameters, want.Parameters) {
		t.Errorf("got %v, %v", schema, err)
	}
	_, err = stubs.Tools.GetToolSchema(t.Context(), &pb.GetToolSchemaRequest{Tool: "dvide"})
	wantStatus(t, err, codes.NotFound, `no tool "dvide": there are divide, greet, point, raw`)
}

func TestToolsAnswer(t *testing.T) {
	stubs := sdktest.Run(t, tools(), nil)
	for name, test := range map[string]struct {
		tool       string
		parameters map[string]any
		want       *pb.ExecuteToolResponse
	}{
		"number":   {"divide", map[string]any{"a": 1, "b": 4}, &pb.ExecuteToolResponse{Success: true, Result: "0.25", StructuredResult: structpb.NewNumberValue(0.25)}},
		"failure":  {"divide", map[string]any{"a": 1}, &pb.ExecuteToolResponse{Error: "nobody divides by zero"}},
		"text":     {"greet", map[string]any{"Name": "Ada"}, &pb.ExecuteToolResponse{Success: true, Result: "Hello, Ada"}},
		"response": {"raw", nil, &pb.ExecuteToolResponse{Error: "own words"}},
		"object": {"point", nil, &pb.ExecuteToolResponse{Success: true, Result: `{"x":1}`, StructuredResult: structpb.NewStructValue(
			&structpb.Struct{Fields: map[string]*structpb.Value{"x": structpb.NewNumberValue(1)}})}},
	} {
		t.Run(name, func(t *testing.T) {
			parameters, _ := structpb.NewStruct(test.parameters)
			got, err := stubs.Tools.ExecuteTool(t.Context(), &pb.ExecuteToolRequest{Tool: test.tool, Parameters: parameters})
			if err != nil || !proto.Equal(got, test.want) {
				t.Errorf("got %v, %v, want %v", got, err, test.want)
			}
		})
	}
}

func TestToolsNeverSeeParametersThatAreWrong(t *testing.T) {
	stubs := sdktest.Run(t, tools(), nil)
	parameters, _ := structpb.NewStruct(map[string]any{"b": "x", "c": 1})
	_, err := stubs.Tools.ExecuteTool(t.Context(), &pb.ExecuteToolRequest{Tool: "divide", Parameters: parameters})
	wantStatus(t, err, codes.InvalidArgument, "parameters of divide: a: is required; b: a text is not a number; c: is not known")
	_, err = stubs.Tools.ExecuteTool(t.Context(), &pb.ExecuteToolRequest{Tool: "dig"})
	wantStatus(t, err, codes.NotFound, `no tool "dig": there are divide, greet, point, raw`)
}

func TestToolsThatCannotBeServedAreRefused(t *testing.T) {
	nothing := func(context.Context, struct{}) (string, error) { return "", nil }
	for want, tools := range map[string]pb.ToolProviderServer{
		`"a b" is no name for a tool: 1 to 64 letters, digits, _ and -`: sdk.Tools(sdk.NewTool("a b", "", nil, nothing)),
		`two tools are called "a"`:                                      sdk.Tools(sdk.NewTool("a", "", nil, nothing), sdk.NewTool("a", "", nil, nothing)),
		"the tool a takes a string; its parameters must be the fields of a struct": sdk.Tools(sdk.NewTool("a", "", nil,
			func(context.Context, string) (string, error) { return "", nil })),
		"the tool a cannot keep receipts: this SDK keeps none": sdk.Tools(sdk.NewTool("a", "", &pb.ToolEffects{KeepsReceipts: true}, nothing)),
	} {
		if _, err := sdk.NewServer(sdk.Plugin{Name: "x", Tools: tools}, nil); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
