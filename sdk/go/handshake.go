package sdk

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
)

// The launch protocol is HashiCorp go-plugin's, version 1: a cookie in the environment, a listener of the plugin's own
// choice, and one line on standard output that names it.
const (
	cookieKey       = "HECTOR_PLUGIN"
	cookieValue     = "hector_plugin_v1"
	protocolVersion = 1
)

// launched tells whether a host started this process.
func launched(getenv func(string) string) bool {
	return getenv(cookieKey) == cookieValue
}

// handshakeLine tells the host where the plugin listens. certificate is empty without mutual TLS.
func handshakeLine(address net.Addr, certificate string, getenv func(string) string) string {
	line := fmt.Sprintf("1|%d|%s|%s|grpc|%s", protocolVersion, address.Network(), address.String(), certificate)
	if getenv("PLUGIN_MULTIPLEX_GRPC") != "" {
		line += "|false" // older hosts cannot read a seventh field, so it answers only those that ask
	}
	return line + "\n"
}

// listenForHost listens where a host on this machine alone can reach it; close releases all of it.
func listenForHost(getenv func(string) string) (listener net.Listener, release func(), err error) {
	if runtime.GOOS == "windows" {
		listener, err = listenBetween(getenv("PLUGIN_MIN_PORT"), getenv("PLUGIN_MAX_PORT"))
		return listener, func() {}, err
	}
	folder, err := os.MkdirTemp(getenv("PLUGIN_UNIX_SOCKET_DIR"), "plugin") // 0700
	if err != nil {
		return nil, nil, err
	}
	release = func() { _ = os.RemoveAll(folder) }
	listener, err = net.Listen("unix", filepath.Join(folder, "s"))
	if err != nil {
		release()
		return nil, nil, fmt.Errorf("%w\n  A socket's path has at most 107 bytes (103 on macOS): give a shorter PLUGIN_UNIX_SOCKET_DIR or TMPDIR", err)
	}
	return listener, release, nil
}

// listenBetween takes the first free port on the loopback; without bounds, any.
func listenBetween(lowest, highest string) (net.Listener, error) {
	low, lowErr := strconv.Atoi(lowest)
	high, highErr := strconv.Atoi(highest)
	if lowErr != nil || highErr != nil {
		return net.Listen("tcp", "127.0.0.1:0")
	}
	for port := low; port <= high; port++ {
		if listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			return listener, nil
		}
	}
	return nil, fmt.Errorf("no port between %d and %d is free", low, high)
}
