package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestADiffShowsChangesWithTheLinesAroundThem(t *testing.T) {
	before := strings.Split("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18", " ")
	after := slices.Clone(before)
	after[4], after[16] = "five", "seventeen"
	after = slices.Insert(after, 11, "11.5")
	edits, err := difference(t.Context(), before, after)
	want := "@@ -2,17 +2,18 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n 9\n 10\n 11\n+11.5\n 12\n 13\n 14\n 15\n 16\n-17\n+seventeen\n 18\n"
	if got := unified(edits); err != nil || got != want {
		t.Errorf("got\n%s%v, want\n%s", got, err, want)
	}
}

func TestChangesThatLieApartAreApart(t *testing.T) {
	before := strings.Split("a 1 2 3 4 5 6 7 b", " ")
	after := strings.Split("A 1 2 3 4 5 6 7 B", " ")
	edits, _ := difference(t.Context(), before, after)
	want := "@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n 3\n@@ -6,4 +6,4 @@\n 5\n 6\n 7\n-b\n+B\n"
	if got := unified(edits); got != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
}

// TestTheWayLeadsFromOneTextToTheOther draws texts, and compares with the length of a longest common subsequence.
func TestTheWayLeadsFromOneTextToTheOther(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		a, b := drawn(random), drawn(random)
		edits, err := difference(t.Context(), a, b)
		if err != nil {
			t.Fatal(err)
		}
		var before, after []string
		changes := 0
		for _, edit := range edits {
			if edit.kind != '+' {
				before = append(before, edit.line)
			}
			if edit.kind != '-' {
				after = append(after, edit.line)
			}
			if edit.kind != ' ' {
				changes++
			}
		}
		if !slices.Equal(before, a) || !slices.Equal(after, b) || changes != len(a)+len(b)-2*common(a, b) {
			t.Fatalf("%v to %v by %v", a, b, edits)
		}
	}
}

func drawn(random *rand.Rand) []string {
	lines := make([]string, random.IntN(9))
	for i := range lines {
		lines[i] = fmt.Sprint(random.IntN(3))
	}
	return lines
}

// common is the length of the longest common subsequence, by its definition.
func common(a, b []string) int {
	switch {
	case len(a) == 0 || len(b) == 0:
		return 0
	case a[0] == b[0]:
		return 1 + common(a[1:], b[1:])
	}
	return max(common(a[1:], b), common(a, b[1:]))
}

func TestTextsThatDifferTooMuchAreRefused(t *testing.T) {
	lines := func(word string) (lines []string) {
		for i := range 1001 {
			lines = append(lines, fmt.Sprint(word, i))
		}
		return lines
	}
	if _, err := difference(context.Background(), lines("a"), lines("b")[1:]); err == nil ||
		err.Error() != "the texts differ in more than 2000 lines; compare parts of them" {
		t.Errorf("got %v", err)
	}
	if _, err := difference(context.Background(), lines("a")[1:], lines("b")[1:]); err != nil {
		t.Error(err)
	}
}
