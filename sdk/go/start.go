package sdk

import (
	"context"
	"sync/atomic"

	"google.golang.org/protobuf/types/known/structpb"
)

// start is one attempt to make the plugin ready with some options.
type start struct {
	setup   Setup
	options *structpb.Struct
	cancel  context.CancelFunc
	done    chan struct{}
	err     error // valid once done is closed
	told    atomic.Bool
}

// refused is a start that never began.
func refused(err error) *start {
	done := make(chan struct{})
	close(done)
	return &start{done: done, err: err}
}

// wait gives the outcome of the start.
func (s *start) wait(ctx context.Context) error {
	select {
	case <-s.done:
		s.told.Store(true)
		return asStatus(s.err)
	case <-ctx.Done():
		return asStatus(ctx.Err())
	}
}

// abandon tells a start that is still running to give up. What one that succeeded holds lives on until Stop.
func (s *start) abandon() {
	select {
	case <-s.done:
	default:
		s.cancel()
	}
}

// over tells whether the start has failed, and somebody knows.
func (s *start) over() bool {
	select {
	case <-s.done:
		return s.err != nil && s.told.Load()
	default:
		return false
	}
}
