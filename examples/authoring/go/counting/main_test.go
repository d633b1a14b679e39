package main

import (
	"testing"

	"google.golang.org/protobuf/types/known/structpb"
	pb "hector.example/gen/go/hector/plugin/v1"
	"hector.example/sdk/sdktest"
)

func TestAResultAndANo(t *testing.T) {
	stubs := sdktest.Run(t, plugin(), nil)
	execute := func(text string) *pb.ExecuteToolResponse {
		parameters, _ := structpb.NewStruct(map[string]any{"text": text, "minimum": 2})
		request := &pb.ExecuteToolRequest{Tool: "most_frequent", Parameters: parameters}
		response, err := stubs.Tools.ExecuteTool(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		return response
	}
	if found := execute("a rose is a rose is a rose"); !found.Success || found.Result != "a" {
		t.Error(found)
	}
	if missed := execute("all words differ"); missed.Success || missed.Error != "no word is there 2 times" {
		t.Error(missed)
	}
}
