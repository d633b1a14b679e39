package sdk_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
	pb "hector.example/gen/go/hector/plugin/v1"
	"hector.example/sdk"
	"hector.example/sdk/sdktest"
)

func serving(t *testing.T, stubs *sdktest.Stubs) string {
	t.Helper()
	answers := []string{}
	for _, service := range []string{"", "plugin"} {
		answer, err := stubs.Health.Check(t.Context(), &healthpb.HealthCheckRequest{Service: service})
		if err != nil {
			t.Fatal(err)
		}
		answers = append(answers, answer.Status.String())
	}
	if answers[0] != answers[1] {
		t.Errorf("health differs by name: %v", answers)
	}
	return answers[0]
}

func TestDescribeTellsWhatThePluginIs(t *testing.T) {
	stubs := sdktest.Serve(t, (&greeter{}).plugin())
	got, err := stubs.Plugin.Describe(t.Context(), &pb.DescribeRequest{})
	if err != nil {
		t.Fatal(err)
	}
	want := &pb.DescribeResponse{}
	if err := protojson.Unmarshal([]byte(`{
		"name": "greeter", "version": "1.2.3", "description": "Greets.",
		"services": ["hector.plugin.v1.LLMProvider"], "contractRevision": 1,
		"configSchema": {"type": "object", "additionalProperties": false, "properties": {
			"greeting": {"type": "string", "description": "What it says first.", "default": "Hello, "},
			"times": {"type": "integer", "default": 0},
			"models": {"type": "array", "items": {"type": "object", "additionalProperties": false,
				"required": ["name"], "properties": {"name": {"type": "string"}}}}}}}`), want); err != nil {
		t.Fatal(err)
	}
	if !proto.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", protojson.Format(got), protojson.Format(want))
	}
}

func TestCallsAreLetInOnceThePluginIsReady(t *testing.T) {
	release := make(chan error)
	begun := make(chan struct{}, 2)
	plugin := &greeter{start: func(context.Context, sdk.Setup) error {
		begun <- struct{}{}
		return <-release
	}}
	stubs := sdktest.Serve(t, plugin.plugin())
	_, err := ask(t, stubs, "Ada")
	wantStatus(t, err, codes.FailedPrecondition, "the plugin is not configured: call Plugin.Configure first")
	configured := make(chan error, 1)
	configure := func() {
		_, err := stubs.Configure(context.Background(), nil)
		configured <- err
	}

	go configure()
	<-begun
	_, err = ask(t, stubs, "Ada")
	wantStatus(t, err, codes.Unavailable, "the plugin is still starting: wait until its health is SERVING")
	if got := serving(t, stubs); got != "NOT_SERVING" {
		t.Errorf("health is %s", got)
	}
	release <- sdk.NotReady("no model at %s", "/m")
	wantStatus(t, <-configured, codes.FailedPrecondition, "no model at /m")
	_, err = ask(t, stubs, "Ada")
	wantStatus(t, err, codes.FailedPrecondition, "the plugin did not start: no model at /m")

	go configure() // a failure that was told is tried again
	<-begun
	release <- nil
	if err := <-configured; err != nil {
		t.Fatal(err)
	}
	if text, err := ask(t, stubs, "Ada"); text != "Hello, Ada" || err != nil {
		t.Errorf("got %q, %v", text, err)
	}
	if got := serving(t, stubs); got != "SERVING" {
		t.Errorf("health is %s", got)
	}
}

