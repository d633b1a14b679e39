//go:build unix

package sdk_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
	pb "hector.example/gen/go/hector/plugin/v1"
	"hector.example/sdk"
)

// TestMain makes this test's executable a plugin too, when a test starts it as one.
func TestMain(m *testing.M) {
	if os.Getenv("SERVE_GREETER") == "" {
		os.Exit(m.Run())
	}
	fmt.Println("a word too early")
	plugin := &greeter{}
	plugin.start = func(context.Context, sdk.Setup) error {
		fmt.Println("a word too many")
		if plugin.options.Times < 0 {
			return sdk.InvalidOption("times", "is less than 0")
		}
		slog.Info("started", "times", plugin.options.Times)
		return nil
	}
	plugin.stop = func() { slog.Info("stopped") }
	plugin.generate = func(_ context.Context, prompt string) (string, error) {
		if prompt == "for ever" {
			slog.Info("called")
			select {}
		}
		return plugin.options.Greeting + prompt, nil
	}
	sdk.Serve(plugin.plugin())
}

// child is a greeter in a process of its own.
type child struct {
	*exec.Cmd
	pipe   io.Closer
	stdout *bufio.Reader
	stderr bytes.Buffer
}

func start(t *testing.T, arguments []string, environment ...string) *child {
	t.Helper()
	c := &child{Cmd: exec.Command(os.Args[0], arguments...)}
	c.Env = append(environment, "SERVE_GREETER=1", "TMPDIR="+short(t))
	c.Stderr = &c.stderr
	stdout, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.pipe, c.stdout = stdout, bufio.NewReader(stdout)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	return c
}

// launch starts it as a host does, and gives the fields of its handshake line.
func launch(t *testing.T, environment ...string) (*child, []string) {
	t.Helper()
	c := start(t, nil, append(environment, "HECTOR_PLUGIN=hector_plugin_v1", "PLUGIN_PROTOCOL_VERSIONS=1")...)
	line, err := c.stdout.ReadString('\n')
	if err != nil {
		_ = c.Wait()
		t.Fatalf("no handshake: %v\n%s", err, &c.stderr)
	}
	return c, strings.Split(strings.TrimSuffix(line, "\n"), "|")
}

// short is a folder whose name leaves room for a socket's.
func short(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("/tmp", "h")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	return folder
}

func dial(t *testing.T, address string, security credentials.TransportCredentials) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(security))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// waitServing returns once health says so, and fails the test if that takes long.
func waitServing(t *testing.T, conn *grpc.ClientConn) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	changes, err := healthpb.NewHealthClient(conn).Watch(ctx, &healthpb.HealthCheckRequest{}, grpc.WaitForReady(true))
	for err == nil {
		var change *healthpb.HealthCheckResponse
		if change, err = changes.Recv(); err == nil && change.Status == healthpb.HealthCheckResponse_SERVING {
			return
		}
	}
	t.Fatal(err)
}

// exit waits for the end and gives the exit status.
func (c *child) exit() int {
	_, _ = io.Copy(io.Discard, c.stdout)
	_ = c.Wait()
	return c.ProcessState.ExitCode()
}

func entries(t *testing.T, folder string) []string {
	t.Helper()
	found, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	names := make([]string, len(found))
	for i, entry := range found {
		names[i] = entry.Name()
	}
	return names
}

func TestALaunchedPluginShakesHandsAndServes(t *testing.T) {
	folder := short(t)
	c, line := launch(t, "PLUGIN_UNIX_SOCKET_DIR="+folder, `HECTOR_PLUGIN_CONFIG={"greeting": "Hi "}`)
	if want := []string{"1", "1", "unix", line[3], "grpc", ""}; !slices.Equal(line, want) || filepath.Dir(line[3]) != folder {
		t.Errorf("handshake: %q", line)
	}
	conn := dial(t, "unix:"+line[3], insecure.NewCredentials())
	waitServing(t, conn)
	response, err := pb.NewLLMProviderClient(conn).GenerateText(t.Context(), &pb.GenerateTextRequest{Prompt: "Ada"})
	if err != nil || response.Text != "Hi Ada" {
		t.Errorf("got %v, %v", response, err)
	}

	_ = c.Process.Signal(os.Interrupt) // Ctrl-C is the host's to answer
	_, err = healthpb.NewHealthClient(conn).Check(t.Context(), &healthpb.HealthCheckRequest{})
	if err != nil {
		t.Errorf("after Ctrl-C: %v", err)
	}
	_ = c.Process.Signal(syscall.SIGTERM)
	if status := c.exit(); status != 0 {
		t.Errorf("exit status %d\n%s", status, &c.stderr)
	}
	if left := entries(t, folder); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	for _, words := range []string{"a word too early\n", "a word too many\n"} {
		if !strings.Contains(c.stderr.String(), words) {
			t.Errorf("not on stderr: %q", words)
		}
	}
}

