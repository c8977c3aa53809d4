package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// gatewayPrefix is of topics that nobody reads but who looks for what was acknowledged.
const gatewayPrefix = "gateway."

const (
	postEvery  = 100 * time.Millisecond
	postEvents = 20
	// postTimeout is above what a gateway waits for Kafka (gateway.produce_timeout), so that it is the one that says so.
	postTimeout = 8 * time.Second
)

// gateways are two gateways, and somebody who posts to them and remembers what was acknowledged.
type gateways struct {
	w         *world
	processes []*process
	addrs     []string

	acked     map[string]bool // by event id
	posted    int
	refused   int // 503
	unhurried int // of those, without Retry-After
	broken    int // no answer
}

func (w *world) newGateways() *gateways {
	g := &gateways{w: w, acked: map[string]bool{}}
	for i := range 2 {
		name, addr := fmt.Sprint("gateway-", i+1), w.port()
		g.addrs = append(g.addrs, addr)
		g.processes = append(g.processes, w.livemeter(name, "gateway", "--gateway-addr", addr, "--admin-addr", w.port(), "--kafka-prefix", gatewayPrefix,
			"--kafka-brokers", w.brokerList()))
	}
	return g
}

// post sends batches until ctx is done, to each gateway in turn. A batch that was not acknowledged is not sent again: it may be there or not.
func (g *gateways) post(ctx context.Context) {
	client := http.Client{Timeout: postTimeout}
	defer client.CloseIdleConnections()
	pace := time.NewTicker(postEvery)
	defer pace.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-pace.C:
			g.batch(&client)
		}
	}
}

func (g *gateways) batch(client *http.Client) {
	g.posted++
	var body bytes.Buffer
	now := time.Now().UnixMilli()
	for i := range postEvents {
		fmt.Fprintf(&body, `{"event_id":"g-%d-%d","schema_version":"1-0-0","type":"viewer","platform":"douyin","room_id":"r_1","live_session_id":"ls_1","user_id":"u_%d",`+
			`"view_id":"v_%d","sdk_instance_id":"i_%d","seq":%d,"client_ts":%d,"sent_ts":%d,"action":"heartbeat","watch_ms_delta":100}`+"\n", g.posted, i, i, i, i, g.posted, now, now)
	}
	res, err := client.Post("http://"+g.addrs[g.posted%len(g.addrs)]+"/v1/events", "application/x-ndjson", &body)
	if err != nil {
		g.broken++
		return
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusServiceUnavailable {
		g.refused++
		if res.Header.Get("Retry-After") == "" {
			g.unhurried++
		}
	}
	var answer struct {
		Results []struct {
			EventID string `json:"event_id"`
			Status  string `json:"status"`
		} `json:"results"`
	}
	if json.NewDecoder(res.Body).Decode(&answer) != nil {
		g.broken++ // the answer was cut short
		return
	}
	for _, r := range answer.Results {
		if r.Status == "accepted" {
			g.acked[r.EventID] = true
		}
	}
}

// judge looks for each acknowledged event in Kafka.
func (g *gateways) judge(ctx context.Context) error {
	missing, err := g.missing(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("gateway: read what is in Kafka: %w", err)
	case missing > 0:
		return fmt.Errorf("gateway: of %d acknowledged events %d are not in Kafka", len(g.acked), missing)
	case g.unhurried > 0:
		return fmt.Errorf("gateway: of %d answers 503 %d were without Retry-After", g.refused, g.unhurried)
	case len(g.acked) == 0:
		return fmt.Errorf("gateway: of %d batches none was acknowledged", g.posted)
	}
	g.w.say("gateway: %d events acknowledged, all in Kafka; of %d batches %d were answered 503 with Retry-After, %d got no answer", len(g.acked), g.posted, g.refused, g.broken)
	return nil
}

func (g *gateways) missing(ctx context.Context) (int, error) {
	topic := gatewayPrefix + "raw.viewer"
	client, err := kgo.NewClient(kgo.SeedBrokers(g.w.cluster.Brokers()...), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return 0, err
	}
	defer client.Close()
	there, err := recordsIn(ctx, client, topic)
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	missing := len(g.acked)
	for read := int64(0); read < there; {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			return 0, err
		}
		for it := fetches.RecordIter(); !it.Done(); read++ {
			var event struct {
				ID string `json:"event_id"`
			}
			if err := json.Unmarshal(it.Next().Value, &event); err != nil {
				return 0, err
			}
			if g.acked[event.ID] {
				missing--
				g.acked[event.ID] = false // found, and there may be another copy of it
			}
		}
	}
	return missing, nil
}
