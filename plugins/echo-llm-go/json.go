package main

import (
	"bytes"
	"encoding/json"
	"math"
	"sort"
	"strconv"
	"strings"
)

// compactJSON writes a JSON value with sorted keys and without spaces, characters as they are and numbers as Python
// writes them: encoding/json escapes two line separators, and has exponents of its own.
func compactJSON(value any) string {
	switch value := value.(type) {
	case map[string]any:
		return "{" + strings.Join(members(value), ",") + "}"
	case []any:
		items := make([]string, len(value))
		for i, item := range value {
			items[i] = compactJSON(item)
		}
		return "[" + strings.Join(items, ",") + "]"
	case string:
		return quoted(value)
	case float64:
		return number(value)
	case bool:
		return strconv.FormatBool(value)
	default:
		return "null"
	}
}

func members(value map[string]any) []string {
	all := make([]string, 0, len(value))
	names := make([]string, 0, len(value))
	for name := range value {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		all = append(all, quoted(name)+":"+compactJSON(value[name]))
	}
	return all
}

func quoted(text string) string {
	for _, separator := range []string{"\u2028", "\u2029"} {
		if before, after, found := strings.Cut(text, separator); found {
			return strings.TrimSuffix(quoted(before), `"`) + separator + strings.TrimPrefix(quoted(after), `"`)
		}
	}
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(text); err != nil {
		return `""` // a string can always be encoded
	}
	return strings.TrimSuffix(buffer.String(), "\n")
}

func number(value float64) string {
	switch {
	case value == 0:
		return "0" // -0 too
	case value == math.Trunc(value):
		return strconv.FormatFloat(value, 'f', 0, 64)
	case math.Abs(value) < 1e-4:
		return strconv.FormatFloat(value, 'e', -1, 64)
	default:
		return strconv.FormatFloat(value, 'f', -1, 64)
	}
}
