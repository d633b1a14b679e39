//go:build unix

package sdk

import (
	"errors"
	"log/slog"
	"os"

	"golang.org/x/sys/unix"
)

// stopWithoutHost stops the server when the host is gone: it reads standard output as long as it lives, however it dies.
func stopWithoutHost(server *Server, output *os.File) {
	if info, err := output.Stat(); err != nil || info.Mode()&os.ModeNamedPipe == 0 {
		return
	}
	go func() {
		if err := awaitNoReader(output.Fd()); err != nil {
			slog.Warn("cannot tell whether the host lives", "error", err)
			return
		}
		server.requestStop()
	}()
}

// awaitNoReader returns once nobody can read what is written to a pipe.
func awaitNoReader(pipe uintptr) error {
	// Broken pipes are told unasked, but macOS tells nothing to who asks for nothing.
	watched := []unix.PollFd{{Fd: int32(pipe), Events: unix.POLLHUP}}
	for {
		if _, err := unix.Poll(watched, -1); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
