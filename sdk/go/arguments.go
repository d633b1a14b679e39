package sdk

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"google.golang.org/protobuf/types/known/structpb"
)

// arguments are the words after the plugin's name on the command line; a host gives none.
type arguments struct {
	listen  string
	dataDir string
	config  string
	health  string
}

func parseArguments(name string, words []string, stderr io.Writer) (arguments, error) {
	var given arguments
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&given.listen, "listen", "", "serve on this `ADDRESS` (host:port or unix:PATH)")
	flags.StringVar(&given.dataDir, "data-dir", "", "`DIRECTORY` that the plugin may write")
	flags.StringVar(&given.config, "config", "", "options, as `JSON or FILE`")
	flags.StringVar(&given.health, "health", "", "ask the plugin at this `ADDRESS` and exit 0 (serving) or 1")
	if err := flags.Parse(words); err != nil {
		return given, err
	}
	if flags.NArg() > 0 {
		return given, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	return given, nil
}

// parseOptions reads options from a JSON object or from the file that holds one; empty text is no options.
func parseOptions(text string) (*structpb.Struct, error) {
	options := &structpb.Struct{}
	text = strings.TrimSpace(text)
	if text == "" {
		return options, nil
	}
	source := "the options"
	if !strings.HasPrefix(text, "{") {
		content, err := os.ReadFile(text)
		if err != nil {
			return nil, err
		}
		source, text = text, string(content)
	}
	if err := options.UnmarshalJSON([]byte(text)); err != nil {
		return nil, errors.New(source + " must be a JSON object")
	}
	return options, nil
}
