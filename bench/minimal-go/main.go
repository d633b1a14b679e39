// The least that a Go plugin can be: a gRPC server on a unix socket that prints go-plugin's handshake.
package main

import (
	"fmt"
	"log"
	"net"
	"os"
	"path/filepath"

	"google.golang.org/grpc"
)

func main() {
	path := filepath.Join(os.Getenv("PLUGIN_UNIX_SOCKET_DIR"), "plugin")
	listener, err := net.Listen("unix", path)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("1|1|unix|%s|grpc\n", path)
	if err := grpc.NewServer().Serve(listener); err != nil {
		log.Fatal(err)
	}
}
