package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"
	pb "hector.example/gen/go/hector/plugin/v1"
	"hector.example/sdk/sdktest"
)

type given = map[string]any

func execute(t *testing.T, stubs *sdktest.Stubs, tool string, parameters given) (*pb.ExecuteToolResponse, error) {
	t.Helper()
	wire, err := structpb.NewStruct(parameters)
	if err != nil {
		t.Fatal(err)
	}
	return stubs.Tools.ExecuteTool(t.Context(), &pb.ExecuteToolRequest{Tool: tool, Parameters: wire})
}

// TestTools shows a case a line: what a tool says, or why it says no.
func TestTools(t *testing.T) {
	stubs := sdktest.Run(t, newPlugin(), given{"max_bytes": 5000})
	long := strings.Repeat("x", 5001)
	for _, c := range []struct {
		name, tool string
		given      given
		result     string
		failure    string
	}{
		{"empty", "count_text", given{"text": ""}, `{"lines":0,"words":0,"characters":0,"bytes":0}`, ""},
		{"counts", "count_text", given{"text": "größer als\n\n ß"}, `{"lines":3,"words":3,"characters":14,"bytes":17}`, ""},
		{"a last end is no line", "count_text", given{"text": "a\nb\n"}, `{"lines":2,"words":2,"characters":4,"bytes":4}`, ""},
		{"long", "count_text", given{"text": long}, "", "text: has 5001 bytes, at most 5000 are read"},

		{"found", "find_lines", given{"text": "ok\r\nERROR <1>\nok\nan error", "pattern": "(?i)error"},
			`{"matches":[{"line":2,"text":"ERROR <1>"},{"line":4,"text":"an error"}],"more":false}`, ""},
		{"not found", "find_lines", given{"text": "a", "pattern": "b"}, `{"matches":[],"more":false}`, ""},
		{"bounded", "find_lines", given{"text": "a\na\na", "pattern": "a", "max_matches": 2},
			`{"matches":[{"line":1,"text":"a"},{"line":2,"text":"a"}],"more":true}`, ""},
		{"a long line is cut", "find_lines", given{"text": strings.Repeat("ä", 301), "pattern": "^ä"},
			`{"matches":[{"line":1,"text":"` + strings.Repeat("ä", 300) + `…"}],"more":false}`, ""},
		{"a pattern that takes others for ever", "find_lines", given{"text": strings.Repeat("a", 4000), "pattern": "^(a+)+$"},
			`{"matches":[{"line":1,"text":"` + strings.Repeat("a", 300) + `…"}],"more":false}`, ""},
		{"no pattern", "find_lines", given{"text": "a", "pattern": "(a"}, "", "pattern: error parsing regexp: missing closing ): `(a`"},
		{"long pattern", "find_lines", given{"text": "a", "pattern": long}, "", "pattern: has 5001 bytes, at most 1000 are read"},
		{"too many", "find_lines", given{"text": "a", "pattern": "a", "max_matches": 1001}, "", "max_matches: is 1001, must be between 1 and 1000"},
		{"in a long text", "find_lines", given{"text": long, "pattern": "x"}, "", "text: has 5001 bytes, at most 5000 are read"},

		{"equal", "compare_texts", given{"before": "a\nb", "after": "a\r\nb\n"}, "", ""},
		{"added to nothing", "compare_texts", given{"before": "", "after": "a"}, "@@ -0,0 +1 @@\n+a\n", ""},
		{"all removed", "compare_texts", given{"before": "a\nb", "after": ""}, "@@ -1,2 +0,0 @@\n-a\n-b\n", ""},
		{"long before", "compare_texts", given{"before": long, "after": ""}, "", "before: has 5001 bytes, at most 5000 are read"},
		{"long after", "compare_texts", given{"before": "", "after": long}, "", "after: has 5001 bytes, at most 5000 are read"},

		{"whole", "extract_json", given{"json": `{"b": 1.50, "a": [1e400, "<é>"]}`}, `{"a":[1e400,"<é>"],"b":1.50}`, ""},
		{"member", "extract_json", given{"json": `{"a/b": {"m~n": [10, {"": true}]}}`, "pointer": "/a~1b/m~0n/1/"}, `true`, ""},
		{"text", "extract_json", given{"json": `["word"]`, "pointer": "/0"}, `word`, ""},
		{"null", "extract_json", given{"json": `null`}, `null`, ""},
		{"no JSON", "extract_json", given{"json": `{"a": }`}, "", "json: at byte 7: invalid character '}' looking for beginning of value"},
		{"nothing", "extract_json", given{"json": ``}, "", "json: EOF"},
		{"two values", "extract_json", given{"json": `1 2`}, "", "json: there is more than one value"},
		{"no pointer", "extract_json", given{"json": `{}`, "pointer": "a"}, "", `pointer: "a" does not begin with /`},
		{"no member", "extract_json", given{"json": `{"b": 1, "c": 2}`, "pointer": "/a"}, "", `pointer: no member "a"; there are "b", "c"`},
		{"no members", "extract_json", given{"json": `{}`, "pointer": "/a"}, "", `pointer: no member "a"; there are none`},
		{"no item", "extract_json", given{"json": `[1, 2]`, "pointer": "/2"}, "", `pointer: no item "2"; there are 2, from 0`},
		{"no number", "extract_json", given{"json": `[1, 2]`, "pointer": "/01"}, "", `pointer: no item "01"; there are 2, from 0`},
		{"no parts", "extract_json", given{"json": `1`, "pointer": "/a"}, "", `pointer: "a" leads into a value that has no parts`},
		{"long JSON", "extract_json", given{"json": long}, "", "json: has 5001 bytes, at most 5000 are read"},
	} {
		t.Run(c.tool+"/"+c.name, func(t *testing.T) {
			response, err := execute(t, stubs, c.tool, c.given)
			if err != nil {
				t.Fatal(err)
			}
			if response.Result != c.result || response.Error != c.failure || response.Success != (c.failure == "") {
				t.Errorf("got %q, %q", response.Result, response.Error)
			}
		})
	}
}

