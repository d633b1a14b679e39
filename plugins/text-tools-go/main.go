// Command text-tools-go serves tools that look at text. Fork it: replace the functions (text.go, diff.go, pointer.go),
// and what plugin.go says of them.
package main

import "hector.example/sdk"

func main() {
	sdk.Serve(newPlugin())
}
