package main

import (
	"strings"

	pb "hector.example/gen/go/hector/plugin/v1"
	"hector.example/sdk"
)

// conversation is what a model is asked, cut at the user's last question.
type conversation struct {
	messages []*pb.Message
	question string
	turn     []*pb.Message // what followed the question
	calls    int           // tool calls in all messages
	input    *pb.ModelInput
}

func newConversation(request asked) conversation {
	talk := conversation{messages: request.GetInput().GetMessages(), question: request.GetPrompt(), input: request.GetInput()}
	if len(talk.messages) == 0 {
		prompt := &pb.Part{Part: &pb.Part_Text{Text: request.GetPrompt()}}
		talk.messages = []*pb.Message{{Role: pb.Role_ROLE_USER, Parts: []*pb.Part{prompt}}}
	}
	talk.turn = talk.messages
	for i, message := range talk.messages {
		talk.calls += len(sdk.Calls(message))
		if asks(message) {
			talk.question, talk.turn = sdk.Text(message), talk.messages[i+1:]
		}
	}
	return talk
}

// asks tells whether a message starts a turn. What ReAct's text form observes comes in a user message, and does not.
func asks(message *pb.Message) bool {
	return message.Role == pb.Role_ROLE_USER && !strings.HasPrefix(sdk.Text(message), "Observation:")
}

// answers counts the assistant's messages in the turn.
func (c conversation) answers() int {
	count := 0
	for _, message := range c.turn {
		if message.Role == pb.Role_ROLE_ASSISTANT {
			count++
		}
	}
	return count
}

// results lists what came of the calls of a tool in the turn.
func (c conversation) results(tool string) []*pb.ToolResult {
	var results []*pb.ToolResult
	for _, message := range c.turn {
		for _, part := range message.Parts {
			if result := part.GetToolResult(); result != nil && result.Tool == tool {
				results = append(results, result)
			}
		}
	}
	return results
}

// offers tells whether the model may call a tool of that name.
func (c conversation) offers(name string) bool {
	if c.input.GetToolChoice() == pb.ToolChoice_TOOL_CHOICE_NONE {
		return false
	}
	for _, tool := range c.input.GetTools() {
		if tool.Name == name {
			return true
		}
	}
	return false
}

// usage counts words for tokens.
func (c conversation) usage(answer string) *pb.TokenUsage {
	prompt := 0
	for _, message := range c.messages {
		prompt += words(sdk.Text(message))
		for _, part := range message.Parts {
			prompt += words(partsText(part.GetToolResult().GetParts()))
		}
	}
	said := words(answer)
	return &pb.TokenUsage{PromptTokens: int32(prompt), CompletionTokens: int32(said), TotalTokens: int32(prompt + said)}
}
