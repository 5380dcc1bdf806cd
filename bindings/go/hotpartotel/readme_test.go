package hotpartotel_test

import (
	"context"
	"crypto/rand"
	"os"
	"strings"
	"testing"
	"time"

	hotpart "github.com/libhotpart/libhotpart/bindings/go"
	"github.com/libhotpart/libhotpart/bindings/go/hotpartotel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
)

// sends has the README's code, to the letter.
func sends(ctx context.Context, detector *hotpart.Detector) error {
	exporter, err := otlpmetrichttp.New(ctx)
	if err != nil {
		return err
	}
	// Each process needs an instance of its own, else they overwrite each other.
	service := resource.NewSchemaless(
		attribute.String("service.name", "orders"), attribute.String("service.instance.id", rand.Text()))
	reader := metric.NewPeriodicReader(exporter, metric.WithInterval(15*time.Second))
	provider := metric.NewMeterProvider(metric.WithResource(service), metric.WithReader(reader))
	least := hotpart.FleetLeast(48_000, 50, 4)
	registration, err := hotpartotel.Instrument(detector, least, hotpartotel.WithMeter(provider.Meter("hotpart")))
	if err != nil {
		return err
	}
	return registration.Unregister()
}

func TestTheREADMEsCodeIsThis(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, code, _ := strings.Cut(string(readme), "```go\n")
	code, _, _ = strings.Cut(code, "```")
	own, err := os.ReadFile("readme_test.go")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(own), "\n\t"+strings.ReplaceAll(strings.TrimSuffix(code, "\n"), "\n", "\n\t")+"\n") {
		t.Errorf("no test has what the README has:\n%s", code)
	}
	detector, err := hotpart.New(hotpart.Config{WritesThreshold: 500, ReadsThreshold: 1_500, WindowSeconds: 60})
	if err != nil {
		t.Fatal(err)
	}
	defer detector.Close()
	if err := sends(t.Context(), detector); err != nil {
		t.Fatal(err)
	}
}
