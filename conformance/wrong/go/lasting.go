package main

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// lasting is what faults do that outlast a call: they fail the next call when a caller leaves, mix up what is asked at
// the same time, or cannot start again after they were killed at work.
type lasting struct {
	wedged atomic.Bool
	broken bool
	mutex  sync.Mutex
	last   string
}

func newLasting() *lasting {
	_, err := os.Stat(filepath.Join(data, "busy"))
	return &lasting{broken: err == nil}
}

// work does what the fault says while a call is in flight.
//
// cancelled, late, killed: the faults that they mean; size: of the input.
func (l *lasting) work(ctx context.Context, cancelled, late, killed string) error {
	if l.broken {
		return status.Error(codes.Internal, "was killed at work")
	}
	if has(killed) {
		_ = os.WriteFile(filepath.Join(data, "busy"), nil, 0o600)
		time.Sleep(100 * time.Millisecond)
	}
	if has(cancelled, late) {
		end, bounded := ctx.Deadline()
		soon := bounded && time.Until(end) < time.Second
		select {
		case <-ctx.Done():
			if has(late) && soon || has(cancelled) && !bounded {
				l.wedged.Store(true)
			}
		case <-time.After(100 * time.Millisecond): // those that were left have noticed by then
			if l.wedged.Swap(false) {
				return status.Error(codes.Internal, "somebody left")
			}
		}
	}
	return nil
}

// heard gives back what was said, or what another call said meanwhile.
func (l *lasting) heard(said, mixed string) string {
	if !has(mixed) {
		return said
	}
	l.mutex.Lock()
	l.last = said
	l.mutex.Unlock()
	time.Sleep(10 * time.Millisecond)
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.last
}

// large ends the process for input of some MiB, and fails for more.
func large(size int, some, more string) error {
	if has(some) && size > 4<<20 && size < 32<<20 {
		os.Exit(3)
	}
	if has(more) && size > 32<<20 {
		return status.Error(codes.Internal, "too much")
	}
	return nil
}
