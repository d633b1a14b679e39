package sdk

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
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
	if tcp, err := overTCP(getenv); err != nil {
		return nil, release, err
	} else if tcp {
		listener, err = listenBetween(getenv("PLUGIN_MIN_PORT"), getenv("PLUGIN_MAX_PORT"))
		return listener, release, err
	}
	given := getenv("PLUGIN_UNIX_SOCKET_DIR") // the host's, and private
	folder := given
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
		return nil, release, err
	}
	if err = share(path, given == "", getenv("PLUGIN_UNIX_SOCKET_GROUP")); err != nil {
		_ = listener.Close()
		release()
	}
	return listener, release, err
}

// overTCP tells whether to listen on a port of the loopback, and not on a unix socket.
func overTCP(getenv func(string) string) (bool, error) {
	if getenv("HECTOR_TRANSPORT") != "tcp" {
		return runtime.GOOS == "windows", nil
	}
	if getenv("PLUGIN_CLIENT_CERT") == "" {
		return false, errors.New("HECTOR_TRANSPORT is tcp, and PLUGIN_CLIENT_CERT is missing\n" +
			"  Without a certificate of the host every user of this machine could call the plugin.")
	}
	return true, nil
}

// share lets a group, by name or number, use the socket: the host may be another user. The folder is opened to it too where
// it is this process's own; the host's is as the host wants it.
func share(path string, ownFolder bool, name string) error {
	if name == "" {
		return nil
	}
	identity, err := strconv.Atoi(name)
	if err != nil {
		group, unknown := user.LookupGroup(name)
		if unknown != nil {
			return fmt.Errorf("PLUGIN_UNIX_SOCKET_GROUP is %s, and there is no such group", name)
		}
		if identity, err = strconv.Atoi(group.Gid); err != nil {
			return fmt.Errorf("the group %s has no number: %s", name, group.Gid)
		}
	}
	err = errors.Join(os.Chown(path, -1, identity), os.Chmod(path, 0o660))
	if ownFolder {
		err = errors.Join(err, os.Chown(filepath.Dir(path), -1, identity), os.Chmod(filepath.Dir(path), 0o710))
	}
	var cause syscall.Errno
	if errors.As(err, &cause) {
		return fmt.Errorf("cannot let the group %s use the socket: %w", name, cause)
	}
	return err
}

// listenBetween takes a free port on the loopback; without bounds, any. It looks from anywhere between them, since plugins
// that start together would try the same.
func listenBetween(lowest, highest string) (net.Listener, error) {
	low, lowErr := strconv.Atoi(lowest)
	high, highErr := strconv.Atoi(highest)
	if lowErr != nil || highErr != nil {
		return net.Listen("tcp", "127.0.0.1:0")
	}
	number := high - low + 1
	for step, first := 0, rand.IntN(max(number, 1)); step < number; step++ {
		port := low + (first+step)%number
		if listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			return listener, nil
		}
	}
	return nil, fmt.Errorf("no port between %d and %d is free", low, high)
}
