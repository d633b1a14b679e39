package main

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	pb "hector.example/gen/go/hector/plugin/v1"
)

// answer is what a model says, before it becomes a message.
type answer struct {
	text    string
	calls   []call
	finish  pb.FinishReason // unspecified: as the calls tell
	delay   time.Duration   // before it says anything
	failure error           // after the text
	usage   *pb.TokenUsage
}

// call is a tool call that has no id yet.
type call struct{ tool, arguments string }

func (a answer) wait(ctx context.Context) error {
	if a.delay <= 0 {
		return nil
	}
	timer := time.NewTimer(a.delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// output is the answer as a message of the conversation, in which `before` calls were made already.
func output(model string, said answer, before int) *pb.ModelOutput {
	message := &pb.Message{Role: pb.Role_ROLE_ASSISTANT}
	if said.text != "" {
		message.Parts = append(message.Parts, &pb.Part{Part: &pb.Part_Text{Text: said.text}})
	}
	for i, call := range said.calls {
		message.Parts = append(message.Parts, &pb.Part{Part: &pb.Part_ToolCall{ToolCall: &pb.ToolCall{
			Id: fmt.Sprintf("call-%d", before+i+1), Tool: call.tool, Arguments: call.arguments,
		}}})
	}
	finish := said.finish
	if finish == pb.FinishReason_FINISH_REASON_UNSPECIFIED {
		finish = pb.FinishReason_FINISH_REASON_STOP
		if len(said.calls) > 0 {
			finish = pb.FinishReason_FINISH_REASON_TOOL_CALLS
		}
	}
	return &pb.ModelOutput{Message: message, FinishReason: finish, Model: model}
}

const search = "search"

// read answers from what the tool `search` found, and asks for it first.
func read(talk conversation) answer {
	var found, failed []*pb.ToolResult
	for _, result := range talk.results(search) {
		if result.Failed {
			failed = append(failed, result)
		} else {
			found = append(found, result)
		}
	}
	switch {
	case len(found) > 0:
		return answer{text: best(found).quoted()}
	case len(failed) > 0:
		return answer{text: "The search failed: " + partsText(failed[len(failed)-1].Parts)}
	case talk.offers(search):
		return answer{calls: []call{{search, compactJSON(map[string]any{"query": talk.question})}}}
	}
	return answer{text: "I cannot look that up: no tool named search was offered."}
}

// passage is a piece of a document that a search found.
type passage struct {
	text, source string
	score        float64
}

func (p passage) quoted() string {
	text := strings.Trim(p.text, whitespace)
	if text == "" {
		return "I searched and found nothing."
	}
	if p.source == "" {
		return text
	}
	return text + "\n\nSource: " + p.source
}

// best is the passage with the highest score, the first of equals; without any, an empty one.
func best(results []*pb.ToolResult) passage {
	top := passage{score: math.Inf(-1)}
	for _, result := range results {
		for _, each := range passages(result) {
			if each.score > top.score {
				top = each
			}
		}
	}
	return top
}

// passages reads a result: its structured passages, or else its text as one.
func passages(result *pb.ToolResult) []passage {
	structured, given := result.GetStructured().GetStructValue().GetFields()["passages"]
	if !given {
		return []passage{{text: partsText(result.Parts)}}
	}
	var all []passage
	for _, value := range structured.GetListValue().GetValues() {
		fields := value.GetStructValue().GetFields()
		all = append(all, passage{fields["text"].GetStringValue(), fields["source"].GetStringValue(), fields["score"].GetNumberValue()})
	}
	return all
}
