package main

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	pb "hector.example/gen/go/hector/plugin/v1"
	"hector.example/sdk/sdktest"
)

// input is a conversation in the contract's JSON.
func input(t *testing.T, json string) *pb.ModelInput {
	t.Helper()
	parsed := &pb.ModelInput{}
	if err := protojson.Unmarshal([]byte(json), parsed); err != nil {
		t.Fatal(err)
	}
	return parsed
}

func generate(t *testing.T, stubs *sdktest.Stubs, model, json string) *pb.GenerateTextResponse {
	t.Helper()
	response, err := stubs.LLM.GenerateText(t.Context(), &pb.GenerateTextRequest{Model: model, Prompt: "the prompt", Input: input(t, json)})
	if err != nil {
		t.Fatal(err)
	}
	return response
}

// stream collects the pieces, and the last message.
func stream(t *testing.T, stubs *sdktest.Stubs, request *pb.StreamTextRequest) (said []string, last *pb.StreamTextResponse, err error) {
	t.Helper()
	answers, err := stubs.LLM.StreamText(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	for {
		next, err := answers.Recv()
		if errors.Is(err, io.EOF) {
			return said, last, nil
		}
		if err != nil {
			return said, last, err
		}
		if next.Done {
			last = next
		} else {
			said = append(said, next.Text)
		}
	}
}

func equal(t *testing.T, got, want proto.Message) {
	t.Helper()
	if !proto.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", protojson.Format(got), protojson.Format(want))
	}
}

func TestEchoSaysTheLastQuestionBack(t *testing.T) {
	stubs := sdktest.Run(t, newPlugin(), nil)
	response := generate(t, stubs, "", `{"messages": [
		{"role": "ROLE_SYSTEM", "parts": [{"text": "Be brief"}]},
		{"role": "ROLE_USER", "parts": [{"text": " Hello,"}, {"text": " you\n"}]},
		{"role": "ROLE_USER", "parts": [{"text": "Observation: it rains"}]}]}`)
	equal(t, response, &pb.GenerateTextResponse{
		Text:  " Hello, you\n",
		Usage: &pb.TokenUsage{PromptTokens: 7, CompletionTokens: 2, TotalTokens: 9},
		Output: &pb.ModelOutput{
			Model:        "echo",
			FinishReason: pb.FinishReason_FINISH_REASON_STOP,
			Message:      &pb.Message{Role: pb.Role_ROLE_ASSISTANT, Parts: []*pb.Part{{Part: &pb.Part_Text{Text: " Hello, you\n"}}}},
		},
	})
}

func TestEchoTakesThePromptWhereThereAreNoMessages(t *testing.T) {
	stubs := sdktest.Run(t, newPlugin(), nil)
	response := generate(t, stubs, "echo", `{}`)
	if response.Text != "the prompt" || response.Usage.PromptTokens != 2 {
		t.Errorf("got %v", response)
	}
}

func TestStreamComesWordByWord(t *testing.T) {
	stubs := sdktest.Run(t, newPlugin(), nil)
	said, last, err := stream(t, stubs, &pb.StreamTextRequest{Prompt: " \tone  two\nthree\u00a0four "})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{" \t", "one  ", "two\n", "three\u00a0four "}; !slices.Equal(said, want) {
		t.Errorf("got %q, want %q", said, want)
	}
	if last.Text != "" || last.Usage.GetCompletionTokens() != 3 || last.Output.GetMessage() == nil {
		t.Errorf("last message is %v", last)
	}
}

func TestEmptyAnswerIsTheLastMessageAlone(t *testing.T) {
	stubs := sdktest.Run(t, newPlugin(), nil)
	said, last, err := stream(t, stubs, &pb.StreamTextRequest{})
	if err != nil || said != nil || !last.Done || len(last.Output.Message.Parts) != 0 {
		t.Errorf("got %q, %v, %v", said, last, err)
	}
}

func TestUnknownModel(t *testing.T) {
	stubs := sdktest.Run(t, newPlugin(), nil)
	_, err := stubs.LLM.GenerateText(t.Context(), &pb.GenerateTextRequest{Model: "gpt"})
	failed(t, err, codes.NotFound, `no model "gpt": there are echo, reader, script`)
}

func failed(t *testing.T, err error, code codes.Code, message string) {
	t.Helper()
	if got := status.Convert(err); got.Code() != code || got.Message() != message {
		t.Errorf("got %s %q, want %s %q", got.Code(), got.Message(), code, message)
	}
}

