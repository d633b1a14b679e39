package sdk

import "os"

// handshakeTo is the standard output that the host reads. From the moment this package loads in a launched process,
// whatever else is printed goes to standard error: one line too early would break the handshake.
var handshakeTo = claimStdout()

func claimStdout() *os.File {
	stdout := os.Stdout
	if launched(os.Getenv) {
		os.Stdout = os.Stderr
	}
	return stdout
}