func TestResultsAreForProgramsToo(t *testing.T) {
	stubs := sdktest.Run(t, newPlugin(), nil)
	response, err := execute(t, stubs, "find_lines", given{"text": "a\nb", "pattern": "b"})
	if err != nil {
		t.Fatal(err)
	}
	first := response.StructuredResult.GetStructValue().Fields["matches"].GetListValue().Values[0].GetStructValue()
	if line := first.Fields["line"].GetNumberValue(); line != 2 {
		t.Errorf("got %v", response.StructuredResult)
	}
}

func TestResultsHaveRoomInAMessage(t *testing.T) {
	stubs := sdktest.Run(t, newPlugin(), nil)
	lines := strings.Repeat(strings.Repeat("x", 299)+"\n", 1000)
	response, err := execute(t, stubs, "find_lines", given{"text": lines, "pattern": "x", "max_matches": 1000})
	if err != nil || len(response.Result) > 200<<10 || !strings.HasSuffix(response.Result, `"more":true}`) {
		t.Errorf("%d bytes, %v", len(response.GetResult()), err)
	}
	for tool, parameters := range map[string]given{
		"compare_texts": {"before": strings.Repeat("x", 300<<10), "after": ""},
		"extract_json":  {"json": `"` + strings.Repeat("x", 300<<10) + `"`},
	} {
		response, err := execute(t, stubs, tool, parameters)
		if err != nil || response.Success || !strings.Contains(response.Error, "at most 262144 are returned") {
			t.Errorf("%s: %q, %v", tool, response.GetError(), err)
		}
	}
}

func TestParametersAreChecked(t *testing.T) {
	stubs := sdktest.Run(t, newPlugin(), nil)
	_, err := execute(t, stubs, "find_lines", given{"text": 1, "patern": "a"})
	want := "parameters of find_lines: text: 1 is not a text; pattern: is required; patern: "
	if got := status.Convert(err); got.Code() != codes.InvalidArgument || !strings.HasPrefix(got.Message(), want) {
		t.Errorf("got %v", err)
	}
	_, err = execute(t, stubs, "sort", nil)
	if got := status.Convert(err); got.Code() != codes.NotFound ||
		got.Message() != `no tool "sort": there are compare_texts, count_text, extract_json, find_lines` {
		t.Errorf("got %v", err)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for _, size := range []int{0, 8<<20 + 1} {
		_, err := sdktest.Serve(t, newPlugin()).Configure(t.Context(), given{"max_bytes": size})
		want := fmt.Sprintf("max_bytes: is %d, must be between 1 and 8388608", size)
		if got := status.Convert(err); got.Code() != codes.InvalidArgument || got.Message() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestAToolEndsWhenNobodyWaits(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	tools := &texts{options: Options{MaxBytes: 100}}
	_, found := tools.find(ctx, sought{Text: "a", Pattern: "a"})
	_, compared := tools.compare(ctx, compared{Before: "a", After: "b"})
	if !errors.Is(found, context.Canceled) || !errors.Is(compared, context.Canceled) {
		t.Errorf("got %v and %v", found, compared)
	}
}
