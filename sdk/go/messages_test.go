package sdk_test

import (
	"context"
	"maps"
	"testing"

	"google.golang.org/grpc/metadata"
	pb "hector.example/gen/go/hector/plugin/v1"
	"hector.example/sdk"
	"hector.example/sdk/sdktest"
)

func TestTextAndCallsOfAMessage(t *testing.T) {
	message := &pb.Message{Parts: []*pb.Part{
		{Part: &pb.Part_Reasoning{Reasoning: "hm"}},
		{Part: &pb.Part_Text{Text: "one "}},
		{Part: &pb.Part_ToolCall{ToolCall: &pb.ToolCall{Id: "a"}}},
		{Part: &pb.Part_Text{Text: "two"}},
		{Part: &pb.Part_ToolCall{ToolCall: &pb.ToolCall{Id: "b"}}},
	}}
	if got := sdk.Text(message); got != "one two" {
		t.Errorf("got %q", got)
	}
	if got := sdk.Calls(message); len(got) != 2 || got[0].Id != "a" || got[1].Id != "b" {
		t.Errorf("got %v", got)
	}
	if sdk.Text(nil) != "" || sdk.Calls(nil) != nil {
		t.Error("nothing says something")
	}
}

func TestCurrentCallReadsTheHostsMetadata(t *testing.T) {
	var got sdk.Call
	plugin := &greeter{generate: func(ctx context.Context, _ string) (string, error) {
		got = sdk.CurrentCall(ctx)
		return "", nil
	}}
	stubs := sdktest.Run(t, plugin.plugin(), nil)
	ctx := metadata.AppendToOutgoingContext(t.Context(), "hector-run", "r1",
		"hector-session", "50%25 gr%C3%B6%C3%9Fer", "hector-agent", "a", "hector-user", "u", "hector-credential-github", "secret", "traceparent", "00-1")
	if _, err := stubs.LLM.GenerateText(ctx, &pb.GenerateTextRequest{}); err != nil {
		t.Fatal(err)
	}
	credentials := got.Credentials
	if got.Run != "r1" || got.Session != "50% größer" || got.Agent != "a" || got.User != "u" ||
		!maps.Equal(credentials, map[string]string{"github": "secret"}) {
		t.Errorf("got %+v", got)
	}
	if call := sdk.CurrentCall(t.Context()); call.Run != "" || len(call.Credentials) != 0 {
		t.Errorf("outside of a call: %+v", call)
	}
}
