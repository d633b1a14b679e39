package sdk

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// failure is the domain's final no.
type failure struct{ words string }

func (f failure) Error() string { return f.words }

// Failure is the domain's final no: returned from an RPC, the host gets success = false with these words. Where the
// response has no `success`, it is FAILED_PRECONDITION. For whatever has a code or is worth a retry, return an error of
// google.golang.org/grpc/status instead.
func Failure(format string, values ...any) error {
	return failure{fmt.Sprintf(format, values...)}
}

// InvalidOption says that an option cannot be used; field is its path, as in "models[0].size". Return it from Start
// (errors.Join several): the host shows it beside the line of its configuration.
func InvalidOption(field, format string, values ...any) error {
	return invalidOption{field, fmt.Sprintf(format, values...)}
}

type invalidOption struct{ field, words string }

func (i invalidOption) Error() string { return i.field + ": " + i.words }

// NotReady says from Start that the options are fine but need something that is absent: a model, a directory.
func NotReady(format string, values ...any) error {
	return status.Errorf(codes.FailedPrecondition, format, values...)
}

// asStatus turns any error into the gRPC status that its caller gets.
func asStatus(err error) error {
	var no failure
	switch {
	case err == nil:
		return nil
	case len(invalidOptions(err)) > 0:
		return badRequest(invalidOptions(err))
	case errors.As(err, &no):
		return status.Error(codes.FailedPrecondition, no.words)
	case errors.Is(err, context.Canceled):
		return status.Error(codes.Canceled, err.Error())
	case errors.Is(err, context.DeadlineExceeded):
		return status.Error(codes.DeadlineExceeded, err.Error())
	}
	if _, ok := status.FromError(err); ok {
		return err
	}
	return status.Error(codes.Internal, err.Error())
}

// invalidOptions collects the invalid options in err, through what wraps and joins them.
func invalidOptions(err error) []invalidOption {
	switch err := err.(type) {
	case invalidOption:
		return []invalidOption{err}
	case interface{ Unwrap() error }:
		return invalidOptions(err.Unwrap())
	case interface{ Unwrap() []error }:
		var all []invalidOption
		for _, each := range err.Unwrap() {
			all = append(all, invalidOptions(each)...)
		}
		return all
	}
	return nil
}

// badRequest is INVALID_ARGUMENT with one field violation for each option.
func badRequest(options []invalidOption) error {
	request := &errdetails.BadRequest{}
	lines := make([]string, len(options))
	for i, option := range options {
		lines[i] = option.Error()
		request.FieldViolations = append(request.FieldViolations,
			&errdetails.BadRequest_FieldViolation{Field: option.field, Description: option.words})
	}
	plain := status.New(codes.InvalidArgument, strings.Join(lines, "; "))
	detailed, err := plain.WithDetails(request)
	if err != nil {
		return plain.Err()
	}
	return detailed.Err()
}

// refusal is the response of the method that carries the failure as success = false; nil when it has no such fields.
func refusal(method string, no failure) proto.Message {
	service, name, _ := strings.Cut(strings.TrimPrefix(method, "/"), "/")
	descriptor, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(service + "." + name))
	if err != nil {
		return nil
	}
	output := descriptor.(protoreflect.MethodDescriptor).Output()
	kind, err := protoregistry.GlobalTypes.FindMessageByName(output.FullName())
	if err != nil || output.Fields().ByName("success") == nil {
		return nil
	}
	response := kind.New()
	response.Set(output.Fields().ByName("error"), protoreflect.ValueOfString(no.words))
	return response.Interface()
}
