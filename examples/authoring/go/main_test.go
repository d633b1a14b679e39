package main

import (
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"
	pb "hector.example/gen/go/hector/plugin/v1"
	"hector.example/sdk/sdktest"
)

func TestItAnswersInCapitals(t *testing.T) {
	stubs := sdktest.Run(t, plugin(), map[string]any{"mark": "!!"})
	response, err := stubs.LLM.GenerateText(t.Context(), &pb.GenerateTextRequest{Prompt: "hello"})
	if err != nil || response.Text != "HELLO!!" {
		t.Fatalf("%v, %v", response, err)
	}
}

func TestAnOptionThatItDoesNotKnowIsRefusedByName(t *testing.T) {
	config, _ := structpb.NewStruct(map[string]any{"marks": "!!"})
	_, err := sdktest.Serve(t, plugin()).Plugin.Configure(t.Context(), &pb.ConfigureRequest{Config: config})
	if status.Code(err) != codes.InvalidArgument || !strings.HasPrefix(status.Convert(err).Message(), "marks: unknown option") {
		t.Fatal(err)
	}
}
