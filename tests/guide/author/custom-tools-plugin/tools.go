package main

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"google.golang.org/protobuf/types/known/structpb"
)

// parameters turns the guide's short form of a schema into a message.
func parameters(short map[string]interface{}) *structpb.Struct {
	message, err := structpb.NewStruct(short)
	if err != nil {
		panic(err)
	}
	return message
}

// executeAPICall makes the HTTP request and gives its status and body.
func (s *CustomToolProvider) executeAPICall(given *structpb.Struct) (string, error) {
	request, err := http.NewRequest(given.Fields["method"].GetStringValue(), given.Fields["url"].GetStringValue(),
		strings.NewReader(given.Fields["body"].GetStringValue()))
	if err != nil {
		return "", err
	}
	for name, value := range given.Fields["headers"].GetStructValue().GetFields() {
		request.Header.Set(name, value.GetStringValue())
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response.Status + "\n" + string(body), err
}

// processData computes the sum or the mean of the numbers in data.
func (s *CustomToolProvider) processData(given *structpb.Struct) (string, error) {
	data := given.Fields["data"].GetListValue().GetValues()
	sum := 0.0
	for _, number := range data {
		sum += number.GetNumberValue()
	}
	switch algorithm := given.Fields["algorithm"].GetStringValue(); algorithm {
	case "sum":
		return strconv.FormatFloat(sum, 'g', -1, 64), nil
	case "mean":
		if len(data) == 0 {
			return "", fmt.Errorf("nothing has no mean")
		}
		return strconv.FormatFloat(sum/float64(len(data)), 'g', -1, 64), nil
	default:
		return "", fmt.Errorf("no algorithm %q: there are mean, sum", algorithm)
	}
}
