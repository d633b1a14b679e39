package sdk

import "os"

// handshakeOutput is the standard output that the host reads; nil when no host launched this process. It is taken when
// this package loads, the one moment that comes before a plugin's own code: whatever that prints goes to standard error,
// because one line too early would break the handshake.
var handshakeOutput = takeOver()

func takeOver() *os.File {
	if os.Getenv(cookieKey) != cookieValue {
		return nil
	}
	_ = os.Unsetenv(cookieKey) // programs that this one starts are nobody's plugins
	kept := os.Stdout
	os.Stdout = os.Stderr
	return kept
}