func TestModels(t *testing.T) {
	for _, native := range []bool{true, false} {
		stubs := sdktest.Run(t, newPlugin(), map[string]any{"tool_calling": native})
		response, err := stubs.LLM.ListModels(t.Context(), &pb.ListModelsRequest{})
		if err != nil {
			t.Fatal(err)
		}
		calls := map[string]bool{}
		for _, model := range response.Models {
			calls[model.Id] = model.ToolCalling
		}
		if len(calls) != 3 || calls["echo"] || !calls["reader"] || calls["script"] != native {
			t.Errorf("models that call tools: %v", calls)
		}
	}
}

func TestScriptRepliesByItsPlaceInTheTurn(t *testing.T) {
	stubs := sdktest.Run(t, newPlugin(), map[string]any{"replies": []any{
		map[string]any{"tool_calls": []any{
			map[string]any{"tool": "run", "arguments": map[string]any{"b": []any{1, 0.5, nil, true}, "a": "é<\u2028\""}},
			map[string]any{"tool": "run", "arguments": "{broken"},
			map[string]any{"tool": "stop"},
		}},
		"second",
		map[string]any{"text": "last", "finish": "length"},
	}})
	first := generate(t, stubs, "script", `{"messages": [
		{"role": "ROLE_ASSISTANT", "parts": [{"toolCall": {"id": "call-1", "tool": "run"}}]},
		{"role": "ROLE_USER", "parts": [{"text": "go"}]}]}`)
	var calls []string
	for _, part := range first.Output.Message.Parts {
		calls = append(calls, part.GetToolCall().Id+" "+part.GetToolCall().Tool+" "+part.GetToolCall().Arguments)
	}
	want := []string{"call-2 run {\"a\":\"é<\u2028\\\"\",\"b\":[1,0.5,null,true]}", "call-3 run {broken", "call-4 stop {}"}
	if !slices.Equal(calls, want) || first.Text != "" || first.Output.FinishReason != pb.FinishReason_FINISH_REASON_TOOL_CALLS {
		t.Errorf("got %q, want %q in %v", calls, want, first)
	}
	turn := `{"messages": [{"role": "ROLE_USER", "parts": [{"text": "go"}]}` + strings.Repeat(`, {"role": "ROLE_ASSISTANT"}`, 5) + `]}`
	if last := generate(t, stubs, "script", turn); last.Text != "last" || last.Output.FinishReason != pb.FinishReason_FINISH_REASON_LENGTH {
		t.Errorf("got %v", last)
	}
	turn = `{"messages": [{"role": "ROLE_USER", "parts": [{"text": "go"}]}, {"role": "ROLE_ASSISTANT"}]}`
	if second := generate(t, stubs, "script", turn); second.Text != "second" || second.Output.FinishReason != pb.FinishReason_FINISH_REASON_STOP {
		t.Errorf("got %v", second)
	}
}

func TestScriptWithoutReplies(t *testing.T) {
	stubs := sdktest.Run(t, newPlugin(), nil)
	_, err := stubs.LLM.CallTool(t.Context(), &pb.CallToolRequest{Model: "script"})
	failed(t, err, codes.FailedPrecondition, `the model "script" has no replies: list them in the option "replies"`)
}

func TestScriptFailsAfterItsText(t *testing.T) {
	stubs := sdktest.Run(t, newPlugin(), map[string]any{"replies": []any{
		map[string]any{"text": "so far so", "error": "good bye", "code": "UNAVAILABLE"},
		map[string]any{"error": "no code"},
	}})
	said, last, err := stream(t, stubs, &pb.StreamTextRequest{Model: "script"})
	failed(t, err, codes.Unavailable, "good bye")
	if want := []string{"so ", "far ", "so"}; !slices.Equal(said, want) || last != nil {
		t.Errorf("got %q and %v, want %q", said, last, want)
	}
	_, err = stubs.LLM.GenerateText(t.Context(), &pb.GenerateTextRequest{Model: "script", Input: input(t, `{"messages": [
		{"role": "ROLE_ASSISTANT"}]}`)})
	failed(t, err, codes.Internal, "no code")
}

func TestScriptDelayEndsWithTheCall(t *testing.T) {
	stubs := sdktest.Run(t, newPlugin(), map[string]any{"replies": []any{map[string]any{"text": "late", "delay": 3600}}})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := stubs.LLM.GenerateText(ctx, &pb.GenerateTextRequest{Model: "script"})
	if status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("got %v", err)
	}
}

