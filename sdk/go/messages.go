package sdk

import (
	"strings"

	pb "hector.example/gen/go/hector/plugin/v1"
)

// Text joins the text parts of a message; nil has none.
func Text(message *pb.Message) string {
	var text strings.Builder
	for _, part := range message.GetParts() {
		text.WriteString(part.GetText())
	}
	return text.String()
}

// Calls lists the tool calls of a message, in their order.
func Calls(message *pb.Message) []*pb.ToolCall {
	var calls []*pb.ToolCall
	for _, part := range message.GetParts() {
		if call := part.GetToolCall(); call != nil {
			calls = append(calls, call)
		}
	}
	return calls
}