func TestHealthIsAnsweredWhileEveryCallHangs(t *testing.T) {
	const calls = 200
	release, inside := make(chan struct{}), make(chan struct{}, calls)
	plugin := &greeter{generate: func(context.Context, string) (string, error) {
		inside <- struct{}{}
		<-release
		return "", nil
	}}
	stubs := sdktest.Run(t, plugin.plugin(), nil)
	serving(t, stubs)
	answers := make(chan error, calls)
	for range calls {
		go func() {
			_, err := ask(t, stubs, "Ada")
			answers <- err
		}()
	}
	for range calls {
		<-inside
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	answer, err := stubs.Health.Check(ctx, &healthpb.HealthCheckRequest{})
	if err != nil || answer.Status != healthpb.HealthCheckResponse_SERVING {
		t.Errorf("got %v, %v", answer, err)
	}
	close(release)
	for range calls {
		if err := <-answers; err != nil {
			t.Error(err)
		}
	}
}

func TestOptionsThatAreWrongAreAllNamed(t *testing.T) {
	stubs := sdktest.Serve(t, (&greeter{}).plugin())
	_, err := stubs.Configure(t.Context(), map[string]any{
		"greeting": 1, "times": 1.5, "tmies": 2, "models": []any{map[string]any{"name": "a"}, map[string]any{"nmae": "b"}},
	})
	wantStatus(t, err, codes.InvalidArgument, "greeting: 1 is not a text; times: 1.5 is not a whole number; "+
		"models[1].name: is required; models[1].nmae: is not known; "+
		"tmies: unknown option; there are: greeting, models, times")
	if got := violations(t, err); len(got) != 5 || got["tmies"] != "unknown option; there are: greeting, models, times" {
		t.Errorf("violations: %v", got)
	}
}

func TestAPluginWithoutOptionsTakesNone(t *testing.T) {
	stubs := sdktest.Serve(t, sdk.Plugin{Name: "plain", LLM: &greeter{}})
	_, err := stubs.Configure(t.Context(), map[string]any{"greeting": "Hi"})
	wantStatus(t, err, codes.InvalidArgument, "greeting: unknown option; this plugin has no options")
	if _, err := stubs.Configure(t.Context(), nil); err != nil {
		t.Error(err)
	}
}

func TestStartNamesTheOptionsThatItCannotUse(t *testing.T) {
	plugin := &greeter{start: func(context.Context, sdk.Setup) error {
		return errors.Join(sdk.InvalidOption("times", "must be at least %d", 1), sdk.InvalidOption("greeting", "is rude"))
	}}
	stubs := sdktest.Serve(t, plugin.plugin())
	_, err := stubs.Configure(t.Context(), nil)
	wantStatus(t, err, codes.InvalidArgument, "times: must be at least 1; greeting: is rude")
	if got := violations(t, err); got["times"] != "must be at least 1" || got["greeting"] != "is rude" {
		t.Errorf("violations: %v", got)
	}
}

func TestStartThatPanicsIsAFailure(t *testing.T) {
	plugin := &greeter{start: func(context.Context, sdk.Setup) error { panic("oh") }}
	stubs := sdktest.Serve(t, plugin.plugin())
	_, err := stubs.Configure(t.Context(), nil)
	wantStatus(t, err, codes.Internal, "panic in Start: see the plugin's log")
}

func TestEqualOptionsJoinTheStartThatRuns(t *testing.T) {
	var starts atomic.Int32
	release := make(chan struct{})
	begun := make(chan struct{})
	plugin := &greeter{start: func(context.Context, sdk.Setup) error {
		starts.Add(1)
		close(begun)
		<-release
		return nil
	}}
	stubs := sdktest.Serve(t, plugin.plugin())
	configured := make(chan error)
	for range 3 {
		go func() {
			_, err := stubs.Configure(context.Background(), map[string]any{"greeting": "Hi "})
			configured <- err
		}()
	}
	<-begun
	close(release)
	for range 3 {
		if err := <-configured; err != nil {
			t.Error(err)
		}
	}
	if _, err := stubs.Configure(t.Context(), map[string]any{"greeting": "Hi "}); err != nil {
		t.Error(err)
	}
	if starts.Load() != 1 {
		t.Errorf("started %d times", starts.Load())
	}
}

func TestOtherOptionsWaitForCallsAndStartAnew(t *testing.T) {
	var log eventLog
	called, release := make(chan struct{}), make(chan struct{})
	plugin := &greeter{
		start: func(context.Context, sdk.Setup) error { log.add("start"); return nil },
		stop:  func() { log.add("stop") },
	}
	plugin.generate = func(_ context.Context, prompt string) (string, error) {
		if prompt == "slow" {
			close(called)
			<-release
			log.add("answer")
		}
		return plugin.options.Greeting + prompt, nil
	}
	stubs := sdktest.Run(t, plugin.plugin(), map[string]any{"greeting": "Hi "})
	answered, configured := make(chan string), make(chan error)
	go func() {
		text, _ := ask(t, stubs, "slow")
		answered <- text
	}()
	<-called
	go func() {
		_, err := stubs.Configure(context.Background(), nil)
		configured <- err
	}()
	waitNotServing(t, stubs)
	close(release)
	if text := <-answered; text != "Hi slow" {
		t.Errorf("the call that was running got %q", text)
	}
	if err := <-configured; err != nil {
		t.Fatal(err)
	}
	if text, err := ask(t, stubs, "Ada"); text != "Hello, Ada" || err != nil {
		t.Errorf("got %q, %v: the defaults come back", text, err)
	}
	if got := log.all(); !slices.Equal(got, []string{"start", "answer", "stop", "start"}) {
		t.Errorf("happened: %v", got)
	}
}

// waitNotServing returns once health says so.
func waitNotServing(t *testing.T, stubs *sdktest.Stubs) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	changes, err := stubs.Health.Watch(ctx, &healthpb.HealthCheckRequest{})
	for err == nil {
		var change *healthpb.HealthCheckResponse
		if change, err = changes.Recv(); err == nil && change.Status == healthpb.HealthCheckResponse_NOT_SERVING {
			return
		}
	}
	t.Fatal(err)
}

