package sdk

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

// grace is how long running calls may go on once the process has been asked to stop.
const grace = 10 * time.Second

// Serve runs the process: as a host's child after the handshake, or where --listen says. It returns when the process has
// been asked to stop, and exits with status 1 when it could not serve.
func Serve(plugin Plugin) {
	if err := run(plugin); err != nil {
		if !errors.Is(err, errSaid) {
			fmt.Fprintf(os.Stderr, "%s: %s\n", plugin.Name, err)
		}
		os.Exit(1)
	}
}

// errSaid is an error whose words are on the screen already.
var errSaid = errors.New("said")

func run(plugin Plugin) error {
	if err := plugin.check(); err != nil {
		return err
	}
	given, err := parseArguments(plugin.Name, os.Args[1:], os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return nil
	case err != nil:
		return err
	case given.health != "":
		return askHealth(given.health, os.Stdout)
	case given.listen != "":
		return serveByHand(plugin, given)
	case launched(os.Getenv):
		return serveHost(plugin)
	}
	explain(plugin, os.Stderr)
	return errSaid
}

// explain is what somebody reads who started the plugin as if it were a program of its own.
func explain(plugin Plugin, stderr io.Writer) {
	fmt.Fprintf(stderr, `%[1]s %[2]s is a Hector plugin: a Hector host starts it and talks to it.
  Name it in a configuration (plugins: ... path: %[3]s) and run: hector call AGENT MESSAGE
  Or serve it by hand: %[3]s --listen 127.0.0.1:8081
`, plugin.Name, plugin.Version, os.Args[0])
}

// serveHost speaks the launch protocol. The line is printed once the socket listens, and before the slow work.
func serveHost(plugin Plugin) error {
	slog.SetDefault(hostLogger(os.Stderr, plugin.Name))
	var security *tls.Config
	certificate := ""
	if host := os.Getenv("PLUGIN_CLIENT_CERT"); host != "" {
		var err error
		if security, certificate, err = mutualTLS(host); err != nil {
			return err
		}
	}
	server, err := NewServer(plugin, security)
	if err != nil {
		return err
	}
	options, err := parseOptions(os.Getenv("HECTOR_PLUGIN_CONFIG"))
	if err != nil {
		return err
	}
	listener, release, err := listenForHost(os.Getenv)
	if err != nil {
		return err
	}
	defer release()
	setup := Setup{Name: os.Getenv("HECTOR_PLUGIN_NAME"), DataDir: os.Getenv("HECTOR_PLUGIN_DATA_DIR")}
	server.lifecycle.begin(setup, options)
	if _, err := handshakeTo.WriteString(handshakeLine(listener.Addr(), certificate, os.Getenv)); err != nil {
		return err
	}
	// Ctrl-C reaches the whole process group; the host decides when its plugins end.
	return serveUntil(server, listener, syscall.SIGTERM)
}

// serveByHand serves at an address of the user's choice, for containers and debuggers.
func serveByHand(plugin Plugin, given arguments) error {
	server, err := NewServer(plugin, nil)
	if err != nil {
		return err
	}
	options, err := parseOptions(given.config)
	if err != nil {
		return err
	}
	network, address := "tcp", given.listen
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		network, address = "unix", path
	}
	listener, err := net.Listen(network, address)
	if err != nil {
		return err
	}
	slog.Info("listening", "plugin", plugin.Name, "address", listener.Addr().String())
	server.lifecycle.begin(Setup{Name: plugin.Name, DataDir: given.dataDir}, options)
	return serveUntil(server, listener, syscall.SIGTERM, os.Interrupt)
}

// serveUntil serves until a signal, or a host's Shutdown, and then stops gracefully; a second signal stops at once.
func serveUntil(server *Server, listener net.Listener, stop ...os.Signal) error {
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt) // taken, so that it does not end the process
	defer signal.Stop(interrupts)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, stop...)
	defer signal.Stop(signals)

	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return err
	case <-signals:
	case <-server.stopping:
	}
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	go func() {
		<-signals
		cancel()
	}()
	server.Stop(ctx)
	return <-served
}

// askHealth asks the plugin at address whether it serves, as a container's health check does.
func askHealth(address string, stdout io.Writer) error {
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithNoProxy())
	if err != nil {
		return err
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	answer, err := healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{})
	if err != nil {
		return err
	}
	fmt.Fprintln(stdout, answer.Status)
	if answer.Status != healthpb.HealthCheckResponse_SERVING {
		return errSaid
	}
	return nil
}
