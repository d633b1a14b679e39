package main

import (
	"context"

	pb "hector.example/gen/go/hector/plugin/v1"
	"hector.example/sdk"
)

// Options are what the host's configuration may set.
type Options struct {
	MaxBytes int `json:"max_bytes" description:"The longest text that a tool reads, in bytes."`
}

// texts holds the tools, which share the options.
type texts struct {
	options Options
}

func newPlugin() sdk.Plugin {
	tools := &texts{options: Options{MaxBytes: 512 << 10}}
	harmless := &pb.ToolEffects{ReadOnly: true, Idempotent: true, Local: true, Additive: true}
	return sdk.Plugin{
		Name:        "text-tools-go",
		Version:     "0.1.0",
		Description: "Tools that look at text: count, find lines, compare, extract from JSON.",
		Options:     &tools.options,
		Start:       tools.start,
		Tools: sdk.Tools(
			sdk.NewTool("count_text", "Count the lines, words, characters and bytes of a text.", harmless, tools.count),
			sdk.NewTool("find_lines", "Find the lines of a text that match a regular expression, with their numbers.", harmless, tools.find),
			sdk.NewTool("compare_texts", "Show how two texts differ, line by line, as a unified diff. Line ends do not count; equal texts give an empty one.", harmless, tools.compare),
			sdk.NewTool("extract_json", "Take one value out of a JSON text.", harmless, tools.extract),
		),
	}
}

func (t *texts) start(context.Context, sdk.Setup) error {
	if t.options.MaxBytes < 1 || t.options.MaxBytes > 8<<20 {
		return sdk.InvalidOption("max_bytes", "is %d, must be between 1 and %d", t.options.MaxBytes, 8<<20)
	}
	return nil
}

// fits refuses a text that is longer than a tool reads; the model is told, and can send a part of it.
func (t *texts) fits(name, text string) error {
	if len(text) > t.options.MaxBytes {
		return sdk.Failure("%s: has %d bytes, at most %d are read", name, len(text), t.options.MaxBytes)
	}
	return nil
}
