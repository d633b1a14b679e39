package sdk

import "reflect"

// optionsSchema is the JSON Schema of an options struct, with its values as defaults. No struct: no options.
func optionsSchema(defaults reflect.Value) map[string]any {
	if !defaults.IsValid() {
		return map[string]any{"type": "object", "properties": map[string]any{}, "additionalProperties": false}
	}
	return structSchema(defaults)
}

func structSchema(defaults reflect.Value) map[string]any {
	properties, required := map[string]any{}, []any{}
	for _, option := range optionsOf(defaults.Type()) {
		value := defaults.Field(option.index)
		property := typeSchema(value.Type(), value)
		if option.description != "" {
			property["description"] = option.description
		}
		if option.required {
			required = append(required, option.name)
		} else if given, ok := plain(value); ok {
			property["default"] = given
		}
		properties[option.name] = property
	}
	schema := map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		schema["required"] = required
	}
	return schema
}

func typeSchema(kind reflect.Type, value reflect.Value) map[string]any {
	switch kind.Kind() {
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Float32, reflect.Float64:
		return map[string]any{"type": "number"}
	case reflect.Slice:
		return map[string]any{"type": "array", "items": typeSchema(kind.Elem(), reflect.Zero(kind.Elem()))}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": typeSchema(kind.Elem(), reflect.Zero(kind.Elem()))}
	case reflect.Struct:
		return structSchema(value)
	case reflect.Pointer:
		pointed := typeSchema(kind.Elem(), reflect.Zero(kind.Elem()))
		return map[string]any{"anyOf": []any{pointed, map[string]any{"type": "null"}}}
	case reflect.Interface:
		return map[string]any{}
	default:
		return map[string]any{"type": "integer"}
	}
}

// plain is the JSON value of a scalar default. What is empty is left out: it says no more than the type does.
func plain(value reflect.Value) (any, bool) {
	switch {
	case value.Kind() == reflect.Bool:
		return value.Bool(), true
	case value.Kind() == reflect.String:
		return value.String(), value.Len() > 0
	case value.CanInt():
		return value.Int(), true
	case value.CanFloat():
		return value.Float(), true
	}
	return nil, false
}
