package sdk

import (
	"context"
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

// CurrentCall reads the facts of the call that ctx belongs to.
func CurrentCall(ctx context.Context) Call {
	facts, _ := metadata.FromIncomingContext(ctx)
	call := Call{Credentials: map[string]string{}}
	for key, values := range facts {
		value := values[len(values)-1]
		switch key {
		case "hector-run":
			call.Run = value
		case "hector-session":
			call.Session = value
		case "hector-agent":
			call.Agent = value
		case "hector-user":
			call.User = value
		default:
			if name, ok := strings.CutPrefix(key, credentialPrefix); ok {
				call.Credentials[name] = value
			}
		}
	}
	return call
}
