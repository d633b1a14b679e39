package main

import (
	"context"
	"regexp"
	"strings"
	"unicode/utf8"

	"hector.example/sdk"
)

const (
	mostMatches    = 1000
	longestPattern = 1000 // bytes
	shownOfLine    = 300  // characters
	shownOfText    = 128 << 10
)

type counted struct {
	Text string `json:"text" description:"What to count in." required:"true"`
}

type counts struct {
	Lines      int `json:"lines"`
	Words      int `json:"words"`
	Characters int `json:"characters"`
	Bytes      int `json:"bytes"`
}

// count counts as wc does, but for a last line without an end, which is a line too.
func (t *texts) count(_ context.Context, given counted) (counts, error) {
	if err := t.fits("text", given.Text); err != nil {
		return counts{}, err
	}
	return counts{
		Lines:      len(linesOf(given.Text)),
		Words:      len(strings.Fields(given.Text)),
		Characters: utf8.RuneCountInString(given.Text),
		Bytes:      len(given.Text),
	}, nil
}

type sought struct {
	Text       string `json:"text" description:"Where to look." required:"true"`
	Pattern    string `json:"pattern" description:"A regular expression in RE2's syntax, such as (?i)error|warning." required:"true"`
	MaxMatches int    `json:"max_matches" description:"How many lines to return at most, up to 1000. 0: 100."`
}

type match struct {
	Line int    `json:"line"`
	Text string `json:"text"`
}

type found struct {
	Matches []match `json:"matches"`
	More    bool    `json:"more"`
}

// find takes time that grows with the text alone, whatever the pattern.
func (t *texts) find(ctx context.Context, given sought) (found, error) {
	if err := t.fits("text", given.Text); err != nil {
		return found{}, err
	}
	if len(given.Pattern) > longestPattern {
		return found{}, sdk.Failure("pattern: has %d bytes, at most %d are read", len(given.Pattern), longestPattern)
	}
	pattern, err := regexp.Compile(given.Pattern)
	if err != nil {
		return found{}, sdk.Failure("pattern: %v", err)
	}
	most := given.MaxMatches
	if most == 0 {
		most = 100
	}
	if most < 0 || most > mostMatches {
		return found{}, sdk.Failure("max_matches: is %d, must be between 1 and %d", most, mostMatches)
	}
	answer, shown := found{Matches: []match{}}, 0
	for i, line := range linesOf(given.Text) {
		if ctx.Err() != nil {
			return found{}, ctx.Err()
		}
		if !pattern.MatchString(line) {
			continue
		}
		line = cut(line, shownOfLine)
		if shown += len(line); len(answer.Matches) == most || shown > shownOfText {
			answer.More = true
			break
		}
		answer.Matches = append(answer.Matches, match{Line: i + 1, Text: line})
	}
	return answer, nil
}

// linesOf cuts a text into its lines, without their ends.
func linesOf(text string) []string {
	if text == "" {
		return nil
	}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimSuffix(line, "\r")
	}
	return lines
}

// cut shortens a text to so many characters.
func cut(text string, characters int) string {
	for at := range text {
		if characters == 0 {
			return text[:at] + "…"
		}
		characters--
	}
	return text
}
