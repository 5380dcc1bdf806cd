package awsmiddleware_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/DeRuina/timberjack"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	hotpart "github.com/libhotpart/libhotpart/bindings/go"
	"github.com/libhotpart/libhotpart/bindings/go/awsmiddleware"
)

// The functions below have the code of both READMEs, to the letter.

func counts(cfg aws.Config) error {
	detector, err := hotpart.New(hotpart.Config{WritesThreshold: 500, ReadsThreshold: 1_500, WindowSeconds: 60})
	if err != nil {
		return err
	}
	client := dynamodb.NewFromConfig(cfg, awsmiddleware.Watch(detector))
	_ = client
	return detector.Close()
}

func warnsByTheLimits() error {
	detector, err := hotpart.NewForDynamoDB(0.8, 4, hotpart.CapacityConfig{})
	if err != nil {
		return err
	}
	return detector.Close()
}

func countsCapacity(cfg aws.Config) error {
	detector, err := hotpart.NewForDynamoDB(0.8, 1, hotpart.CapacityConfig{})
	if err != nil {
		return err
	}
	client := dynamodb.NewFromConfig(cfg, awsmiddleware.Watch(detector))
	_ = client
	return detector.Close()
}

func records(cfg aws.Config, detector *hotpart.Detector) {
	file := &timberjack.Logger{Filename: "recording.jsonl", MaxSize: 64, MaxBackups: 3, FileMode: 0o600}
	client := dynamodb.NewFromConfig(cfg, awsmiddleware.Watch(detector, awsmiddleware.WithRecording(file)))
	_ = client
}

func TestTheREADMEsCodeIsThis(t *testing.T) {
	own, err := os.ReadFile("readme_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"../README.md", "README.md"} {
		readme, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		blocks := regexp.MustCompile("(?s)```go\n(.*?)\n```").FindAllStringSubmatch(string(readme), -1)
		if len(blocks) != 2 {
			t.Errorf("%s has %d blocks of Go", name, len(blocks))
		}
		for _, block := range blocks {
			if !strings.Contains(string(own), "\n\t"+strings.ReplaceAll(block[1], "\n", "\n\t")+"\n") {
				t.Errorf("no test has what %s has:\n%s", name, block[1])
			}
		}
	}
	cfg := aws.Config{Region: "us-east-1"}
	for _, run := range []func() error{func() error { return counts(cfg) }, warnsByTheLimits, func() error { return countsCapacity(cfg) }} {
		if err := run(); err != nil {
			t.Error(err)
		}
	}
	detector, err := hotpart.New(hotpart.Config{WritesThreshold: 500, ReadsThreshold: 1_500, WindowSeconds: 60})
	if err != nil {
		t.Fatal(err)
	}
	defer detector.Close()
	records(cfg, detector)
}
