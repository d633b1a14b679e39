package sdk_test

import (
	"context"
	"errors"
	"io"
	"testing"

	"google.golang.org/grpc/codes"
	pb "hector.example/gen/go/hector/plugin/v1"
	"hector.example/sdk"
	"hector.example/sdk/sdktest"
)

func TestErrorsReachTheCaller(t *testing.T) {
	plugin := &greeter{generate: func(_ context.Context, prompt string) (string, error) {
		switch prompt {
		case "no":
			return "", sdk.Failure("not %s", "today")
		case "plain":
			return "", errors.New("disk full")
		case "late":
			return "", context.DeadlineExceeded
		case "gone":
			return "", context.Canceled
		}
		panic("private words")
	}}
	stubs := sdktest.Run(t, plugin.plugin(), nil)
	for prompt, want := range map[string]struct {
		code    codes.Code
		message [2]string
	}{
		"no":    {codes.FailedPrecondition, [2]string{"not today", "not today"}},
		"plain": {codes.Internal, [2]string{"disk full", "disk full"}},
		"late":  {codes.DeadlineExceeded, [2]string{"context deadline exceeded", "context deadline exceeded"}},
		"gone":  {codes.Canceled, [2]string{"context canceled", "context canceled"}},
		"panic": {codes.Internal, [2]string{
			"panic in /hector.plugin.v1.LLMProvider/GenerateText: see the plugin's log",
			"panic in /hector.plugin.v1.LLMProvider/StreamText: see the plugin's log",
		}},
	} {
		_, err := ask(t, stubs, prompt)
		wantStatus(t, err, want.code, want.message[0])
		stream, err := stubs.LLM.StreamText(t.Context(), &pb.StreamTextRequest{Prompt: prompt})
		if err == nil {
			_, err = stream.Recv()
		}
		if errors.Is(err, io.EOF) {
			t.Fatal("the stream ended well")
		}
		wantStatus(t, err, want.code, want.message[1])
	}
}

func TestAFailureIsSuccessFalseWhereTheResponseHasIt(t *testing.T) {
	stubs := sdktest.Run(t, sdk.Plugin{Name: "db", Database: fullDatabase{}}, nil)
	response, err := stubs.Database.UpsertVectors(t.Context(), &pb.UpsertVectorsRequest{})
	if err != nil || response.Success || response.Error != "the disk is full" {
		t.Errorf("got %v, %v", response, err)
	}
}

type fullDatabase struct {
	pb.UnimplementedDatabaseProviderServer
}

func (fullDatabase) UpsertVectors(context.Context, *pb.UpsertVectorsRequest) (*pb.UpsertVectorsResponse, error) {
	return nil, sdk.Failure("the disk is full")
}
