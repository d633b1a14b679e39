package main

import (
	"errors"
	"strings"

	"google.golang.org/protobuf/types/known/structpb"
	pb "hector.example/gen/go/hector/plugin/v1"
)

// CustomReasoningState is what the strategy knows at first.
type CustomReasoningState struct {
	MaxIterations int32
	Temperature   float32
	Context       *structpb.Struct
}

// toStruct makes the state that travels: beside what the guide keeps, the conversation by the ids of its messages.
func (s *CustomReasoningState) toStruct(req *pb.InitializeRequest) *structpb.Struct {
	ids := &structpb.ListValue{}
	for _, message := range req.Messages {
		ids.Values = append(ids.Values, structpb.NewStringValue(message.Id))
	}
	return &structpb.Struct{Fields: map[string]*structpb.Value{
		"max_iterations": structpb.NewNumberValue(float64(s.MaxIterations)),
		"temperature":    structpb.NewNumberValue(float64(s.Temperature)),
		"context":        structpb.NewStructValue(s.Context),
		"system_prompt":  structpb.NewStringValue(req.SystemPrompt),
		"messages":       structpb.NewListValue(ids),
	}}
}

// processIteration asks the agent's own model once; what it says is the answer.
func (s *CustomReasoningStrategy) processIteration(state *structpb.Struct, input *pb.IterationInput) (*pb.IterationResult, error) {
	if len(input.GetOutcomes()) == 0 {
		generate := &pb.Generate{Input: &pb.ModelInput{Messages: conversation(state)}, Stream: pb.Stream_STREAM_ANSWER}
		return &pb.IterationResult{
			Thought: "asking the model",
			Effects: []*pb.Effect{{Id: "ask", Effect: &pb.Effect_Generate{Generate: generate}}},
			State:   state,
		}, nil
	}
	outcome := input.Outcomes[0]
	if outcome.Failure != nil {
		return nil, errors.New(outcome.Failure.Message)
	}
	var answer strings.Builder
	for _, part := range outcome.Message.Parts {
		answer.WriteString(part.GetText())
	}
	state.Fields["answer"] = structpb.NewStringValue(answer.String())
	return &pb.IterationResult{Thought: "the model has answered", Done: true, State: state}, nil
}

// conversation names the messages that the host holds, after the system prompt.
func conversation(state *structpb.Struct) []*pb.Message {
	var messages []*pb.Message
	if prompt := state.Fields["system_prompt"].GetStringValue(); prompt != "" {
		part := &pb.Part{Part: &pb.Part_Text{Text: prompt}}
		messages = append(messages, &pb.Message{Role: pb.Role_ROLE_SYSTEM, Parts: []*pb.Part{part}})
	}
	for _, id := range state.Fields["messages"].GetListValue().GetValues() {
		messages = append(messages, &pb.Message{Id: id.GetStringValue()})
	}
	return messages
}

// finalize gives the answer.
func (s *CustomReasoningStrategy) finalize(state *structpb.Struct) (string, error) {
	answer, there := state.GetFields()["answer"]
	if !there {
		return "", errors.New("the model has not answered")
	}
	return answer.GetStringValue(), nil
}
