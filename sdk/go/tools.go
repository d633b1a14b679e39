package sdk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"
	pb "hector.example/gen/go/hector/plugin/v1"
)

// Tool is a function as the contract describes and calls it.
type Tool struct {
	description *pb.Tool
	kind        reflect.Type // of the parameters
	call        func(ctx context.Context, parameters reflect.Value) (any, error)
}

// NewTool makes a tool of a function. Its parameters are the fields of a struct, declared like options: `json` names them,
// `description` tells the model what they are, `required:"true"` demands them. It returns text, a JSON value or an
// *ExecuteToolResponse; an error of Failure means that the tool ran and failed, and the model is shown the words.
//
// effects says what a call may do; nil means the worst. KeepsReceipts is not among it: this SDK keeps none.
func NewTool[In, Out any](name, description string, effects *pb.ToolEffects, call func(context.Context, In) (Out, error)) Tool {
	return Tool{
		description: &pb.Tool{Name: name, Description: description, Effects: effects},
		kind:        reflect.TypeFor[In](),
		call: func(ctx context.Context, parameters reflect.Value) (any, error) {
			return call(ctx, parameters.Interface().(In))
		},
	}
}

// toolName is what every model accepts.
var toolName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

func (t Tool) check() error {
	name := t.description.Name
	switch {
	case !toolName.MatchString(name):
		return fmt.Errorf("%q is no name for a tool: 1 to 64 letters, digits, _ and -", name)
	case t.kind.Kind() != reflect.Struct:
		return fmt.Errorf("the tool %s takes a %s; its parameters must be the fields of a struct", name, t.kind)
	case t.description.Effects.GetKeepsReceipts():
		return fmt.Errorf("the tool %s cannot keep receipts: this SDK keeps none", name)
	}
	return checkType(t.kind, t.kind.Name())
}

// Tools provides them, in their order.
func Tools(tools ...Tool) pb.ToolProviderServer {
	return &toolbox{tools: tools}
}

// toolbox serves ToolProvider with functions.
type toolbox struct {
	pb.UnimplementedToolProviderServer
	tools []Tool
}

func (b *toolbox) check() error {
	names := map[string]bool{}
	for _, tool := range b.tools {
		if err := tool.check(); err != nil {
			return err
		}
		if names[tool.description.Name] {
			return fmt.Errorf("two tools are called %q", tool.description.Name)
		}
		names[tool.description.Name] = true
	}
	return nil
}

func (b *toolbox) ListTools(context.Context, *pb.ListToolsRequest) (*pb.ListToolsResponse, error) {
	response := &pb.ListToolsResponse{}
	for _, tool := range b.tools {
		schema, err := tool.schema()
		if err != nil {
			return nil, err
		}
		response.Tools = append(response.Tools, &pb.Tool{
			Name:        tool.description.Name,
			Description: tool.description.Description,
			Effects:     tool.description.Effects,
			Parameters:  schema,
		})
	}
	return response, nil
}

func (b *toolbox) GetToolSchema(_ context.Context, request *pb.GetToolSchemaRequest) (*pb.GetToolSchemaResponse, error) {
	tool, err := b.named(request.Tool)
	if err != nil {
		return nil, err
	}
	schema, err := tool.schema()
	return &pb.GetToolSchemaResponse{Parameters: schema}, err
}

func (t Tool) schema() (*structpb.Struct, error) {
	return structpb.NewStruct(structSchema(reflect.Zero(t.kind)))
}

func (b *toolbox) ExecuteTool(ctx context.Context, request *pb.ExecuteToolRequest) (*pb.ExecuteToolResponse, error) {
	tool, err := b.named(request.Tool)
	if err != nil {
		return nil, err
	}
	parameters := reflect.New(tool.kind)
	if err := DecodeOption(request.Parameters.AsMap(), parameters.Interface(), ""); err != nil {
		words := status.Convert(asStatus(err)).Message()
		return nil, status.Errorf(codes.InvalidArgument, "parameters of %s: %s", request.Tool, words)
	}
	result, err := tool.call(ctx, parameters.Elem())
	if err != nil {
		return nil, err
	}
	return toolResponse(result)
}

func (b *toolbox) named(name string) (Tool, error) {
	names := map[string]bool{}
	for _, tool := range b.tools {
		if tool.description.Name == name {
			return tool, nil
		}
		names[tool.description.Name] = true
	}
	return Tool{}, status.Errorf(codes.NotFound, `no tool "%s": there are %s`, name, strings.Join(sorted(names), ", "))
}

// toolResponse carries text as it is, and any other value as JSON and as a structure.
func toolResponse(result any) (*pb.ExecuteToolResponse, error) {
	switch result := result.(type) {
	case *pb.ExecuteToolResponse:
		return result, nil
	case string:
		return &pb.ExecuteToolResponse{Success: true, Result: result}, nil
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(result); err != nil {
		return nil, err
	}
	structured := &structpb.Value{}
	if err := structured.UnmarshalJSON(text.Bytes()); err != nil {
		return nil, errors.Join(errors.New("the result is no JSON value"), err)
	}
	return &pb.ExecuteToolResponse{Success: true, Result: strings.TrimSuffix(text.String(), "\n"), StructuredResult: structured}, nil
}
