package main

import (
	"context"
	"crypto/rand"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
	pb "hector.example/gen/go/hector/plugin/v1"
)

// tools are `repeat`, which says its text back, and `draw`, which says something new each time and keeps receipts.
type tools struct {
	pb.UnimplementedToolProviderServer
	*lasting
	lists    atomic.Int64
	receipts sync.Mutex
	memory   map[string]*receipt
}

// receipt is what is remembered of a call.
type receipt struct {
	parameters, result string
	made               time.Time
	here               bool
}

var textual = object(map[string]any{
	"type":                 "object",
	"properties":           map[string]any{"text": map[string]any{"type": "string"}},
	"required":             []any{"text"},
	"additionalProperties": false,
})

func (t *tools) ListTools(context.Context, *pb.ListToolsRequest) (*pb.ListToolsResponse, error) {
	repeat := &pb.Tool{
		Name: "repeat", Description: "Says it back.", Parameters: textual,
		Effects: &pb.ToolEffects{ReadOnly: true}, ResultSchema: object(map[string]any{"type": "string"}),
	}
	draw := &pb.Tool{Name: "draw", Parameters: textual, Effects: &pb.ToolEffects{KeepsReceipts: true}}
	if has("tool.replicas_list_the_same_tools") {
		repeat.Description = strconv.Itoa(os.Getpid())
	}
	listed := []*pb.Tool{repeat, draw}
	if has("tool.tools_have_names_of_their_own") {
		listed = append(listed, &pb.Tool{Name: "not a name", Parameters: textual})
	}
	if has("tool.schemas_are_json_schemas") {
		listed = append(listed, &pb.Tool{Name: "odd", Parameters: object(map[string]any{"type": "object", "required": 3})})
	}
	if has("tool.tools_keep_their_order") && t.lists.Add(1)%2 == 0 {
		listed[0], listed[1] = listed[1], listed[0]
	}
	return &pb.ListToolsResponse{Tools: listed}, nil
}

func (t *tools) GetToolSchema(ctx context.Context, request *pb.GetToolSchemaRequest) (*pb.GetToolSchemaResponse, error) {
	listed, _ := t.ListTools(ctx, nil)
	for _, tool := range listed.Tools {
		if tool.Name == request.Tool {
			parameters := tool.Parameters
			if has("tool.schemas_agree") {
				parameters = object(map[string]any{"type": "object"})
			}
			return &pb.GetToolSchemaResponse{Parameters: parameters}, nil
		}
	}
	if has("tool.schema_of_unknown_tool_is_not_found") {
		return &pb.GetToolSchemaResponse{}, nil
	}
	return nil, status.Error(codes.NotFound, "no such tool")
}

func (t *tools) ExecuteTool(ctx context.Context, request *pb.ExecuteToolRequest) (*pb.ExecuteToolResponse, error) {
	if has("tool.tools_can_be_listed_and_executed") {
		return nil, status.Error(codes.Unimplemented, "not here")
	}
	if err := large(proto.Size(request), "tool.large_parameters", "tool.largest_parameters"); err != nil {
		return nil, err
	}
	if request.Tool == "" && has("tool.no_tool_is_no_tool") {
		return &pb.ExecuteToolResponse{Success: true}, nil
	}
	if request.Tool != "repeat" && request.Tool != "draw" {
		if has("tool.unknown_tool_is_not_found") && request.Tool != "" && len(request.Parameters.GetFields()) == 0 {
			return nil, status.Error(codes.Internal, "no such tool")
		}
		return nil, status.Error(codes.NotFound, "no such tool")
	}
	text, fits := request.Parameters.GetFields()["text"].GetKind().(*structpb.Value_StringValue)
	if fits = fits && len(request.Parameters.GetFields()) == 1; !fits {
		if has("tool.parameters_that_break_the_schema_are_refused") {
			return done("I did it all the same"), nil
		}
		return nil, status.Error(codes.InvalidArgument, "text is missing, or no text, or not alone")
	}
	if request.Tool == "draw" {
		return t.draw(request)
	}
	err := t.work(ctx, "tool.cancelled_executions_are_forgotten", "tool.late_executions_end_in_time", "tool.executes_after_kill")
	if err != nil {
		return nil, err
	}
	response := done(t.heard(text.StringValue, "tool.results_are_not_mixed_up"))
	if has("tool.sample_call_succeeds") {
		response.StructuredResult = structpb.NewNumberValue(3)
	}
	if has("tool.success_and_error_exclude_each_other") {
		response.Error = "or did it fail?"
	}
	return response, nil
}

// draw says something new, or what the receipt of the key says.
func (t *tools) draw(request *pb.ExecuteToolRequest) (*pb.ExecuteToolResponse, error) {
	key := request.IdempotencyKey
	if key == "" {
		return done(rand.Text()), nil
	}
	if has("receipts.another_key_is_executed_again") {
		key = "one for all"
	}
	parameters, _ := protojson.Marshal(request.Parameters)
	began := time.Now()
	if has("receipts.a_key_is_executed_once_at_a_time") {
		found := t.find(key)
		time.Sleep(30 * time.Millisecond) // others look meanwhile
		t.receipts.Lock()
		defer t.receipts.Unlock()
		return t.settle(found, key, string(parameters), began)
	}
	t.receipts.Lock()
	defer t.receipts.Unlock()
	found := t.memory[key]
	if found == nil {
		found = t.find(key)
	}
	if has("receipts.a_key_is_executed_once") {
		time.Sleep(30 * time.Millisecond) // who called at the same time has the same receipt
		if found != nil && found.here && began.After(found.made) && found.parameters == string(parameters) {
			found = nil
		}
	}
	return t.settle(found, key, string(parameters), began)
}

func (t *tools) settle(found *receipt, key, parameters string, _ time.Time) (*pb.ExecuteToolResponse, error) {
	if found == nil {
		found = &receipt{parameters: parameters, result: rand.Text(), made: time.Now(), here: true}
		if t.memory == nil {
			t.memory = map[string]*receipt{}
		}
		t.memory[key] = found
		if !has("receipts.a_receipt_outlives_its_process") {
			_ = os.WriteFile(filepath.Join(data, "key-"+key), []byte(found.result+parameters), 0o600)
		}
	}
	if found.parameters != parameters && !has("receipts.a_key_belongs_to_its_parameters") {
		return nil, status.Error(codes.InvalidArgument, "the key came with other parameters first")
	}
	return done(found.result), nil
}

// find reads the receipt that an earlier process wrote.
func (t *tools) find(key string) *receipt {
	written, err := os.ReadFile(filepath.Join(data, "key-"+key))
	if err != nil {
		return nil
	}
	length := len(rand.Text())
	return &receipt{parameters: string(written[length:]), result: string(written[:length])}
}

func done(text string) *pb.ExecuteToolResponse {
	return &pb.ExecuteToolResponse{Success: true, Result: text, StructuredResult: structpb.NewStringValue(text)}
}

func object(value map[string]any) *structpb.Struct {
	made, err := structpb.NewStruct(value)
	if err != nil {
		panic(err)
	}
	return made
}
