package sdk

import "sync"

// gate lets calls in while the plugin is ready, and knows when the last one left: options change and providers stop only
// while nobody uses them.
type gate struct {
	mu     sync.Mutex
	reason error // why calls are refused; nil while they are let in
	calls  int
	idle   chan struct{} // closed when calls reaches 0; nil unless somebody waits
}

func (g *gate) enter() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.reason != nil {
		return g.reason
	}
	g.calls++
	return nil
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.calls--
	if g.calls == 0 && g.idle != nil {
		close(g.idle)
		g.idle = nil
	}
}

// shut refuses new calls with reason; the channel closes when those inside have left.
func (g *gate) shut(reason error) <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.reason = reason
	if g.idle != nil {
		return g.idle
	}
	idle := make(chan struct{})
	if g.calls == 0 {
		close(idle)
	} else {
		g.idle = idle
	}
	return idle
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.reason = nil
}