func TestItEndsWithItsHost(t *testing.T) {
	folder := short(t)
	c, line := launch(t, "PLUGIN_UNIX_SOCKET_DIR="+folder, "HECTOR_PLUGIN_CONFIG={}")
	waitServing(t, dial(t, "unix:"+line[3], insecure.NewCredentials()))
	_ = c.pipe.Close() // as when the host is killed
	if status := c.exit(); status != 0 || !strings.Contains(c.stderr.String(), `"stopped"`) {
		t.Errorf("exit status %d\n%s", status, &c.stderr)
	}
	if left := entries(t, folder); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestWithoutADirectoryOfTheHostsItMakesAPrivateOne(t *testing.T) {
	c, line := launch(t)
	folder := filepath.Dir(line[3])
	info, err := os.Stat(folder)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	_ = c.Process.Signal(syscall.SIGTERM)
	c.exit()
	if left := entries(t, filepath.Dir(folder)); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestHostsThatAskForMultiplexingAreTold(t *testing.T) {
	_, line := launch(t, "PLUGIN_MULTIPLEX_GRPC=true")
	if len(line) != 7 || line[6] != "false" {
		t.Errorf("handshake: %q", line)
	}
}

func TestWithoutOptionsInTheEnvironmentConfigureFollows(t *testing.T) {
	_, line := launch(t)
	conn := dial(t, "unix:"+line[3], insecure.NewCredentials())
	_, err := pb.NewLLMProviderClient(conn).GenerateText(t.Context(), &pb.GenerateTextRequest{})
	wantStatus(t, err, codes.FailedPrecondition, "the plugin is not configured: call Plugin.Configure first")
	config, _ := structpb.NewStruct(map[string]any{"greeting": "Yo "})
	if _, err := pb.NewPluginClient(conn).Configure(t.Context(), &pb.ConfigureRequest{Config: config}); err != nil {
		t.Error(err)
	}
}

func TestConfigureTellsWhyTheOptionsOfTheEnvironmentFailed(t *testing.T) {
	c, line := launch(t, `HECTOR_PLUGIN_CONFIG={"times": -1}`)
	conn := dial(t, "unix:"+line[3], insecure.NewCredentials())
	config, _ := structpb.NewStruct(map[string]any{"times": -1})
	_, err := pb.NewPluginClient(conn).Configure(t.Context(), &pb.ConfigureRequest{Config: config})
	wantStatus(t, err, codes.InvalidArgument, "times: is less than 0")
	_ = c.Process.Signal(syscall.SIGTERM)
	c.exit()
	if count := strings.Count(c.stderr.String(), `"cannot start"`); count != 1 {
		t.Errorf("started %d times\n%s", count, &c.stderr)
	}
}

func TestShutdownOfGoPluginEndsTheProcess(t *testing.T) {
	c, line := launch(t, "HECTOR_PLUGIN_CONFIG={}")
	conn := dial(t, "unix:"+line[3], insecure.NewCredentials())
	waitServing(t, conn)
	if err := conn.Invoke(t.Context(), "/plugin.GRPCController/Shutdown", &emptypb.Empty{}, &emptypb.Empty{}); err != nil {
		t.Error(err)
	}
	if status := c.exit(); status != 0 {
		t.Errorf("exit status %d\n%s", status, &c.stderr)
	}
	if !strings.Contains(c.stderr.String(), `"@message":"stopped"`) {
		t.Errorf("Stop was not called\n%s", &c.stderr)
	}
}

func TestACallThatNeverEndsDoesNotHoldTheProcess(t *testing.T) {
	folder := short(t)
	c, line := launch(t, "PLUGIN_UNIX_SOCKET_DIR="+folder, "HECTOR_PLUGIN_CONFIG={}")
	conn := dial(t, "unix:"+line[3], insecure.NewCredentials())
	waitServing(t, conn)
	stream, err := pb.NewLLMProviderClient(conn).StreamText(t.Context(), &pb.StreamTextRequest{Prompt: "for ever"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Header(); err != nil { // sent before the handler goes on for ever
		t.Fatal(err)
	}
	_ = c.Process.Signal(syscall.SIGTERM)
	if status := c.exit(); status != 0 {
		t.Errorf("exit status %d\n%s", status, &c.stderr)
	}
	if left := entries(t, folder); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	if !strings.Contains(c.stderr.String(), `"@message":"stopped while work was going on"`) {
		t.Errorf("nobody was told\n%s", &c.stderr)
	}
}

func TestLogsAreLinesThatHostsUnderstand(t *testing.T) {
	c, line := launch(t, `HECTOR_PLUGIN_CONFIG={"times": 3}`)
	waitServing(t, dial(t, "unix:"+line[3], insecure.NewCredentials()))
	_ = c.Process.Signal(syscall.SIGTERM)
	c.exit()
	for _, text := range strings.Split(c.stderr.String(), "\n") {
		record := map[string]any{}
		if json.Unmarshal([]byte(text), &record) != nil || record["@message"] != "started" {
			continue
		}
		stamp, _ := record["@timestamp"].(string)
		if !regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d)$`).MatchString(stamp) {
			t.Errorf("timestamp %q", stamp)
		}
		if record["@level"] != "info" || record["@module"] != "greeter" || record["times"] != 3.0 {
			t.Errorf("record %v", record)
		}
		return
	}
	t.Errorf("no such record in\n%s", &c.stderr)
}

func TestAProcessThatCannotServeSaysWhy(t *testing.T) {
	long := filepath.Join(short(t), strings.Repeat("x", 100))
	if err := os.Mkdir(long, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		environment string
		want        string
	}{
		"options": {"HECTOR_PLUGIN_CONFIG=[1]", `^greeter: HECTOR_PLUGIN_CONFIG is not a JSON object\n$`},
		"socket": {"PLUGIN_UNIX_SOCKET_DIR=" + long, `^greeter: the socket's path would be longer than 100 bytes: ` + long +
			`/plugin\d+-\w{8}\n  Point PLUGIN_UNIX_SOCKET_DIR at a shorter directory\.\n$`},
		"certificate": {"PLUGIN_CLIENT_CERT=none", `^greeter: PLUGIN_CLIENT_CERT holds no certificate\n$`},
	} {
		t.Run(name, func(t *testing.T) {
			c := start(t, nil, "HECTOR_PLUGIN=hector_plugin_v1", test.environment)
			if status := c.exit(); status != 1 {
				t.Errorf("exit status %d", status)
			}
			said := strings.TrimPrefix(c.stderr.String(), "a word too early\n")
			if !regexp.MustCompile(test.want).MatchString(said) {
				t.Errorf("said %q", said)
			}
		})
	}
}

func TestMutualTLSLetsTheHostInAlone(t *testing.T) {
	certificate, pemText := hostCertificate(t)
	c, line := launch(t, "PLUGIN_CLIENT_CERT="+pemText, "HECTOR_PLUGIN_CONFIG={}")
	der, err := base64.RawStdEncoding.DecodeString(line[5])
	if err != nil {
		t.Fatal(err)
	}
	plugins := x509.NewCertPool()
	own, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	plugins.AddCert(own)
	host := &tls.Config{Certificates: []tls.Certificate{certificate}, RootCAs: plugins, ServerName: "localhost"}
	waitServing(t, dial(t, "unix:"+line[3], credentials.NewTLS(host)))

	for _, stranger := range []credentials.TransportCredentials{
		insecure.NewCredentials(), credentials.NewTLS(&tls.Config{RootCAs: plugins, ServerName: "localhost"}),
	} {
		conn := dial(t, "unix:"+line[3], stranger)
		_, err := healthpb.NewHealthClient(conn).Check(t.Context(), &healthpb.HealthCheckRequest{})
		if err == nil {
			t.Error("a stranger was let in")
		}
	}
	_ = c.Process.Signal(syscall.SIGTERM)
	if status := c.exit(); status != 0 {
		t.Errorf("exit status %d\n%s", status, &c.stderr)
	}
}

// hostCertificate is one like a stock go-plugin host's, on its curve.
func hostCertificate(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, string(text)
}
