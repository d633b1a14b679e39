package sdk

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"sort"
	"strings"
)

// option is one field of an options struct.
type option struct {
	name        string
	description string
	required    bool
	index       int
}

// optionsOf lists the options that a struct type declares, in their order.
func optionsOf(kind reflect.Type) []option {
	var options []option
	for i := range kind.NumField() {
		field := kind.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if !field.IsExported() || name == "-" {
			continue
		}
		if name == "" {
			name = field.Name
		}
		options = append(options, option{name, field.Tag.Get("description"), field.Tag.Get("required") == "true", i})
	}
	return options
}

// checkOptions reports an options value that cannot be decoded into: the author's mistake.
func checkOptions(options any) error {
	if options == nil {
		return nil
	}
	kind := reflect.TypeOf(options)
	if kind.Kind() != reflect.Pointer || kind.Elem().Kind() != reflect.Struct || reflect.ValueOf(options).IsNil() {
		return fmt.Errorf("sdk.Plugin.Options is a %s; it must point to a struct with the defaults", kind)
	}
	return checkType(kind.Elem(), kind.Elem().Name())
}

func checkType(kind reflect.Type, path string) error {
	switch kind.Kind() {
	case reflect.Bool, reflect.String, reflect.Float32, reflect.Float64, reflect.Interface,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return nil
	case reflect.Slice, reflect.Pointer:
		return checkType(kind.Elem(), path)
	case reflect.Map:
		if kind.Key().Kind() == reflect.String {
			return checkType(kind.Elem(), path)
		}
	case reflect.Struct:
		for _, option := range optionsOf(kind) {
			field := kind.Field(option.index)
			if err := checkType(field.Type, path+"."+field.Name); err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf("%s is a %s, which no option can be", path, kind)
}

// decodeOptions returns a copy of the defaults with values laid over it. Every mistake in values is reported, not only
// the first: an error of one InvalidOption for each.
func decodeOptions(values map[string]any, defaults reflect.Value) (reflect.Value, error) {
	if !defaults.IsValid() {
		decoder := &decoder{strange: "unknown option; this plugin has no options"}
		decoder.unknown(values, nil, "")
		return defaults, errors.Join(decoder.mistakes...)
	}
	names := map[string]bool{}
	for _, option := range optionsOf(defaults.Type()) {
		names[option.name] = true
	}
	decoder := &decoder{strange: "unknown option; there are: " + strings.Join(sorted(names), ", ")}
	target := reflect.New(defaults.Type()).Elem()
	target.Set(defaults)
	decoder.structure(values, target, "")
	return target, errors.Join(decoder.mistakes...)
}

// DecodeOption lays a JSON value over what target points to, as options are decoded; path is what errors call it. It serves
// options that come in several shapes: declare such a field as `any`, and decode it in Start.
func DecodeOption(value any, target any, path string) error {
	decoder := &decoder{strange: "is not known"}
	decoder.value(value, reflect.ValueOf(target).Elem(), path)
	return errors.Join(decoder.mistakes...)
}

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
