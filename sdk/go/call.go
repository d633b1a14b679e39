package sdk

import (
	"context"
	"net/url"
	"strings"

	"google.golang.org/grpc/metadata"
)

const credentialPrefix = "hector-credential-"

// Call is what the host says about a call that is not an argument of it. What the host did not say is empty.
type Call struct {
	Run     string
	Session string
	Agent   string // its key in the host's configuration
	User    string // who asked
	// Credentials are the user's own secrets for this plugin, by name in lower case. Never log them.
	Credentials map[string]string
}

// decoded is the value of one of our keys: what metadata cannot carry is percent-encoded.
func decoded(value string) string {
	if text, err := url.PathUnescape(value); err == nil {
		return text
	}
	return value
}

// CurrentCall reads the facts of the call that ctx belongs to.
func CurrentCall(ctx context.Context) Call {
	facts, _ := metadata.FromIncomingContext(ctx)
	call := Call{Credentials: map[string]string{}}
	for key, values := range facts {
		value := values[len(values)-1]
		switch key {
		case "hector-run":
			call.Run = decoded(value)
		case "hector-session":
			call.Session = decoded(value)
		case "hector-agent":
			call.Agent = decoded(value)
		case "hector-user":
			call.User = decoded(value)
		default:
			if name, ok := strings.CutPrefix(key, credentialPrefix); ok {
				call.Credentials[name] = value
			}
		}
	}
	return call
}
