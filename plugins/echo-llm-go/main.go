// Command echo-llm-go serves three language models that need no network. Fork it: replace what the models
// answer (models.go), keep how the contract's RPCs map to it (plugin.go).
package main

import "hector.example/sdk"

func main() {
	sdk.Serve(newPlugin())
}
