//go:build unix

package sdk_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/emptypb"
)

// opened are the streams that a host made with go-plugin opens beside the calls.
func opened(t *testing.T, conn *grpc.ClientConn) []grpc.ClientStream {
	t.Helper()
	both := &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}
	broker, err := conn.NewStream(t.Context(), both, "/plugin.GRPCBroker/StartStream")
	if err != nil {
		t.Fatal(err)
	}
	stdio, err := conn.NewStream(t.Context(), &grpc.StreamDesc{ServerStreams: true}, "/plugin.GRPCStdio/StreamStdio")
	if err == nil {
		err = errors.Join(stdio.SendMsg(&emptypb.Empty{}), stdio.CloseSend())
	}
	if err != nil {
		t.Fatal(err)
	}
	return []grpc.ClientStream{broker, stdio}
}

func TestTheStreamsOfGoPluginStayOpenAndSilentUntilTheHostEndsTheProcess(t *testing.T) {
	c, line := launch(t, "HECTOR_PLUGIN_CONFIG={}")
	conn := dial(t, "unix:"+line[3], insecure.NewCredentials())
	waitServing(t, conn)
	streams := opened(t, conn)
	ends := make(chan error, len(streams))
	for _, stream := range streams {
		go func() { ends <- stream.RecvMsg(&emptypb.Empty{}) }()
	}
	for range 1000 {
		if err := streams[0].SendMsg(&emptypb.Empty{}); err != nil { // read at once, or this would wait for ever
			t.Fatal(err)
		}
	}
	waitServing(t, conn)
	select {
	case err := <-ends:
		t.Errorf("a stream ended: %v", err)
	default:
	}
	if err := conn.Invoke(t.Context(), "/plugin.GRPCController/Shutdown", &emptypb.Empty{}, &emptypb.Empty{}); err != nil {
		t.Error(err)
	}
	for range streams {
		if err := <-ends; !errors.Is(err, io.EOF) {
			t.Errorf("a stream ended with %v", err)
		}
	}
	if status := c.exit(); status != 0 {
		t.Errorf("exit status %d\n%s", status, &c.stderr)
	}
}

func TestAGroupMayUseTheSocket(t *testing.T) {
	group := os.Getgid()
	if groups, err := os.Getgroups(); err == nil && len(groups) > 0 {
		group = groups[len(groups)-1]
	}
	for name, environment := range map[string][]string{
		"its own folder":    {},
		"the host's folder": {"PLUGIN_UNIX_SOCKET_DIR=" + short(t)},
	} {
		t.Run(name, func(t *testing.T) {
			_, line := launch(t, append(environment, "PLUGIN_UNIX_SOCKET_GROUP="+strconv.Itoa(group))...)
			socket, err := os.Stat(line[3])
			if err != nil || socket.Mode().Perm() != 0o660 {
				t.Errorf("%v, %v", socket.Mode(), err)
			}
			want := os.FileMode(0o710)
			if len(environment) > 0 {
				want = 0o700
			}
			if folder, err := os.Stat(filepath.Dir(line[3])); err != nil || folder.Mode().Perm() != want {
				t.Errorf("%v, %v", folder.Mode(), err)
			}
		})
	}
}

func TestOnAPortAHostIsLetInByItsCertificateAlone(t *testing.T) {
	certificate, pemText := hostCertificate(t)
	_, line := launch(t, "HECTOR_TRANSPORT=tcp", "PLUGIN_CLIENT_CERT="+pemText, "PLUGIN_MIN_PORT=10000",
		"PLUGIN_MAX_PORT=25000", "HECTOR_PLUGIN_CONFIG={}")
	host, port, err := net.SplitHostPort(line[3])
	number, _ := strconv.Atoi(port)
	if err != nil || line[2] != "tcp" || host != "127.0.0.1" || number < 10000 || number > 25000 {
		t.Fatalf("handshake: %q", line)
	}
	der, err := base64.RawStdEncoding.DecodeString(line[5])
	if err != nil {
		t.Fatal(err)
	}
	own, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	plugins := x509.NewCertPool()
	plugins.AddCert(own)
	security := &tls.Config{Certificates: []tls.Certificate{certificate}, RootCAs: plugins, ServerName: "localhost"}
	waitServing(t, dial(t, line[3], credentials.NewTLS(security)))
	if err := dial(t, line[3], insecure.NewCredentials()).Invoke(
		t.Context(), "/plugin.GRPCController/Shutdown", &emptypb.Empty{}, &emptypb.Empty{}); err == nil {
		t.Error("a stranger was let in")
	}
}

func TestWhatWouldNotBeSafeOrIsNotThereEndsTheProcess(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	_, pemText := hostCertificate(t)
	for name, test := range map[string]struct {
		environment []string
		want        string
	}{
		"no certificate": {[]string{"HECTOR_TRANSPORT=tcp"}, "HECTOR_TRANSPORT is tcp, and PLUGIN_CLIENT_CERT is missing\n" +
			"  Without a certificate of the host every user of this machine could call the plugin."},
		"no port": {
			[]string{"HECTOR_TRANSPORT=tcp", "PLUGIN_CLIENT_CERT=" + pemText, "PLUGIN_MIN_PORT=" + port, "PLUGIN_MAX_PORT=" + port},
			fmt.Sprintf("no port between %s and %s is free", port, port),
		},
		"no group": {
			[]string{"PLUGIN_UNIX_SOCKET_GROUP=nobody-s own"},
			"PLUGIN_UNIX_SOCKET_GROUP is nobody-s own, and there is no such group",
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := start(t, nil, append(test.environment, "HECTOR_PLUGIN=hector_plugin_v1")...)
			if status := c.exit(); status != 1 {
				t.Errorf("exit status %d", status)
			}
			said := strings.TrimPrefix(c.stderr.String(), "a word too early\n")
			if !regexp.MustCompile("^greeter: " + regexp.QuoteMeta(test.want) + "\n$").MatchString(said) {
				t.Errorf("said %q", said)
			}
		})
	}
}