const question = `{"role": "ROLE_USER", "parts": [{"text": "Who \"won\"?"}]}`

func TestReaderSearchesFirst(t *testing.T) {
	stubs := sdktest.Run(t, newPlugin(), nil)
	response := generate(t, stubs, "reader", `{"messages": [`+question+`], "tools": [{"name": "search"}]}`)
	call := response.Output.Message.Parts[0].GetToolCall()
	if call.GetTool() != "search" || call.GetArguments() != `{"query":"Who \"won\"?"}` || call.GetId() != "call-1" {
		t.Errorf("got %v", call)
	}
}

func TestReaderAnswers(t *testing.T) {
	structured := `"structured": {"passages": [
		{"text": "low", "source": "a:1", "score": 0.1}, {"text": "\n best ", "source": "b:2", "score": 0.9},
		{"text": "same", "source": "c:3", "score": 0.9}]}`
	for name, test := range map[string]struct{ conversation, want string }{
		"the best passage":       {found(structured), "best\n\nSource: b:2"},
		"the text of a result":   {found(`"parts": [{"text": " plain"}, {"text": " text "}]`), "plain text"},
		"a passage below 0":      {found(`"structured": {"passages": [{"text": "far", "score": -1}]}`), "far"},
		"nothing found":          {found(`"structured": {"passages": []}`), "I searched and found nothing."},
		"a search that failed":   {found(`"failed": true, "parts": [{"text": "no index"}]`), "The search failed: no index"},
		"no search":              {`{"messages": [` + question + `], "tools": [{"name": "run"}]}`, "I cannot look that up: no tool named search was offered."},
		"a search not to be had": {`{"messages": [` + question + `], "tools": [{"name": "search"}], "toolChoice": "TOOL_CHOICE_NONE"}`, "I cannot look that up: no tool named search was offered."},
	} {
		t.Run(name, func(t *testing.T) {
			stubs := sdktest.Run(t, newPlugin(), nil)
			if response := generate(t, stubs, "reader", test.conversation); response.Text != test.want {
				t.Errorf("got %q, want %q", response.Text, test.want)
			}
		})
	}
}

// found is a turn in which a search had this result.
func found(result string) string {
	return `{"tools": [{"name": "search"}], "messages": [` + question + `,
		{"role": "ROLE_TOOL", "parts": [{"toolResult": {"tool": "search", ` + result + `}}]}]}`
}

func TestOptionsThatAreWrongAreNamed(t *testing.T) {
	for name, test := range map[string]struct {
		reply any
		want  string
	}{
		"shape":     {1, "replies[0]: 1 is not a map"},
		"key":       {map[string]any{"txt": "x"}, "replies[0].txt: is not known"},
		"finish":    {map[string]any{"finish": "end"}, "replies[0].finish: is none of stop, length, tool_calls, content_filter, refusal, context_overflow, other"},
		"delay":     {map[string]any{"delay": -1}, "replies[0].delay: is less than 0"},
		"code":      {map[string]any{"error": "x", "code": "BAD"}, "replies[0].code: is not the name of a gRPC error, such as UNAVAILABLE"},
		"tool":      {map[string]any{"tool_calls": []any{map[string]any{}}}, "replies[0].tool_calls[0].tool: is required"},
		"arguments": {map[string]any{"tool_calls": []any{map[string]any{"tool": "x", "arguments": 1}}}, "replies[0].tool_calls[0].arguments: is neither a text nor an object"},
	} {
		t.Run(name, func(t *testing.T) {
			stubs := sdktest.Serve(t, newPlugin())
			_, err := stubs.Configure(t.Context(), map[string]any{"replies": []any{test.reply}})
			failed(t, err, codes.InvalidArgument, test.want)
		})
	}
}

func TestManifestTellsTheSameAsThePlugin(t *testing.T) {
	manifest, err := os.ReadFile("plugin.yaml")
	if err != nil {
		t.Fatal(err)
	}
	plugin := newPlugin()
	for _, line := range []string{"name: " + plugin.Name, "version: " + plugin.Version, "description: " + plugin.Description} {
		if !strings.Contains(string(manifest), "  "+line+"\n") {
			t.Errorf("plugin.yaml has no line %q", line)
		}
	}
}
