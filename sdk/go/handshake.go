package sdk

import (
	"fmt"
	"math/rand/v2"
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

// handshakeLine tells the host where the plugin listens. certificate is empty without mutual TLS.
func handshakeLine(address net.Addr, certificate string, getenv func(string) string) string {
	line := fmt.Sprintf("1|%d|%s|%s|grpc|%s", protocolVersion, address.Network(), address.String(), certificate)
	if getenv("PLUGIN_MULTIPLEX_GRPC") != "" {
		line += "|false" // older hosts cannot read a seventh field, so it answers only those that ask
	}
	return line + "\n"
}

// longestPath is in bytes; systems allow 104 to 108, the closing zero included.
const longestPath = 100

// listenForHost listens where a host on this machine alone can reach it; release removes what it left on disk.
func listenForHost(getenv func(string) string) (listener net.Listener, release func(), err error) {
	release = func() {}
	if runtime.GOOS == "windows" {
		listener, err = listenBetween(getenv("PLUGIN_MIN_PORT"), getenv("PLUGIN_MAX_PORT"))
		return listener, release, err
	}
	folder := getenv("PLUGIN_UNIX_SOCKET_DIR") // the host's, and private
	if folder == "" {
		if folder, err = os.MkdirTemp("", "plugin"); err != nil {
			return nil, release, err
		}
		release = func() { _ = os.RemoveAll(folder) }
	}
	path := filepath.Join(folder, fmt.Sprintf("plugin%d-%08x", os.Getpid(), rand.Uint32()))
	if len(path) > longestPath {
		release()
		return nil, release, fmt.Errorf("the socket's path would be longer than %d bytes: %s\n"+
			"  Point PLUGIN_UNIX_SOCKET_DIR at a shorter directory.", longestPath, path)
	}
	if listener, err = net.Listen("unix", path); err != nil {
		release()
	}
	return listener, release, err
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
