package awsmiddleware_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"github.com/DeRuina/timberjack"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	hotpart "github.com/libhotpart/libhotpart/bindings/go"
	"github.com/libhotpart/libhotpart/bindings/go/awsmiddleware"
)

func ExampleWatch() {
	detector, err := hotpart.New(hotpart.Config{
		WritesThreshold: 3, ReadsThreshold: 9, WindowSeconds: 60,
		OnWarning: func(w hotpart.Warning) { fmt.Println(w) },
		Logger:    slog.New(slog.DiscardHandler),
	})
	if err != nil {
		panic(err)
	}
	defer detector.Close()

	// By config.LoadDefaultConfig elsewhere; this one has no network.
	cfg := aws.Config{Region: "us-east-1", HTTPClient: nowhere{}}
	client := dynamodb.NewFromConfig(cfg, awsmiddleware.Watch(detector, awsmiddleware.WithKeySchema("events", "id")))
	for range 3 {
		_, err := client.PutItem(context.Background(), &dynamodb.PutItemInput{
			TableName: aws.String("events"),
			Item:      map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: "EVENTS"}},
		})
		if err != nil {
			panic(err)
		}
	}
	// Output:
	// Hot partition detected - table="events" pk="EVENTS" had 3 writes in 60s
}

// A file of 64 MiB at most that only its owner may read, and three of what was before.
func ExampleWithRecording() {
	detector, err := hotpart.New(hotpart.Config{WritesThreshold: 500, ReadsThreshold: 1_500, WindowSeconds: 60, Redact: true})
	if err != nil {
		panic(err)
	}
	defer detector.Close()
	file := &timberjack.Logger{Filename: "recording.jsonl", MaxSize: 64, MaxBackups: 3, FileMode: 0o600}
	defer file.Close()

	client := dynamodb.NewFromConfig(aws.Config{}, awsmiddleware.Watch(detector, awsmiddleware.WithRecording(file)))
	_ = client
}

// nowhere answers whatever it is asked.
type nowhere struct{}

func (nowhere) Do(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}"))}, nil
}
