"""An exporter that adds partitions to what the SDK of OpenTelemetry exports. It needs ``opentelemetry-sdk``."""

from __future__ import annotations

import time
from typing import Any

from opentelemetry.sdk.metrics.export import (
    Gauge,
    Metric,
    MetricExporter,
    MetricExportResult,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
)


class PartitionExporter(MetricExporter):
    """Exports by another exporter, and with the rest the partitions of detectors, as they are."""

    def __init__(self, exporter: MetricExporter) -> None:
        super().__init__(exporter._preferred_temporality, exporter._preferred_aggregation)
        self._exporter = exporter
        #: Each gives gauges, by name, description and unit, and what it observed.
        self.members: list[Any] = []

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any) -> MetricExportResult:
        """Exports what was collected, and the partitions."""
        at = time.time_ns()
        gauges: dict[tuple[str, str, str], list[NumberDataPoint]] = {}
        for member in self.members:
            for gauge, observations in member._gauges():
                gauges.setdefault(gauge, []).extend(
                    NumberDataPoint(dict(each.attributes), 0, at, each.value) for each in observations
                )
        if gauges:
            metrics = [Metric(*gauge, Gauge(points)) for gauge, points in gauges.items()]
            metrics_data = MetricsData([_added(resource, metrics) for resource in metrics_data.resource_metrics])
        return self._exporter.export(metrics_data, timeout_millis, **kwargs)

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Passed on."""
        return self._exporter.force_flush(timeout_millis)

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        """Passed on."""
        self._exporter.shutdown(timeout_millis, **kwargs)


def _added(resource: ResourceMetrics, metrics: list[Metric]) -> ResourceMetrics:
    """A resource's metrics, and more among those of the same scope: of two of one name a collector may keep the last alone."""
    scopes = [
        ScopeMetrics(scope.scope, [*scope.metrics, *metrics], scope.schema_url) if _ours(scope) else scope
        for scope in resource.scope_metrics
    ]
    return ResourceMetrics(resource.resource, scopes, resource.schema_url)


def _ours(scope: ScopeMetrics) -> bool:
    return any(metric.name == "hotpart.records" for metric in scope.metrics)
