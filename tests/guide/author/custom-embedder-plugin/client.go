package main

import (
	"encoding/json"
	"hash/fnv"
	"math"
	"os"
	"strings"
)

// CustomEmbedding is the vector of one text.
type CustomEmbedding struct{ Vector []float32 }

// CustomEmbedderClient is the custom model itself: it hashes words, so that texts which share words lie near each other.
type CustomEmbedderClient struct{ dimension int }

// NewCustomEmbedderClient connects to nothing, whatever the address. The option `dimension` comes as the host hands options
// to a program that serves nothing but its provider: in the environment.
func NewCustomEmbedderClient(address string) *CustomEmbedderClient {
	options := struct {
		Dimension int `json:"dimension"`
	}{768}
	if text := os.Getenv("HECTOR_PLUGIN_CONFIG"); text != "" {
		if err := json.Unmarshal([]byte(text), &options); err != nil {
			panic(err)
		}
	}
	return &CustomEmbedderClient{options.Dimension}
}

// EmbedText gives a vector of length 1; a text without words has all of it in the first place.
func (c *CustomEmbedderClient) EmbedText(text string) ([]float32, error) {
	vector := make([]float32, c.dimension)
	for _, word := range strings.Fields(strings.ToLower(text)) {
		hash := fnv.New32a()
		hash.Write([]byte(strings.Trim(word, ".,;:!?\"'()")))
		vector[hash.Sum32()%uint32(c.dimension)]++
	}
	var square float64
	for _, value := range vector {
		square += float64(value) * float64(value)
	}
	if square == 0 {
		vector[0], square = 1, 1
	}
	for i := range vector {
		vector[i] /= float32(math.Sqrt(square))
	}
	return vector, nil
}

// EmbedBatch embeds one text after the other.
func (c *CustomEmbedderClient) EmbedBatch(texts []string) ([]CustomEmbedding, error) {
	embeddings := make([]CustomEmbedding, len(texts))
	for i, text := range texts {
		vector, err := c.EmbedText(text)
		if err != nil {
			return nil, err
		}
		embeddings[i].Vector = vector
	}
	return embeddings, nil
}
