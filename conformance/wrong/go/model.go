package main

import (
	"context"
	"strings"
	"sync"
	"unicode/utf8"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	pb "hector.example/gen/go/hector/plugin/v1"
)

// model says back what it hears, and calls the first tool that it is offered.
type model struct {
	pb.UnimplementedLLMProviderServer
	*lasting
	mutex sync.Mutex
	asked map[string]bool
}

type request interface {
	proto.Message
	GetPrompt() string
	GetModel() string
	GetInput() *pb.ModelInput
}

func (m *model) GenerateText(ctx context.Context, request *pb.GenerateTextRequest) (*pb.GenerateTextResponse, error) {
	if has("llm.generates_text") {
		return nil, status.Error(codes.Unimplemented, "not here")
	}
	if err := m.refuses(request, "llm.unknown_model_is_not_found"); err != nil {
		return nil, err
	}
	if err := large(proto.Size(request), "llm.large_prompt", "llm.largest_prompt"); err != nil {
		return nil, err
	}
	said := heard(request)
	if said == "" && has("llm.empty_prompt_is_a_prompt") || strings.ContainsRune(said, 0) && has("llm.any_text_is_text") {
		return nil, status.Error(codes.Internal, "cannot read this")
	}
	err := m.work(ctx, "llm.cancelled_calls_are_forgotten", "llm.late_calls_end_in_time", "llm.answers_after_kill")
	if err != nil {
		return nil, err
	}
	text := m.remembered(request, m.heard(answer(said), "llm.answers_are_not_mixed_up"))
	response := &pb.GenerateTextResponse{Text: text, Usage: usage(), Output: output(text, nil)}
	if has("llm.text_is_that_of_the_output") {
		response.Text = "something else"
	}
	if has("llm.finish_reason_fits_the_answer") {
		response.Output.FinishReason = pb.FinishReason_FINISH_REASON_TOOL_CALLS
	}
	return response, nil
}

func (m *model) StreamText(request *pb.StreamTextRequest, stream grpc.ServerStreamingServer[pb.StreamTextResponse]) error {
	if err := m.refuses(request, "streaming.stream_of_unknown_model_is_not_found"); err != nil {
		return err
	}
	said := heard(request)
	text := m.heard(answer(said), "streaming.streams_are_not_mixed_up")
	calls := m.calls(request)
	if has("streaming.stream_equals_unary") {
		text = strings.ToUpper(text)
	}
	if len(calls) > 0 {
		text = ""
	}
	half := len(text) / 2
	for half > 0 && !utf8.RuneStart(text[half]) {
		half--
	}
	first := &pb.StreamTextResponse{Text: text[:half], Done: has("streaming.stream_ends_with_done")}
	if err := stream.Send(first); err != nil {
		return err
	}
	err := m.work(stream.Context(), "streaming.left_streams_are_forgotten", "streaming.late_streams_end_in_time", "-")
	if err != nil {
		return err
	}
	whole := output(text, calls)
	if has("streaming.pieces_make_the_output") {
		whole = output("something else", calls)
	}
	if has("tool_calling.streams_carry_tool_calls") {
		whole = output(text, nil)
	}
	done := said != "" || !has("streaming.stream_of_nothing")
	return stream.Send(&pb.StreamTextResponse{Text: text[half:], Done: done, Usage: usage(), Output: whole})
}

func (m *model) CallTool(_ context.Context, request *pb.CallToolRequest) (*pb.CallToolResponse, error) {
	if has("tool_calling.models_that_call_tools_have_call_tool") {
		return nil, status.Error(codes.Unimplemented, "not here")
	}
	calls := m.calls(request)
	text := ""
	if len(calls) == 0 {
		text = answer(heard(request))
	}
	whole := output(text, calls)
	if has("tool_calling.finish_reason_tells_of_tool_calls") {
		whole.FinishReason = pb.FinishReason_FINISH_REASON_STOP
	}
	return &pb.CallToolResponse{Text: text, Usage: usage(), Output: whole}, nil
}

func (m *model) ListModels(context.Context, *pb.ListModelsRequest) (*pb.ListModelsResponse, error) {
	one := &pb.Model{Id: "parrot", ToolCalling: true}
	if has("llm.models_have_names_of_their_own") {
		return &pb.ListModelsResponse{Models: []*pb.Model{one, one}}, nil
	}
	return &pb.ListModelsResponse{Models: []*pb.Model{one}}, nil
}

func (m *model) refuses(request request, wrongly string) error {
	if request.GetModel() == "" || request.GetModel() == "parrot" {
		return nil
	}
	if has(wrongly) {
		return status.Error(codes.Internal, "no such model")
	}
	return status.Error(codes.NotFound, "no such model")
}

// calls are those of the first tool, unless they are forbidden.
func (m *model) calls(request request) []*pb.ToolCall {
	offered := request.GetInput().GetTools()
	forbidden := request.GetInput().GetToolChoice() == pb.ToolChoice_TOOL_CHOICE_NONE
	if len(offered) == 0 || forbidden && !has("tool_calling.forbidden_tools_are_not_called") {
		return nil
	}
	name := offered[0].Name
	if has("tool_calling.calls_only_offered_tools") {
		name = "another"
	}
	return []*pb.ToolCall{{Id: "1", Tool: name, Arguments: "{}"}}
}

// remembered is the answer of a model that keeps conversations in its process, where that is the fault.
func (m *model) remembered(request request, text string) string {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	messages := request.GetInput().GetMessages()
	if has("llm.any_replica_goes_on") && len(messages) > 1 && !m.asked[heardIn(messages[:1])] {
		return "Who are you?"
	}
	if m.asked == nil {
		m.asked = map[string]bool{}
	}
	m.asked[heard(request)] = true
	if has("llm.earlier_calls_change_nothing") && len(m.asked) > 4 {
		return "As I said: " + text
	}
	return text
}

func heard(request request) string {
	if messages := request.GetInput().GetMessages(); len(messages) > 0 {
		return heardIn(messages)
	}
	return request.GetPrompt()
}

func heardIn(messages []*pb.Message) string {
	text := ""
	for _, part := range messages[len(messages)-1].Parts {
		text += part.GetText()
	}
	return text
}

func answer(said string) string { return "You said: " + said[:min(len(said), 1000)] }

func usage() *pb.TokenUsage {
	if has("llm.usage_is_plausible") {
		return &pb.TokenUsage{PromptTokens: -1, CompletionTokens: 2}
	}
	return &pb.TokenUsage{PromptTokens: 1, CompletionTokens: 2, TotalTokens: 3}
}

func output(text string, calls []*pb.ToolCall) *pb.ModelOutput {
	message := &pb.Message{Role: pb.Role_ROLE_ASSISTANT, Parts: []*pb.Part{{Part: &pb.Part_Text{Text: text}}}}
	reason := pb.FinishReason_FINISH_REASON_STOP
	for _, call := range calls {
		message.Parts = append(message.Parts, &pb.Part{Part: &pb.Part_ToolCall{ToolCall: call}})
		reason = pb.FinishReason_FINISH_REASON_TOOL_CALLS
	}
	return &pb.ModelOutput{Message: message, FinishReason: reason}
}
