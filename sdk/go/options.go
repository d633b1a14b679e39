package sdk

import (
	"errors"
	"fmt"
	"reflect"
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
