package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	pb "hector.example/gen/go/hector/plugin/v1"
	"hector.example/tests/interop"
)

// seen is what a plugin did for this host. Times are in seconds.
type seen struct {
	Handshake  float64   `json:"handshake"` // from the spawn to the line
	Start      float64   `json:"start"`     // from the spawn to the first answer
	Unary      []float64 `json:"unary"`
	Stream     float64   `json:"stream"` // one of `pieces` messages
	Pieces     int       `json:"pieces"`
	Large      float64   `json:"large"`      // a unary call with a message of -bytes, said back
	Brokered   bool      `json:"brokered"`   // it offered a listener, and was reached there
	Reattached bool      `json:"reattached"` // a second client used the same process
	Stdout     string    `json:"stdout"`     // what the stdio stream brought
	Stderr     string    `json:"stderr"`
	Raw        string    `json:"raw"` // the plugin's standard error
	Log        string    `json:"log"` // the host's
	Kill       float64   `json:"kill"`
	ExitCode   int       `json:"exit_code"`
}

const words = 200

func survey(given arguments) (*seen, error) {
	h := newHost(given)
	defer h.client.Kill()
	result := &seen{}
	if err := use(h, given, result); err != nil {
		return nil, fmt.Errorf("%w\n%s%s", err, h.log.String(), h.raw.String())
	}
	killed := time.Now()
	h.client.Kill()
	result.Kill = time.Since(killed).Seconds()
	if h.process.ProcessState == nil {
		return nil, errors.New("the process did not end")
	}
	result.ExitCode = h.process.ProcessState.ExitCode()
	result.Stdout, result.Stderr = h.synced.String(), h.errs.String()
	result.Raw, result.Log = h.raw.String(), h.log.String()
	return result, nil
}

func use(h *host, given arguments, result *seen) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	started := time.Now()
	if _, err := h.client.Start(); err != nil {
		return err
	}
	result.Handshake = time.Since(started).Seconds()
	protocol, dispensed, err := h.dispense(ctx)
	if err != nil {
		return err
	}
	model := pb.NewLLMProviderClient(dispensed.Conn)
	if err := said(model, "Hello"); err != nil {
		return err
	}
	result.Start = time.Since(started).Seconds()
	if err := protocol.Ping(); err != nil {
		return err
	}
	for range given.calls {
		called := time.Now()
		if err := said(model, "Hello again"); err != nil {
			return err
		}
		result.Unary = append(result.Unary, time.Since(called).Seconds())
	}
	if given.brief {
		return nil
	}
	if err := stream(ctx, model, result); err != nil {
		return err
	}
	called := time.Now()
	if err := said(model, strings.Repeat("x", given.bytes)); err != nil {
		return err
	}
	result.Large = time.Since(called).Seconds()
	if err := together(model); err != nil {
		return err
	}
	if err := said(model, "print"); err != nil {
		return err
	}
	if given.stdio {
		if err := errors.Join(h.synced.await(), h.errs.await()); err != nil {
			return err
		}
	}
	if result.Brokered, err = brokered(ctx, dispensed, model); err != nil {
		return err
	}
	if !given.autoMTLS { // which excludes it
		result.Reattached, err = reattached(h)
	}
	return err
}

// said fails unless the model says the prompt back.
func said(model pb.LLMProviderClient, prompt string) error {
	answer, err := ask(model, prompt)
	if err == nil && answer != prompt {
		err = fmt.Errorf("asked %.40q, it said %.40q", prompt, answer)
	}
	return err
}

// stream times a stream, and cancels another in its middle.
func stream(ctx context.Context, model pb.LLMProviderClient, result *seen) error {
	prompt := strings.TrimSpace(strings.Repeat("word ", words))
	called := time.Now()
	answer, err := model.StreamText(ctx, &pb.StreamTextRequest{Prompt: prompt})
	if err != nil {
		return err
	}
	var text strings.Builder
	for {
		piece, err := answer.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		result.Pieces++
		text.WriteString(piece.Text)
	}
	result.Stream = time.Since(called).Seconds()
	if text.String() != prompt {
		return fmt.Errorf("it streamed %q", text.String())
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answer, err = model.StreamText(ctx, &pb.StreamTextRequest{Prompt: strings.Repeat("word ", 100*words)})
	if err == nil {
		_, err = answer.Recv()
	}
	cancel()
	for err == nil {
		_, err = answer.Recv()
	}
	if status.Code(err) != codes.Canceled {
		return fmt.Errorf("a cancelled stream ended with %w", err)
	}
	return nil
}

// together has many calls on the connection at a time, each with enough to fill its buffers.
func together(model pb.LLMProviderClient) error {
	outcomes := make(chan error)
	const callers = 16
	for number := range callers {
		go func() { outcomes <- said(model, strings.Repeat(strconv.Itoa(number), 256<<10)) }()
	}
	var failed error
	for range callers {
		failed = errors.Join(failed, <-outcomes)
	}
	return failed
}

// brokered asks for a listener of the plugin's, and checks health there. Who does not know the question says it back.
func brokered(ctx context.Context, dispensed interop.Dispensed, model pb.LLMProviderClient) (bool, error) {
	answer, err := ask(model, "broker")
	id, notOffered := strconv.ParseUint(answer, 10, 32)
	if err != nil || notOffered != nil {
		return false, err
	}
	conn, err := dispensed.Broker.Dial(uint32(id))
	if err != nil {
		return false, err
	}
	defer conn.Close()
	_, err = healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{})
	return err == nil, err
}

// reattached uses the running process through a second client.
func reattached(h *host) (bool, error) {
	second := goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig:  interop.Handshake,
		Plugins:          goplugin.PluginSet{interop.Name: interop.Model{}},
		Reattach:         h.client.ReattachConfig(),
		Logger:           hclog.NewNullLogger(),
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
	})
	protocol, err := second.Client()
	if err != nil {
		return false, err
	}
	conn := protocol.(*goplugin.GRPCClient).Conn
	defer conn.Close() // and no Kill: the process is the first one's
	if err := protocol.Ping(); err != nil {
		return false, err
	}
	return true, said(pb.NewLLMProviderClient(conn), "Hello")
}

func ignoreUnimplemented(err error) error {
	if status.Code(err) == codes.Unimplemented {
		return nil
	}
	return err
}