func TestOtherOptionsEndAStartThatRuns(t *testing.T) {
	begun := make(chan struct{}, 1)
	plugin := &greeter{}
	plugin.start = func(ctx context.Context, _ sdk.Setup) error {
		if plugin.options.Times == 1 {
			begun <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	}
	stubs := sdktest.Serve(t, plugin.plugin())
	first := make(chan error)
	go func() {
		_, err := stubs.Configure(context.Background(), map[string]any{"times": 1})
		first <- err
	}()
	<-begun
	if _, err := stubs.Configure(t.Context(), map[string]any{"times": 2}); err != nil {
		t.Error(err)
	}
	wantStatus(t, <-first, codes.Aborted, "superseded by a Configure with other options")
}

func TestSetupTellsTheNameAndADirectoryThatIsThere(t *testing.T) {
	var setups []sdk.Setup
	plugin := &greeter{start: func(_ context.Context, setup sdk.Setup) error {
		setups = append(setups, setup)
		return os.WriteFile(filepath.Join(setup.DataDir, "kept"), nil, 0o600)
	}}
	stubs := sdktest.Serve(t, plugin.plugin())
	folder := filepath.Join(t.TempDir(), "a", "b")
	configure := func(request *pb.ConfigureRequest) {
		if _, err := stubs.Plugin.Configure(t.Context(), request); err != nil {
			t.Fatal(err)
		}
	}
	configure(&pb.ConfigureRequest{Name: "mine", DataDir: folder})
	times, _ := structpb.NewStruct(map[string]any{"times": 2})
	configure(&pb.ConfigureRequest{Config: times}) // what it does not say stays
	if want := (sdk.Setup{Name: "mine", DataDir: folder}); !slices.Equal(setups, []sdk.Setup{want, want}) {
		t.Errorf("got %v", setups)
	}
}

func TestStopLetsCallsEndAndDoesNotWaitForThoseWhoWatch(t *testing.T) {
	var log eventLog
	called, release := make(chan struct{}), make(chan struct{})
	plugin := &greeter{
		stop: func() { log.add("stop") },
		generate: func(context.Context, string) (string, error) {
			close(called)
			<-release
			log.add("answer")
			return "done", nil
		},
	}
	answered := make(chan string, 1)
	t.Run("served", func(t *testing.T) {
		stubs := sdktest.Run(t, plugin.plugin(), nil)
		watch, err := stubs.Health.Watch(context.Background(), &healthpb.HealthCheckRequest{})
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			response, _ := stubs.LLM.GenerateText(context.Background(), &pb.GenerateTextRequest{})
			answered <- response.GetText()
		}()
		<-called
		go func() {
			for change, err := watch.Recv(); err == nil; change, err = watch.Recv() {
				if change.Status == healthpb.HealthCheckResponse_NOT_SERVING {
					close(release)
				}
			}
		}()
	})
	if text := <-answered; text != "done" {
		t.Errorf("the call that was running got %q", text)
	}
	if got := log.all(); !slices.Equal(got, []string{"answer", "stop"}) {
		t.Errorf("happened: %v", got)
	}
}

func TestMessagesOf60MiBPass(t *testing.T) {
	stubs := sdktest.Run(t, (&greeter{}).plugin(), nil)
	prompt := strings.Repeat("x", 60<<20)
	if text, err := ask(t, stubs, prompt); err != nil || len(text) != len(prompt)+len("Hello, ") {
		t.Errorf("got %d bytes, %v", len(text), err)
	}
}
