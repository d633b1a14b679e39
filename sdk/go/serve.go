package sdk

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"google.golang.org/protobuf/types/known/structpb"
)

// handFlags come first on the command line of a container that serves by hand, whatever is in its environment.
var handFlags = []string{"--listen", "--health", "--help", "-h"}

// Serve is the one call of a plugin's main function: launched by a host it shakes hands, by hand it explains itself. It
// returns once the host or a signal has stopped the plugin, and ends the process when that cannot be served.
func Serve(plugin Plugin) {
	if err := plugin.check(); err != nil {
		exit(plugin, err)
	}
	if handshakeOutput == nil || (len(os.Args) > 1 && slices.Contains(handFlags, os.Args[1])) {
		if status := byHand(plugin, os.Args[1:]); status != 0 {
			os.Exit(status)
		}
		return
	}
	if err := serveHost(plugin); err != nil {
		exit(plugin, err)
	}
}

// exit ends a process that cannot serve; the host shows its last words.
func exit(plugin Plugin, err error) {
	fmt.Fprintf(os.Stderr, "%s: %s\n", plugin.Name, err)
	os.Exit(1)
}

// hostGrace is how long running calls may go on once a host has asked this process to stop; it let them end before.
const hostGrace = time.Second

// serveHost speaks the launch protocol: the line leaves once the socket listens, and does not wait for slow work.
func serveHost(plugin Plugin) error {
	logToStderr(plugin)
	security, certificate, err := hostTLS()
	if err != nil {
		return err
	}
	options, err := environmentOptions()
	if err != nil {
		return err
	}
	server, err := NewServer(plugin, security)
	if err != nil {
		return err
	}
	listener, release, err := listenForHost(os.Getenv)
	if err != nil {
		return err
	}
	defer release()
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt) // reaches the whole process group; the host decides when its plugins end
	stop := onSignals(syscall.SIGTERM)
	if _, err := handshakeOutput.WriteString(handshakeLine(listener.Addr(), certificate, os.Getenv)); err != nil {
		return err
	}
	stopWithoutHost(server, handshakeOutput)
	if options != nil {
		server.lifecycle.begin(environmentSetup(), options)
	}
	return serveUntil(server, listener, stop, hostGrace)
}

// hostTLS is what a host asks for that does not trust the machine's other users with its connection.
func hostTLS() (security *tls.Config, certificate string, err error) {
	if host := os.Getenv("PLUGIN_CLIENT_CERT"); host != "" {
		return mutualTLS(host)
	}
	return nil, "", nil
}

// environmentOptions are what the host configures at launch; nil when it will call Configure instead.
func environmentOptions() (*structpb.Struct, error) {
	text, given := os.LookupEnv("HECTOR_PLUGIN_CONFIG")
	if !given {
		return nil, nil
	}
	return parseOptions(text, "HECTOR_PLUGIN_CONFIG")
}

// parseOptions reads a JSON object; errors call it source.
func parseOptions(text, source string) (*structpb.Struct, error) {
	options := &structpb.Struct{}
	if err := json.Unmarshal([]byte(text), options); err != nil || !strings.HasPrefix(strings.TrimSpace(text), "{") {
		return nil, errors.New(source + " is not a JSON object")
	}
	return options, nil
}

func environmentSetup() Setup {
	return Setup{Name: os.Getenv("HECTOR_PLUGIN_NAME"), DataDir: os.Getenv("HECTOR_PLUGIN_DATA_DIR")}
}

func logToStderr(plugin Plugin) {
	slog.SetDefault(hostLogger(os.Stderr, plugin.Name))
}

func onSignals(which ...os.Signal) <-chan os.Signal {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, which...)
	return signals
}

// serveUntil serves until a signal or a host's Shutdown, and then gives running calls their grace; a second signal takes it.
func serveUntil(server *Server, listener net.Listener, stop <-chan os.Signal, grace time.Duration) error {
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return err
	case <-stop:
	case <-server.stopping:
	}
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	go func() {
		select {
		case <-stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	server.Stop(ctx)
	return nil // without waiting for `served`: a call that does not end holds it, and must not hold the process
}
