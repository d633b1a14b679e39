package sdk

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"
)

const (
	// handGrace is how long running calls may go on after a signal: containers are killed ten seconds after it.
	handGrace     = 8 * time.Second
	healthTimeout = 5 * time.Second
)

// arguments are what a person or a container says on the command line.
type arguments struct{ listen, dataDir, config, health string }

// byHand does what the arguments say; without any it explains itself. The exit status is 0 when it served or is healthy,
// 2 for arguments that nobody knows, else 1.
func byHand(plugin Plugin, words []string) int {
	given, err := parseArguments(plugin, words)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	case given.health != "":
		return askHealth(given.health)
	case given.listen == "":
		explain(plugin, os.Stderr)
		return 1
	}
	if err := listen(plugin, given); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %s\n", plugin.Name, status.Convert(err).Message())
		return 1
	}
	return 0
}

func parseArguments(plugin Plugin, words []string) (arguments, error) {
	var given arguments
	flags := flag.NewFlagSet(plugin.Name, flag.ContinueOnError)
	flags.SetOutput(os.Stderr)
	flags.Usage = func() { explain(plugin, os.Stderr) }
	flags.StringVar(&given.listen, "listen", "", "")
	flags.StringVar(&given.dataDir, "data-dir", "", "")
	flags.StringVar(&given.config, "config", "", "")
	flags.StringVar(&given.health, "health", "", "")
	err := flags.Parse(words)
	if err == nil && flags.NArg() > 0 {
		err = fmt.Errorf("unrecognized argument: %s", flags.Arg(0))
		fmt.Fprintln(os.Stderr, err)
	}
	return given, err
}

// explain is what somebody reads who starts a plugin as if it were a program of its own.
func explain(plugin Plugin, out io.Writer) {
	fmt.Fprintf(out, `usage: %s [--listen ADDRESS] [--data-dir DIR] [--config JSON or FILE] [--health ADDRESS]

%s %s: %s

A Hector plugin, to be started by a host. It serves %s.
Name it in a configuration (plugins: ... path, package or command), or serve it by hand with --listen.

  --listen ADDRESS       serve at HOST:PORT, :PORT or unix:PATH
  --data-dir DIR         where it may keep data
  --config JSON or FILE  its options, as a JSON object or a file with one
  --health ADDRESS       ask a running one: exit code 0 when it is ready, else 1
`, os.Args[0], plugin.Name, plugin.Version, plugin.Description, strings.Join(plugin.register(nowhere{}), ", "))
}

// nowhere takes registrations for their names alone.
type nowhere struct{}

func (nowhere) RegisterService(*grpc.ServiceDesc, any) {}

// listen serves at an address of the user's choice. A plugin that cannot start ends the process: nobody else would tell.
func listen(plugin Plugin, given arguments) error {
	logToStderr(plugin)
	options, err := handOptions(given.config)
	if err != nil {
		return err
	}
	server, err := NewServer(plugin, nil)
	if err != nil {
		return err
	}
	listener, err := listenAt(given.listen)
	if err != nil {
		return err
	}
	stop := onSignals(syscall.SIGTERM, os.Interrupt)
	fmt.Printf("%s listens on %s\n", plugin.Name, shownAddress(listener.Addr()))
	start := server.lifecycle.begin(environmentSetup().under(given.dataDir), options)
	failed := make(chan error, 1)
	go func() {
		if err := start.wait(context.Background()); err != nil && server.requestStop() {
			failed <- err
		}
		close(failed)
	}()
	if err := serveUntil(server, listener, stop, handGrace); err != nil {
		return err
	}
	return <-failed
}

// under puts the data directory of the command line before the environment's.
func (s Setup) under(dataDir string) Setup {
	return Setup{DataDir: dataDir}.or(s)
}

// handOptions are those of the command line, else the environment's, else none.
func handOptions(given string) (*structpb.Struct, error) {
	if given == "" {
		options, err := environmentOptions()
		if options == nil && err == nil {
			options = &structpb.Struct{}
		}
		return options, err
	}
	if strings.HasPrefix(strings.TrimSpace(given), "{") {
		return parseOptions(given, "--config")
	}
	content, err := os.ReadFile(given)
	if err != nil {
		return nil, fmt.Errorf("--config: %w", err)
	}
	return parseOptions(string(content), "--config "+given)
}

func listenAt(address string) (net.Listener, error) {
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		return net.Listen("unix", path)
	}
	return net.Listen("tcp", address)
}

func shownAddress(address net.Addr) string {
	if address.Network() == "unix" {
		return "unix:" + address.String()
	}
	return address.String()
}

// askHealth asks the plugin at address whether it is ready, as a container's health check does.
func askHealth(address string) int {
	target := address
	if strings.HasPrefix(address, ":") {
		target = "localhost" + address
	}
	conn, err := grpc.NewClient(target, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithNoProxy())
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %s\n", address, err)
		return 1
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(context.Background(), healthTimeout)
	defer cancel()
	answer, err := healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{})
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %s: %s\n", address, status.Code(err), status.Convert(err).Message())
		return 1
	}
	fmt.Println(answer.Status)
	if answer.Status != healthpb.HealthCheckResponse_SERVING {
		return 1
	}
	return 0
}
