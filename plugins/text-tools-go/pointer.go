package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/types/known/structpb"
	pb "hector.example/gen/go/hector/plugin/v1"
	"hector.example/sdk"
)

const (
	largestValue = 256 << 10 // bytes of JSON
	mostNames    = 20
)

type extracted struct {
	JSON    string `json:"json" description:"The JSON text." required:"true"`
	Pointer string `json:"pointer" description:"Where the value is, as a JSON Pointer (RFC 6901): /items/0/name. Empty: all of it."`
}

// extract follows a JSON Pointer. Numbers stay as they are written.
func (t *texts) extract(_ context.Context, given extracted) (*pb.ExecuteToolResponse, error) {
	if err := t.fits("json", given.JSON); err != nil {
		return nil, err
	}
	value, err := parsed(given.JSON)
	if err != nil {
		return nil, err
	}
	if value, err = follow(value, given.Pointer); err != nil {
		return nil, err
	}
	text, err := encoded(value)
	if err != nil {
		return nil, err
	}
	if len(text) > largestValue {
		return nil, sdk.Failure("pointer: the value has %d bytes, at most %d are returned; point to a part of it", len(text), largestValue)
	}
	response := &pb.ExecuteToolResponse{Success: true, Result: text}
	if structured := new(structpb.Value); structured.UnmarshalJSON([]byte(text)) == nil { // not where a number is no double
		response.StructuredResult = structured
	}
	if word, ok := value.(string); ok {
		response.Result = word
	}
	return response, nil
}

// parsed reads the one JSON value of a text.
func parsed(text string) (any, error) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var value any
	err := decoder.Decode(&value)
	if wrong := (*json.SyntaxError)(nil); errors.As(err, &wrong) {
		return nil, sdk.Failure("json: at byte %d: %v", wrong.Offset, err)
	}
	if err != nil {
		return nil, sdk.Failure("json: %v", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, sdk.Failure("json: there is more than one value")
	}
	return value, nil
}

func encoded(value any) (string, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return strings.TrimSuffix(text.String(), "\n"), err
}

func follow(value any, pointer string) (any, error) {
	if pointer == "" {
		return value, nil
	}
	if !strings.HasPrefix(pointer, "/") {
		return nil, sdk.Failure("pointer: %q does not begin with /", cut(pointer, 100))
	}
	for _, token := range strings.Split(pointer[1:], "/") {
		name := strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
		switch parent := value.(type) {
		case map[string]any:
			child, there := parent[name]
			if !there {
				return nil, sdk.Failure("pointer: no member %q; there are %s", cut(name, 100), names(parent))
			}
			value = child
		case []any:
			index, err := strconv.Atoi(name)
			if err != nil || strconv.Itoa(index) != name || index < 0 || index >= len(parent) {
				return nil, sdk.Failure("pointer: no item %q; there are %d, from 0", cut(name, 100), len(parent))
			}
			value = parent[index]
		default:
			return nil, sdk.Failure("pointer: %q leads into a value that has no parts", cut(name, 100))
		}
	}
	return value, nil
}

// names lists some members of an object.
func names(object map[string]any) string {
	all := make([]string, 0, len(object))
	for name := range object {
		all = append(all, strconv.Quote(cut(name, 50)))
	}
	slices.Sort(all)
	switch {
	case len(all) == 0:
		return "none"
	case len(all) > mostNames:
		return strings.Join(all[:mostNames], ", ") + " and more"
	}
	return strings.Join(all, ", ")
}
