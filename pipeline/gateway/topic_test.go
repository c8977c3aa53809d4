package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

const viewerTopic = prefix + "raw.viewer"

// admin deletes and makes topics beside the gateway, as an operator does.
func (b *bench) admin() *kadm.Client {
	b.t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(b.kafka.ListenAddrs()...))
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(client.Close)
	return kadm.NewClient(client)
}

func (b *bench) remove(adm *kadm.Client, topic string) {
	b.t.Helper()
	if _, err := adm.DeleteTopic(b.t.Context(), topic); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) remake(adm *kadm.Client, topic string) {
	b.t.Helper()
	if _, err := adm.CreateTopic(b.t.Context(), 1, 1, nil, topic); err != nil {
		b.t.Fatal(err)
	}
}

// A raw topic that is made again, twice, is written to without a restart, and holds all that was acknowledged since.
func TestATopicMadeAgainIsWrittenTo(t *testing.T) {
	b := newBench(t, nil)
	adm := b.admin()
	b.postUntilStored(array(viewer("before"), like("beside")))
	for round := range 2 {
		b.remove(adm, viewerTopic)
		b.remake(adm, viewerTopic)
		stored := map[string]bool{}
		for i := range 20 {
			id := fmt.Sprintf("e%d-%d", round, i)
			b.postUntilStored(array(viewer(id)))
			stored[viewer(id)] = true
		}
		for _, r := range b.records(b.stored()) {
			delete(stored, string(r.Value))
		}
		if len(stored) > 0 {
			t.Errorf("round %d: %d events were acknowledged and are not there: %v", round, len(stored), stored)
		}
	}
	b.post(array(like("beside again")), 200)
}

// While a topic is not there, what the gateway's check says names it and says what makes it; senders are not told. With the topic all is well.
func TestATopicThatIsMissingIsNamed(t *testing.T) {
	b := newBench(t, nil)
	adm := b.admin()
	b.postUntilStored(array(viewer("before")))
	b.remove(adm, viewerTopic)
	want := ": " + viewerTopic + ": UNKNOWN_TOPIC_OR_PARTITION: This server does not host this topic-partition (`livemeter schema apply`, or a start of a service, makes it)"
	for tries := 0; ; tries++ { // the first may hear of the topic's id that it is unknown
		resp := b.post(array(viewer("e1")), http.StatusServiceUnavailable)
		if s := text(resp); strings.Contains(s, viewerTopic) || strings.Contains(s, "schema apply") {
			t.Errorf("a sender is told %s", s)
		}
		o := b.srv.Failing()
		if o != nil && strings.HasSuffix(o.Error(), want) {
			break
		}
		if tries == 3 {
			t.Fatalf("%v, want %q", o, want)
		}
	}
	b.remake(adm, viewerTopic)
	b.postUntilStored(array(viewer("e1")))
}

func TestErrorsNameTheirTopic(t *testing.T) {
	if got := ofTopic("raw.viewer", kerr.UnknownTopicID).Error(); got != "raw.viewer: UNKNOWN_TOPIC_ID: This server does not host this topic ID" {
		t.Error(got)
	}
	if err := ofTopic("raw.viewer", context.DeadlineExceeded); err != context.DeadlineExceeded {
		t.Error(err)
	}
}

// One purge at a time for each topic, and none for what was handed to the client before the last.
func TestATopicIsRenewedOnceForAllThatFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		purged, release := map[string]int{}, make(chan struct{})
		id := byte(1)
		r := &renewal{purge: func(topics ...string) { <-release; purged[topics[0]]++ }, ask: func(context.Context, string) ([16]byte, error) { return [16]byte{id}, nil }}
		wants := func(when string, a, b int) {
			t.Helper()
			synctest.Wait()
			if purged["a"] != a || purged["b"] != b {
				t.Errorf("%s: %v, want a %d times, b %d times", when, purged, a, b)
			}
		}
		pass := func() { time.Sleep(time.Second) } // simulated: the bubble's clock jumps
		early := time.Now()
		pass()
		r.failed("a", early, errors.New("another"))
		for range 3 {
			r.failed("a", early, fmt.Errorf("wrapped: %w", kerr.UnknownTopicID))
		}
		pass()
		during := time.Now()
		pass()
		release <- struct{}{}
		wants("of three that failed", 1, 0)
		close(release)
		r.failed("a", early, kerr.UnknownTopicID)
		r.failed("a", during, kerr.UnknownTopicID)
		r.failed("b", early, kerr.UnknownTopicID)
		wants("of those from before, and another topic's", 1, 1)
		pass()
		r.failed("a", time.Now(), kerr.UnknownTopicID)
		wants("while it is as it was", 1, 1)
		for range 7 { // steadily, for half a minute: the client knows another one
			r.failed("b", time.Now(), kerr.UnknownTopicID)
			synctest.Wait()
			time.Sleep(5 * time.Second) // simulated
		}
		wants("when it fails for long", 1, 2)
		id = 2
		r.failed("a", time.Now(), kerr.UnknownTopicID)
		wants("made again once more", 2, 2)
	})
}
