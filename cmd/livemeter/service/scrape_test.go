package service_test

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

func sha256Hex(b []byte) string {
	sum := sha256.Sum256(b)
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}

// scrape reads /metrics as Prometheus does.
func (p *pipeline) scrape() map[string]*dto.MetricFamily {
	p.t.Helper()
	status, text := p.page("/metrics")
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if status != 200 || err != nil {
		p.t.Fatalf("/metrics: %d, %v", status, err)
	}
	return families
}

// sums adds up a family's counters or gauges by the values of a label.
func (p *pipeline) sums(name, label string) map[string]float64 {
	p.t.Helper()
	out := map[string]float64{}
	for _, m := range p.scrape()[name].GetMetric() {
		value := ""
		for _, l := range m.GetLabel() {
			if l.GetName() == label {
				value = l.GetValue()
			}
		}
		out[value] += m.GetCounter().GetValue() + m.GetGauge().GetValue()
	}
	return out
}
