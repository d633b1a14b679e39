package main

import (
	"context"
	"time"

	pb "hector.example/gen/go/hector/plugin/v1"
)

// recovered is what became of a host whose plugin was killed: how the next call ended and after how many seconds, and how
// long it took, by hand, until a client that was made anew had its answer.
type recovered struct {
	After   float64 `json:"after"`
	Outcome string  `json:"outcome"`
	Anew    float64 `json:"anew"`
}

func recovery(given arguments) (*recovered, error) {
	h, model, err := asked(given)
	if err != nil {
		return nil, err
	}
	killed := time.Now()
	if err := h.process.Process.Kill(); err != nil {
		return nil, err
	}
	result := &recovered{Outcome: "answered"}
	if _, err := ask(model, "Hello"); err != nil {
		result.Outcome = err.Error()
	}
	result.After = time.Since(killed).Seconds()
	if _, err := h.client.Client(); err == nil { // it does not start a second process
		if _, err := ask(model, "Hello"); err == nil {
			result.Outcome = "answered by the old client"
		}
	}
	h.client.Kill()
	again := time.Now()
	h, _, err = asked(given)
	if err != nil {
		return nil, err
	}
	result.Anew = time.Since(again).Seconds()
	h.client.Kill()
	return result, nil
}

// asked is a host whose plugin has answered once.
func asked(given arguments) (*host, pb.LLMProviderClient, error) {
	h := newHost(given)
	_, dispensed, err := h.dispense(context.Background())
	if err != nil {
		return nil, nil, err
	}
	model := pb.NewLLMProviderClient(dispensed.Conn)
	_, err = ask(model, "Hello")
	return h, model, err
}
