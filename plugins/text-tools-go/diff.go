package main

import (
	"context"
	"fmt"
	"strings"

	"hector.example/sdk"
)

const (
	mostEdits   = 2000 // lines added and removed: memory grows with the square of it
	largestDiff = 256 << 10
	surrounding = 3 // equal lines shown around a change
)

type compared struct {
	Before string `json:"before" description:"The first text." required:"true"`
	After  string `json:"after" description:"The second text." required:"true"`
}

// compare answers with a unified diff without file names.
func (t *texts) compare(ctx context.Context, given compared) (string, error) {
	if err := t.fits("before", given.Before); err != nil {
		return "", err
	}
	if err := t.fits("after", given.After); err != nil {
		return "", err
	}
	edits, err := difference(ctx, linesOf(given.Before), linesOf(given.After))
	if err != nil {
		return "", err
	}
	diff := unified(edits)
	if len(diff) > largestDiff {
		return "", sdk.Failure("the difference has %d bytes, at most %d are returned; compare parts of the texts", len(diff), largestDiff)
	}
	return diff, nil
}

// edit is a line of the way from one text to the other: kept (' '), removed ('-') or added ('+').
type edit struct {
	kind byte
	line string
}

// difference is the shortest way from a to b, after Myers (1986), An O(ND) Difference Algorithm.
func difference(ctx context.Context, a, b []string) ([]edit, error) {
	start := 0
	for start < min(len(a), len(b)) && a[start] == b[start] {
		start++
	}
	end := 0
	for end < min(len(a), len(b))-start && a[len(a)-1-end] == b[len(b)-1-end] {
		end++
	}
	middle, err := shortest(ctx, a[start:len(a)-end], b[start:len(b)-end])
	if err != nil {
		return nil, err
	}
	return append(append(kept(a[:start]), middle...), kept(a[len(a)-end:])...), nil
}

func kept(lines []string) []edit {
	edits := make([]edit, 0, len(lines))
	for _, line := range lines {
		edits = append(edits, edit{' ', line})
	}
	return edits
}

// shortest finds, for each number of edits d, how far along a each diagonal k = x - y gets; reached[d] remembers
// that for -d to d.
func shortest(ctx context.Context, a, b []string) ([]edit, error) {
	var reached [][]int32
	for d := 0; d <= mostEdits; d++ {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		row := make([]int32, 2*d+1)
		for k := -d; k <= d; k += 2 {
			x := step(reached, d, k)
			for x < len(a) && x-k < len(b) && a[x] == b[x-k] {
				x++
			}
			row[d+k] = int32(x)
			if x >= len(a) && x-k >= len(b) {
				return walk(a, b, append(reached, row)), nil
			}
		}
		reached = append(reached, row)
	}
	return nil, sdk.Failure("the texts differ in more than %d lines; compare parts of them", mostEdits)
}

// step is where on diagonal k the d-th edit leads: down from k+1 (a line of b is added) or right from k-1 (one of a
// is removed).
func step(reached [][]int32, d, k int) int {
	switch {
	case d == 0:
		return 0
	case down(reached[d-1], d, k):
		return int(reached[d-1][d+k])
	default:
		return int(reached[d-1][d+k-2]) + 1
	}
}

// down tells which of the two it is; previous holds diagonals -(d-1) to d-1.
func down(previous []int32, d, k int) bool {
	return k == -d || k != d && previous[d+k-2] < previous[d+k]
}

// walk goes back from the end of both texts, edit by edit.
func walk(a, b []string, reached [][]int32) []edit {
	var backwards []edit
	x, y := len(a), len(b)
	for d := len(reached) - 1; d >= 0; d-- {
		k := x - y
		from := step(reached, d, k)
		for ; x > from; x, y = x-1, y-1 {
			backwards = append(backwards, edit{' ', a[x-1]})
		}
		switch {
		case d == 0:
		case down(reached[d-1], d, k):
			backwards = append(backwards, edit{'+', b[y-1]})
			y--
		default:
			backwards = append(backwards, edit{'-', a[x-1]})
			x--
		}
	}
	for i, j := 0, len(backwards)-1; i < j; i, j = i+1, j-1 {
		backwards[i], backwards[j] = backwards[j], backwards[i]
	}
	return backwards
}

// unified writes the changes with the lines around them, each piece after its place in both texts.
func unified(edits []edit) string {
	var text strings.Builder
	before, after := 1, 1 // the numbers of the next lines
	done := 0             // edits that are written or passed over
	for first := changed(edits, 0); first < len(edits); first = changed(edits, done) {
		last := first
		for next := changed(edits, last+1); next < len(edits) && next-last-1 <= 2*surrounding; next = changed(edits, last+1) {
			last = next
		}
		start, end := max(first-surrounding, done), min(last+1+surrounding, len(edits))
		before, after = before+start-done, after+start-done
		removed, added := write(&text, edits[start:end], before, after)
		before, after, done = before+removed, after+added, end
	}
	return text.String()
}

// changed is the first edit from at on that keeps no line.
func changed(edits []edit, at int) int {
	for at < len(edits) && edits[at].kind == ' ' {
		at++
	}
	return at
}

// write adds one piece, and returns how many lines of each text it shows.
func write(text *strings.Builder, hunk []edit, before, after int) (removed, added int) {
	for _, edit := range hunk {
		if edit.kind != '+' {
			removed++
		}
		if edit.kind != '-' {
			added++
		}
	}
	fmt.Fprintf(text, "@@ -%s +%s @@\n", place(before, removed), place(after, added))
	for _, edit := range hunk {
		fmt.Fprintf(text, "%c%s\n", edit.kind, edit.line)
	}
	return removed, added
}

// place is a range of lines as diff writes it: an empty one is named by the line before it.
func place(first, lines int) string {
	if lines == 0 {
		first--
	}
	if lines == 1 {
		return fmt.Sprint(first)
	}
	return fmt.Sprintf("%d,%d", first, lines)
}
