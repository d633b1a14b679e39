// Command stockhost is a host made with go-plugin, as its users write one: it starts the plugin that its arguments name,
// uses it, kills it, and prints what it saw as one JSON object. With -recover it shows what such a host has when its
// plugin dies.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"log"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	pb "hector.example/gen/go/hector/plugin/v1"
	"hector.example/tests/interop"
)

// patience is how long an answer may take.
const patience = 60 * time.Second

// arguments are what the command line says.
type arguments struct {
	autoMTLS, multiplex, recover, stdio, brief bool
	group                                      string
	calls, bytes                               int
	command                                    []string
}

func main() {
	log.SetFlags(0)
	var given arguments
	flag.BoolVar(&given.autoMTLS, "automtls", false, "ask for mutual TLS")
	flag.BoolVar(&given.multiplex, "multiplex", false, "ask for one connection for everything")
	flag.BoolVar(&given.recover, "recover", false, "kill it, and see")
	flag.BoolVar(&given.stdio, "stdio", false, "wait for what the plugin prints to come by its stdio stream")
	flag.BoolVar(&given.brief, "brief", false, "start it and time the calls, and nothing else")
	flag.StringVar(&given.group, "group", "", "the group that may use the plugin's socket")
	flag.IntVar(&given.calls, "calls", 20, "how many unary calls to time")
	flag.IntVar(&given.bytes, "bytes", 1<<20, "the size of a large message")
	flag.Parse()
	given.command = flag.Args()
	var report any
	var err error
	if given.recover {
		report, err = recovery(given)
	} else {
		report, err = survey(given)
	}
	if err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(report); err != nil {
		log.Fatal(err)
	}
}

// host is one start of a plugin.
type host struct {
	client                 *goplugin.Client
	process                *exec.Cmd
	log, raw, synced, errs safeBuffer // the host's log; the plugin's stderr; what its stdio stream brought
}

func newHost(given arguments) *host {
	h := &host{process: exec.Command(given.command[0], given.command[1:]...)}
	h.process.Env = append(os.Environ(), "HECTOR_PLUGIN_CONFIG={}")
	config := &goplugin.ClientConfig{
		HandshakeConfig:     interop.Handshake,
		Plugins:             goplugin.PluginSet{interop.Name: interop.Model{}},
		Cmd:                 h.process,
		AllowedProtocols:    []goplugin.Protocol{goplugin.ProtocolGRPC},
		AutoMTLS:            given.autoMTLS,
		GRPCBrokerMultiplex: given.multiplex,
		Stderr:              &h.raw,
		SyncStdout:          &h.synced,
		SyncStderr:          &h.errs,
		Logger:              hclog.New(&hclog.LoggerOptions{Output: &h.log, Level: hclog.Debug}),
	}
	if given.group != "" {
		config.UnixSocketConfig = &goplugin.UnixSocketConfig{Group: given.group}
	}
	h.client = goplugin.NewClient(config)
	return h
}

// dispense starts the plugin and gives what it serves. A host that does not know health waits by calling Configure, which
// joins the plugin's start; one that does not serve it is ready.
func (h *host) dispense(ctx context.Context) (goplugin.ClientProtocol, interop.Dispensed, error) {
	protocol, err := h.client.Client()
	if err != nil {
		return nil, interop.Dispensed{}, err
	}
	dispensed, err := protocol.Dispense(interop.Name)
	if err != nil {
		return nil, interop.Dispensed{}, err
	}
	model := dispensed.(interop.Dispensed)
	_, err = pb.NewPluginClient(model.Conn).Configure(ctx, &pb.ConfigureRequest{})
	return protocol, model, ignoreUnimplemented(err)
}

func ask(model pb.LLMProviderClient, prompt string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	answer, err := model.GenerateText(ctx, &pb.GenerateTextRequest{Prompt: prompt})
	return answer.GetText(), err
}

// safeBuffer is written by go-plugin's goroutines and read here.
type safeBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

// await returns once something has been written.
func (b *safeBuffer) await() error {
	for deadline := time.Now().Add(patience); b.String() == ""; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			return errors.New("nothing came by the stdio stream")
		}
	}
	return nil
}

func (b *safeBuffer) Write(data []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(data)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}
