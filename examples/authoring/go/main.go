// Shout is a Hector plugin: a language model that answers in capitals.
package main

import (
	"context"
	"strings"

	pb "hector.example/gen/go/hector/plugin/v1"
	"hector.example/sdk"
)

// options are what the configuration may say under `config`.
type options struct {
	Mark string `json:"mark" description:"What ends every answer."`
}

// shout answers with the question, louder.
type shout struct {
	pb.UnimplementedLLMProviderServer
	options options
}

// GenerateText takes one question and gives one answer.
func (s *shout) GenerateText(_ context.Context, request *pb.GenerateTextRequest) (*pb.GenerateTextResponse, error) {
	return &pb.GenerateTextResponse{Text: strings.ToUpper(request.Prompt) + s.options.Mark}, nil
}

func plugin() sdk.Plugin {
	model := &shout{options: options{Mark: "!"}}
	return sdk.Plugin{
		Name:        "shout",
		Version:     "0.1.0",
		Description: "Answers in capitals.",
		LLM:         model,
		Options:     &model.options,
	}
}

func main() {
	sdk.Serve(plugin())
}
