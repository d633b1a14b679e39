package sdk

import (
	"io"
	"log/slog"
	"strings"
)

// hclogTime has what a go-plugin host insists on, microseconds and a zone; else it takes the line for raw text.
const hclogTime = "2006-01-02T15:04:05.000000Z07:00"

// hostLogger writes the JSON lines that hosts understand, one record each.
func hostLogger(stderr io.Writer, module string) *slog.Logger {
	options := &slog.HandlerOptions{Level: slog.LevelInfo, ReplaceAttr: hclogAttr}
	return slog.New(slog.NewJSONHandler(stderr, options)).With("@module", module)
}

func hclogAttr(groups []string, attr slog.Attr) slog.Attr {
	if len(groups) > 0 {
		return attr
	}
	switch attr.Key {
	case slog.TimeKey:
		return slog.String("@timestamp", attr.Value.Time().Format(hclogTime))
	case slog.LevelKey:
		return slog.String("@level", strings.ToLower(attr.Value.String()))
	case slog.MessageKey:
		return slog.String("@message", attr.Value.String())
	}
	return attr
}
