package sdk

import (
	"fmt"
	"math"
	"reflect"
	"sort"
)

// decoder lays JSON values over Go values and collects what does not fit.
type decoder struct {
	mistakes []error
	strange  string // what it says of a key at the top that nobody knows
}

func (d *decoder) mistake(path, format string, values ...any) {
	d.mistakes = append(d.mistakes, InvalidOption(path, format, values...))
}

func (d *decoder) value(value any, target reflect.Value, path string) {
	switch target.Kind() {
	case reflect.Interface:
		target.Set(reflect.ValueOf(&value).Elem())
	case reflect.Pointer:
		d.pointer(value, target, path)
	case reflect.Struct:
		if members, ok := value.(map[string]any); ok {
			d.structure(members, target, path)
			return
		}
		d.wrong(value, "a map", path)
	case reflect.Map:
		d.mapping(value, target, path)
	case reflect.Slice:
		d.list(value, target, path)
	default:
		d.scalar(value, target, path)
	}
}

func (d *decoder) pointer(value any, target reflect.Value, path string) {
	if value == nil {
		target.SetZero()
		return
	}
	pointed := reflect.New(target.Type().Elem())
	d.value(value, pointed.Elem(), path)
	target.Set(pointed)
}

func (d *decoder) structure(members map[string]any, target reflect.Value, path string) {
	known := optionsOf(target.Type())
	for _, option := range known {
		value, given := members[option.name]
		switch {
		case given:
			d.value(value, target.Field(option.index), join(path, option.name))
		case option.required:
			d.mistake(join(path, option.name), "is required")
		}
	}
	d.unknown(members, known, path)
}

func (d *decoder) unknown(members map[string]any, known []option, path string) {
	left := make(map[string]bool, len(members))
	for name := range members {
		left[name] = true
	}
	for _, option := range known {
		delete(left, option.name)
	}
	words := "is not known"
	if path == "" {
		words = d.strange
	}
	for _, name := range sorted(left) {
		d.mistake(join(path, name), "%s", words)
	}
}

func (d *decoder) mapping(value any, target reflect.Value, path string) {
	members, ok := value.(map[string]any)
	if !ok {
		d.wrong(value, "a map", path)
		return
	}
	mapping := reflect.MakeMapWithSize(target.Type(), len(members))
	for _, name := range sorted(members) {
		member := reflect.New(target.Type().Elem()).Elem()
		d.value(members[name], member, join(path, name))
		mapping.SetMapIndex(reflect.ValueOf(name).Convert(target.Type().Key()), member)
	}
	target.Set(mapping)
}

func (d *decoder) list(value any, target reflect.Value, path string) {
	items, ok := value.([]any)
	if !ok {
		d.wrong(value, "a list", path)
		return
	}
	list := reflect.MakeSlice(target.Type(), len(items), len(items))
	for i, item := range items {
		d.value(item, list.Index(i), fmt.Sprintf("%s[%d]", path, i))
	}
	target.Set(list)
}

func (d *decoder) scalar(value any, target reflect.Value, path string) {
	switch given := value.(type) {
	case bool:
		if target.Kind() == reflect.Bool {
			target.SetBool(given)
			return
		}
	case string:
		if target.Kind() == reflect.String {
			target.SetString(given)
			return
		}
	case float64:
		if target.CanFloat() {
			target.SetFloat(given)
			return
		}
		// 2^63 is a float64, and the first that does not fit.
		if target.CanInt() && given == math.Trunc(given) && math.Abs(given) < 1<<63 && !target.OverflowInt(int64(given)) {
			target.SetInt(int64(given))
			return
		}
	}
	d.wrong(value, want(target.Kind()), path)
}

func want(kind reflect.Kind) string {
	switch kind {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a text"
	case reflect.Float32, reflect.Float64:
		return "a number"
	default:
		return "a whole number"
	}
}

func (d *decoder) wrong(value any, want, path string) {
	d.mistake(path, "%s is not %s", shown(value), want)
}

// shown names a value without repeating a long one, or one that may be secret: texts are not shown.
func shown(value any) string {
	switch value := value.(type) {
	case nil:
		return "nothing"
	case string:
		return "a text"
	case map[string]any:
		return "a map"
	case []any:
		return "a list"
	default:
		return fmt.Sprint(value)
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func sorted[V any](members map[string]V) []string {
	names := make([]string, 0, len(members))
	for name := range members {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}
