package main

import (
	"strings"
	"unicode/utf8"
)

// answer is what the custom model says.
type answer struct {
	Text                                        string
	PromptTokens, CompletionTokens, TotalTokens int32
}

// callCustomLLM asks the custom model, which says the prompt back.
func (s *CustomLLMProvider) callCustomLLM(prompt, model string) (*answer, error) {
	said := answer{Text: "You said: " + prompt}
	said.PromptTokens = int32(utf8.RuneCountInString(prompt))
	said.CompletionTokens = int32(utf8.RuneCountInString(said.Text))
	said.TotalTokens = said.PromptTokens + said.CompletionTokens
	return &said, nil
}

// streamCustomLLM gives the same answer, word by word.
func (s *CustomLLMProvider) streamCustomLLM(prompt, model string) <-chan string {
	tokens := make(chan string)
	go func() {
		defer close(tokens)
		for _, token := range strings.SplitAfter("You said: "+prompt, " ") {
			tokens <- token
		}
	}()
	return tokens
}
