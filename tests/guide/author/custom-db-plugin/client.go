package main

import (
	"fmt"
	"math"
	"sort"
	"sync"

	"google.golang.org/protobuf/types/known/structpb"
)

// CustomVector is a vector as the custom database keeps it.
type CustomVector struct {
	ID       string
	Vector   []float32
	Metadata *structpb.Struct
}

// CustomResult is a vector that a search found.
type CustomResult struct {
	ID       string
	Score    float32
	Metadata *structpb.Struct
}

// CustomDBClient is the custom database itself: it lives in this process and dies with it.
type CustomDBClient struct {
	mu          sync.Mutex
	collections map[string]*collection
}

type collection struct {
	dimension int32
	vectors   map[string]*CustomVector
}

// NewCustomDBClient connects to nothing, whatever the address.
func NewCustomDBClient(address string) *CustomDBClient {
	return &CustomDBClient{collections: map[string]*collection{}}
}

// CreateCollection succeeds when the collection is there with the same dimension.
func (c *CustomDBClient) CreateCollection(name string, dimension int32) error {
	if name == "" || dimension < 1 {
		return fmt.Errorf("collection %q cannot have dimension %d", name, dimension)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if there, ok := c.collections[name]; ok {
		if there.dimension != dimension {
			return fmt.Errorf("collection %s has dimension %d, not %d", name, there.dimension, dimension)
		}
		return nil
	}
	c.collections[name] = &collection{dimension, map[string]*CustomVector{}}
	return nil
}

// UpsertVectors adds all or none.
func (c *CustomDBClient) UpsertVectors(name string, vectors []*CustomVector) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	into, err := c.find(name)
	if err != nil {
		return err
	}
	for _, vector := range vectors {
		if len(vector.Vector) != int(into.dimension) {
			return fmt.Errorf("vector %s has dimension %d, not %d", vector.ID, len(vector.Vector), into.dimension)
		}
		if len(vector.ID) == 0 || len(vector.ID) > 512 || !finite(vector.Vector) {
			return fmt.Errorf("vector %.80q has a bad id, or a number that is not finite", vector.ID)
		}
	}
	for _, vector := range vectors {
		into.vectors[vector.ID] = vector
	}
	return nil
}

// SearchVectors gives the nearest by cosine, best first; a threshold of 0 bounds nothing.
func (c *CustomDBClient) SearchVectors(name string, query []float32, limit int32, threshold float32) ([]CustomResult, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	in, err := c.find(name)
	if err != nil {
		return nil, err
	}
	if len(query) != int(in.dimension) || !finite(query) || limit < 1 {
		return nil, fmt.Errorf("cannot find %d vectors by one of dimension %d", limit, len(query))
	}
	results := []CustomResult{}
	for _, vector := range in.vectors {
		score := cosine(query, vector.Vector)
		if threshold == 0 || score >= threshold {
			results = append(results, CustomResult{vector.ID, score, vector.Metadata})
		}
	}
	sort.Slice(results, func(i, j int) bool {
		if results[i].Score != results[j].Score {
			return results[i].Score > results[j].Score
		}
		return results[i].ID < results[j].ID
	})
	return results[:min(len(results), int(limit))], nil
}

func (c *CustomDBClient) find(name string) (*collection, error) {
	if there, ok := c.collections[name]; ok {
		return there, nil
	}
	return nil, fmt.Errorf("there is no collection %s", name)
}

func finite(vector []float32) bool {
	for _, value := range vector {
		if math.IsNaN(float64(value)) || math.IsInf(float64(value), 0) {
			return false
		}
	}
	return true
}

func cosine(a, b []float32) float32 {
	var dot, lengthA, lengthB float64
	for i := range min(len(a), len(b)) {
		dot += float64(a[i]) * float64(b[i])
		lengthA += float64(a[i]) * float64(a[i])
		lengthB += float64(b[i]) * float64(b[i])
	}
	if lengthA == 0 || lengthB == 0 {
		return 0
	}
	return float32(dot / math.Sqrt(lengthA*lengthB))
}
