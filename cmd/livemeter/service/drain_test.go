package service_test

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/livemeter/livemeter/cmd/livemeter/service"
	"github.com/livemeter/livemeter/deploy/embedded/testengine"
)

// TestAGroupThatCommittedNothingHasNoOffsets, whatever the broker calls it: a collector that has read nothing yet is such.
func TestAGroupThatCommittedNothingHasNoOffsets(t *testing.T) {
	client, err := kgo.NewClient(kgo.SeedBrokers(testengine.FakeKafka(t)...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if offsets, err := service.Committed(t.Context(), kadm.NewClient(client), "nobody"); err != nil || len(offsets) != 0 {
		t.Errorf("%v, %v, want none", offsets, err)
	}
}
