package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	pb "hector.example/gen/go/hector/plugin/v1"
	"hector.example/sdk"
)

// reply is an entry of the option `replies` that is not a mere text.
type reply struct {
	Text      string      `json:"text"`
	ToolCalls []replyCall `json:"tool_calls"`
	Delay     float64     `json:"delay"`  // seconds
	Finish    *string     `json:"finish"` // nil: as the calls tell
	Error     string      `json:"error"`
	Code      string      `json:"code"`
}

type replyCall struct {
	Tool      string `json:"tool" required:"true"`
	Arguments any    `json:"arguments"`
}

var finishes = map[string]pb.FinishReason{
	"stop":             pb.FinishReason_FINISH_REASON_STOP,
	"length":           pb.FinishReason_FINISH_REASON_LENGTH,
	"tool_calls":       pb.FinishReason_FINISH_REASON_TOOL_CALLS,
	"content_filter":   pb.FinishReason_FINISH_REASON_CONTENT_FILTER,
	"refusal":          pb.FinishReason_FINISH_REASON_REFUSAL,
	"context_overflow": pb.FinishReason_FINISH_REASON_CONTEXT_OVERFLOW,
	"other":            pb.FinishReason_FINISH_REASON_OTHER,
}

// longest is a delay in seconds that nobody sees the end of; time.Duration holds little more.
const longest = 1e9

// recite gives the answer whose turn it is; the number of assistant messages in the turn tells which.
func recite(talk conversation, script []answer) (answer, error) {
	if len(script) == 0 {
		return answer{}, status.Error(codes.FailedPrecondition, `the model "script" has no replies: list them in the option "replies"`)
	}
	return script[min(talk.answers(), len(script)-1)], nil
}

// parseScript turns the option into answers; its errors name every entry that is wrong.
func parseScript(replies []any) ([]answer, error) {
	script := make([]answer, len(replies))
	var mistakes []error
	for i, entry := range replies {
		var err error
		script[i], err = parseReply(entry, fmt.Sprintf("replies[%d]", i))
		mistakes = append(mistakes, err)
	}
	return script, errors.Join(mistakes...)
}

func parseReply(entry any, path string) (answer, error) {
	if text, ok := entry.(string); ok {
		return answer{text: text}, nil
	}
	given := reply{Code: "INTERNAL"}
	if err := sdk.DecodeOption(entry, &given, path); err != nil {
		return answer{}, err
	}
	calls, callsErr := parseCalls(given.ToolCalls, path+".tool_calls")
	failure, codeErr := parseFailure(given, path)
	finish, finishErr := parseFinish(given.Finish, path)
	var delayErr error
	if given.Delay < 0 {
		delayErr = sdk.InvalidOption(path+".delay", "is less than 0")
	}
	delay := time.Duration(min(given.Delay, longest) * float64(time.Second))
	said := answer{text: given.Text, calls: calls, finish: finish, delay: delay, failure: failure}
	return said, errors.Join(callsErr, delayErr, finishErr, codeErr)
}

func parseCalls(replies []replyCall, path string) ([]call, error) {
	calls := make([]call, len(replies))
	for i, given := range replies {
		switch arguments := given.Arguments.(type) {
		case nil:
			calls[i] = call{given.Tool, "{}"}
		case string:
			calls[i] = call{given.Tool, arguments}
		case map[string]any:
			calls[i] = call{given.Tool, compactJSON(arguments)}
		default:
			return nil, sdk.InvalidOption(fmt.Sprintf("%s[%d].arguments", path, i), "is neither a text nor an object")
		}
	}
	return calls, nil
}

func parseFinish(given *string, path string) (pb.FinishReason, error) {
	if given == nil {
		return pb.FinishReason_FINISH_REASON_UNSPECIFIED, nil
	}
	finish, known := finishes[*given]
	if !known {
		return finish, sdk.InvalidOption(path+".finish", "is none of stop, length, tool_calls, content_filter, refusal, context_overflow, other")
	}
	return finish, nil
}

// parseFailure is the error that the call ends with; nil when it ends well.
func parseFailure(given reply, path string) (failure error, err error) {
	var code codes.Code
	if err := json.Unmarshal([]byte(`"`+given.Code+`"`), &code); err != nil || code == codes.OK {
		return nil, sdk.InvalidOption(path+".code", "is not the name of a gRPC error, such as UNAVAILABLE")
	}
	if given.Error == "" {
		return nil, nil
	}
	return status.Error(code, given.Error), nil
}
