// Counting is a Hector plugin: tools that count.
package main

import (
	"context"
	"strings"

	pb "hector.example/gen/go/hector/plugin/v1"
	"hector.example/sdk"
)

type wordsOf struct {
	Text string `json:"text" description:"Words are what stands between spaces and line ends." required:"true"`
}

func countWords(_ context.Context, given wordsOf) (int, error) {
	return len(strings.Fields(given.Text)), nil
}

type frequency struct {
	Text    string `json:"text" description:"Where to look; capitals do not count." required:"true"`
	Minimum int    `json:"minimum" description:"How often it has to be there. 0: once."`
}

func mostFrequent(_ context.Context, given frequency) (string, error) {
	times := map[string]int{}
	most := ""
	for _, word := range strings.Fields(strings.ToLower(given.Text)) {
		times[word]++
		if times[word] > times[most] {
			most = word
		}
	}
	if times[most] < max(given.Minimum, 1) {
		return "", sdk.Failure("no word is there %d times", given.Minimum)
	}
	return most, nil
}

func plugin() sdk.Plugin {
	harmless := &pb.ToolEffects{ReadOnly: true, Local: true}
	return sdk.Plugin{
		Name:        "counting",
		Version:     "0.1.0",
		Description: "Counts words.",
		Tools: sdk.Tools(
			sdk.NewTool("count_words", "Count the words of a text.", harmless, countWords),
			sdk.NewTool("most_frequent", "Find the word that a text uses most.", harmless, mostFrequent),
		),
	}
}

func main() {
	sdk.Serve(plugin())
}
