package main

import (
	"strings"

	pb "hector.example/gen/go/hector/plugin/v1"
	"hector.example/sdk"
)

// whitespace separates words; nothing else does, so that other languages can cut texts the same.
const whitespace = " \t\n\r"

func isSpace(char rune) bool {
	return strings.ContainsRune(whitespace, char)
}

func words(text string) int {
	return len(strings.FieldsFunc(text, isSpace))
}

// pieces cuts a text before each word: joined they are the text again.
func pieces(text string) []string {
	var cut []string
	start, afterSpace := 0, true
	for i, char := range text {
		space := isSpace(char)
		if !space && afterSpace && i > start {
			cut = append(cut, text[start:i])
			start = i
		}
		afterSpace = space
	}
	if start < len(text) {
		cut = append(cut, text[start:])
	}
	return cut
}

// partsText joins the text parts.
func partsText(parts []*pb.Part) string {
	return sdk.Text(&pb.Message{Parts: parts})
}
