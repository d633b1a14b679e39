// Wrong is a plugin on raw gRPC that keeps every promise of a language model and of tools but one: the case of the
// conformance suite that its option `fault` names. Without a fault it is right.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	pb "hector.example/gen/go/hector/plugin/v1"
)

const largest = 65 << 20

var (
	fault string
	data  string
)

// has tells whether the fault is one of these.
func has(names ...string) bool {
	for _, name := range names {
		if fault == name {
			return true
		}
	}
	return false
}

func main() {
	options := os.Getenv("HECTOR_PLUGIN_CONFIG")
	arguments := map[string]string{}
	for i := 1; i+1 < len(os.Args); i += 2 {
		arguments[os.Args[i]] = os.Args[i+1]
	}
	if given, ok := arguments["--config"]; ok {
		options = given
	}
	read := struct{ Fault string }{}
	_ = json.Unmarshal([]byte(options), &read)
	fault, data = read.Fault, os.Getenv("HECTOR_PLUGIN_DATA_DIR")
	if address, ok := arguments["--health"]; ok {
		os.Exit(healthOf(address))
	}
	if address, ok := arguments["--listen"]; ok {
		data = arguments["--data-dir"]
		serve(strings.TrimPrefix(address, "unix:"), false)
	} else if os.Getenv("HECTOR_PLUGIN") != "hector_plugin_v1" {
		if _, err := os.Stat("stubborn"); err == nil { // it gets no options by hand
			time.Sleep(time.Minute)
		}
		fmt.Fprintln(os.Stderr, "wrong is a Hector plugin")
		os.Exit(1)
	} else {
		serve(filepath.Join(os.Getenv("PLUGIN_UNIX_SOCKET_DIR"), "wrong"), true)
	}
}

func healthOf(address string) int {
	if _, err := os.Stat("unwell"); err == nil {
		return 1
	}
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return 1
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	if _, err = grpc_health_v1.NewHealthClient(connection).Check(ctx, &grpc_health_v1.HealthCheckRequest{}); err != nil {
		return 1
	}
	return 0
}

func serve(path string, launched bool) {
	if has("plugin.starts_again_after_kill") {
		if _, err := os.OpenFile(filepath.Join(data, "lock"), os.O_CREATE|os.O_EXCL, 0o600); err != nil {
			fmt.Fprintln(os.Stderr, "wrong: its data directory is locked")
			os.Exit(1)
		}
	}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM)
	go func() {
		<-ended
		if !has("launch.sigterm_ends_it") {
			os.Exit(0)
		}
	}()
	listener, err := net.Listen("unix", path)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(largest), grpc.MaxSendMsgSize(largest), grpc.UnknownServiceHandler(unknown))
	pb.RegisterPluginServer(server, &plugin{})
	pb.RegisterLLMProviderServer(server, &model{lasting: newLasting()})
	pb.RegisterToolProviderServer(server, &tools{lasting: newLasting()})
	grpc_health_v1.RegisterHealthServer(server, &health{})
	server.RegisterService(&controller, nil)
	if has("launch.nothing_is_left_of_it") {
		child := exec.Command("sleep", "60")
		child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		_ = child.Start()
	}
	if launched {
		fmt.Printf("1|1|unix|%s|grpc|\n", path)
		go endWithHost()
	}
	_ = server.Serve(listener)
}

// endWithHost ends the process when nobody reads its standard output any more.
func endWithHost() {
	for {
		time.Sleep(100 * time.Millisecond)
		if _, err := os.Stdout.Write([]byte("\n")); err != nil {
			os.Exit(0)
		}
	}
}
