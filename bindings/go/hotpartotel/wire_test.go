package hotpartotel

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	hotpart "github.com/libhotpart/libhotpart/bindings/go"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	collected "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	"google.golang.org/protobuf/proto"
)

// sending is a process of a fleet: its detector, and what has its instruments' numbers sent.
func sending(t *testing.T, id, url string) (d *hotpart.Detector, send func()) {
	t.Helper()
	exporter := value(otlpmetrichttp.New(ctx, otlpmetrichttp.WithEndpointURL(url+"/v1/metrics")))(t)
	of := resource.NewSchemaless(attribute.String("service.name", "shop"), attribute.String("service.instance.id", id))
	provider := sdk.NewMeterProvider(sdk.WithResource(of),
		sdk.WithReader(sdk.NewPeriodicReader(exporter, sdk.WithInterval(time.Hour))))
	t.Cleanup(func() { provider.Shutdown(ctx) })
	d = made(t, nil)
	value(Instrument(d, 2, WithMeter(provider.Meter("hotpart"))))(t)
	return d, func() {
		t.Helper()
		if err := provider.ForceFlush(ctx); err != nil {
			t.Fatal(err)
		}
	}
}

func attributes(of []*common.KeyValue) map[string]string {
	found := map[string]string{}
	for _, each := range of {
		found[each.Key] = each.Value.GetStringValue()
	}
	return found
}

func TestTheOTLPThatIsSent(t *testing.T) {
	var received collected.ExportMetricsServiceRequest
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = proto.Unmarshal(body, &received)
		}
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	t.Cleanup(server.Close)
	d, send := sending(t, "one", server.URL)
	for minute, keys := range [][]string{{"a", "b"}, {"b", "c"}} {
		if err := d.SetTime(time.Duration(minute) * 61 * time.Second); err != nil {
			t.Fatal(err)
		}
		writes(t, d, 7, keys...)
		send()
		of := received.ResourceMetrics[0]
		want(t, "instance", attributes(of.Resource.Attributes)["service.instance.id"], "one")
		var told []string
		for _, metric := range of.ScopeMetrics[0].Metrics {
			if metric.Name == "hotpart.partition.demand" {
				want(t, "unit", metric.Unit, "{operation}")
				for _, point := range metric.GetGauge().DataPoints {
					told = append(told, fmt.Sprint(attributes(point.Attributes)["hotpart.partition.key"], " ", point.GetAsInt()))
				}
			}
		}
		slices.Sort(told)
		want(t, "told", joined(told), keys[0]+" 7\n"+keys[1]+" 7")
	}
}

// line returns the number of the series that has all labels, or "".
func line(text, name string, labels ...string) string {
next:
	for _, each := range strings.Split(text, "\n") {
		series, number, _ := strings.Cut(each, "} ")
		if !strings.HasPrefix(series, name+"{") {
			continue
		}
		for _, label := range labels {
			if !strings.Contains(series+",", label+",") {
				continue next
			}
		}
		number, _, _ = strings.Cut(number, " ")
		return number
	}
	return ""
}

func get(url string) (string, error) {
	answer, err := http.Get(url)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return string(body), err
}

func TestTheExporterForPrometheusWritesTheSameNames(t *testing.T) {
	registry := prometheus.NewRegistry()
	exporter := value(otelprometheus.New(otelprometheus.WithRegisterer(registry)))(t)
	provider := sdk.NewMeterProvider(sdk.WithReader(exporter))
	t.Cleanup(func() { provider.Shutdown(ctx) })
	d := made(t, nil)
	value(Instrument(d, 2, WithMeter(provider.Meter("hotpart"))))(t)
	writes(t, d, 3, "a\"b\nc")
	server := httptest.NewServer(promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	t.Cleanup(server.Close)
	text := value(get(server.URL))(t)
	operation := `hotpart_operation="write"`
	want(t, "demand", line(text, "hotpart_partition_demand", operation, `hotpart_partition_key="a\"b\nc"`), "3")
	want(t, "unlisted", line(text, "hotpart_partition_unlisted", operation), "0")
	want(t, "records", line(text, "hotpart_records_total"), "1")
	if t.Failed() {
		t.Log(text)
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	probe := value(net.Listen("tcp", "127.0.0.1:0"))(t)
	defer probe.Close()
	return probe.Addr().(*net.TCPAddr).Port
}

func TestACollectorTellsProcessesApart(t *testing.T) {
	program := os.Getenv("HOTPART_OTELCOL")
	if program == "" {
		// ci/go.sh, and so CI, says where it is.
		t.Skip("skipped: HOTPART_OTELCOL does not say where a collector is")
	}
	takes, scraped := freePort(t), fmt.Sprintf("127.0.0.1:%d", freePort(t))
	config := value(json.Marshal(map[string]any{
		"receivers": map[string]any{"otlp": map[string]any{"protocols": map[string]any{
			"http": map[string]any{"endpoint": fmt.Sprintf("127.0.0.1:%d", takes)}}}},
		"exporters": map[string]any{"prometheus": map[string]any{"endpoint": scraped}},
		"service": map[string]any{
			"telemetry": map[string]any{"metrics": map[string]any{"level": "none"}},
			"pipelines": map[string]any{"metrics": map[string]any{"receivers": []string{"otlp"}, "exporters": []string{"prometheus"}}},
		},
	}))(t)
	file := filepath.Join(t.TempDir(), "otelcol.yml")
	if err := os.WriteFile(file, config, 0o600); err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	collector := exec.Command(program, "--config", "file:"+file)
	collector.Stdout, collector.Stderr = &log, &log
	if err := collector.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		collector.Process.Kill()
		collector.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	// scrape returns what it tells once ready holds.
	scrape := func(ready func(text string) bool) string {
		t.Helper()
		for range 300 {
			if text, err := get("http://" + scraped + "/metrics"); err == nil && ready(text) {
				return text
			}
			time.Sleep(100 * time.Millisecond)
		}
		t.Fatal("the collector does not tell it")
		return ""
	}
	scrape(func(string) bool { return true })
	for id, amount := range map[string]int64{"one": 3, "two": 4} {
		d, send := sending(t, id, fmt.Sprintf("http://127.0.0.1:%d", takes))
		writes(t, d, amount, "EVENTS")
		value(d.RecordThrottle("t", "EVENTS", hotpart.Write, hotpart.ReasonKeyRange))(t)
		send()
	}
	partition := []string{`db_collection_name="t"`, `hotpart_partition_key="EVENTS"`, `hotpart_operation="write"`}
	demand := func(text, id string) string {
		return line(text, "hotpart_partition_demand", append(partition, `job="shop"`, `instance="`+id+`"`)...)
	}
	text := scrape(func(text string) bool { return demand(text, "one") != "" && demand(text, "two") != "" })
	want(t, "demand", demand(text, "one"), "4")
	want(t, "demand", demand(text, "two"), "5")
	want(t, "unlisted", line(text, "hotpart_partition_unlisted", `instance="one"`, `hotpart_operation="write"`), "0")
	want(t, "throttles", line(text, "hotpart_throttles_total", `instance="two"`, `hotpart_throttle_reason="key_range"`), "1")
}
