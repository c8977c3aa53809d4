//go:build synctests

package exact

import (
	"flag"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

var (
	simSeeds = flag.Int("seeds", 20, "seeds of the simulation")
	simFrom  = flag.Int("from", 1, "the first of them")
)

// The whole pipeline, with its Kafka clients, on a Kafka of three brokers in simulated time: collectors and readers of up to three processes, as `run` or
// as services, while they are killed, stopped, started and suspended, connections break, leaders move, retention takes what was read, raw topics are deleted and made again, the store refuses, loses and delays, and stages panic over events. In the end the
// rows are those of the ledger. Sleeps here and in the files beside it are moments of the simulated time, in which faults come and others go on: its clock
// jumps, nobody waits. A seed gives the stream and the faults in their order; how goroutines interleave it does not.
func TestSimulation(t *testing.T) {
	for seed := *simFrom; seed < *simFrom+*simSeeds; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { simulate(t, uint64(seed)) })
		})
	}
}

// simSteps is how many faults there are at least; while records are left to send there are more.
const simSteps = 5

func simulate(t *testing.T, seed uint64) {
	time.Sleep(time.Until(time.UnixMilli(base)))
	records := drawn(seed, 100)
	w := newWorld(t, seed, records)
	defer w.close()
	began := time.Now()
	sent := make(chan error, 1)
	go func() { sent <- w.produce(t.Context(), records) }()
	w.start()
	w.start()
	for step, sending := 0, true; sending || step < simSteps; step++ {
		time.Sleep(time.Duration(w.rng.IntN(5000)) * time.Millisecond)
		select {
		case err := <-sent:
			if err != nil {
				t.Fatal(err)
			}
			sending = false
		default:
		}
		w.fault()
	}
	w.calm.Store(true)
	w.log.Info("calm")
	for _, p := range w.processes {
		p.thaw()
	}
	w.drain()
	for _, p := range w.processes {
		w.end(p)
	}
	c := w.judged
	c.read(t.Context(), w)
	if !w.services {
		c.told(w.store.store)
	}
	for _, wrong := range c.wrong {
		t.Errorf("seed %d: %s", seed, wrong)
	}
	t.Logf("%d records, %s simulated, %d topics made again, retention came %d times", len(records), time.Since(began), w.remakes, w.trims)
	if d := truth(t, w.poison.told(records)).differences(asTold(w.store.read())); d != "" {
		t.Errorf("seed %d: rows differ from the ledger:\n%s\n%s", seed, d, describe(records))
	}
}

// drain waits until every record has its rows. It looks at random moments: the pipeline's own beat would show it in the same phase for ever.
func (w *world) drain() {
	for n := range 600 {
		ok, why := w.drained(w.t.Context())
		if ok {
			return
		}
		if n%50 == 49 {
			w.evict(w.t.Context())
		}
		if n == 599 {
			w.t.Fatalf("it does not drain: %s", why)
		}
		time.Sleep(time.Duration(200+w.rng.IntN(600)) * time.Millisecond)
	}
}

// fault does something to somebody. There is always a process left.
func (w *world) fault() {
	some := func() *process { return w.processes[w.rng.IntN(len(w.processes))] }
	switch w.rng.IntN(10) {
	case 0:
		p := some()
		w.log.Sugar().Infof("FAULT kill %s", p.name())
		p.kill()
		w.remove(p)
	case 1:
		p := some()
		w.log.Sugar().Infof("FAULT end %s", p.name())
		w.end(p)
		w.remove(p)
	case 2, 3:
		if len(w.processes) < 3 {
			w.log.Info("FAULT start")
			w.start()
		}
	case 4:
		p := some()
		w.log.Sugar().Infof("FAULT freeze %s", p.name())
		p.freeze()
	case 5:
		w.log.Info("FAULT thaw")
		for _, p := range w.processes {
			p.thaw()
		}
	case 6:
		w.log.Info("FAULT shuffle leaders")
		w.cluster.ShufflePartitionLeaders()
	case 7:
		p := some()
		w.log.Sugar().Infof("FAULT disconnect %s", p.name())
		p.disconnect()
	case 8:
		w.log.Info("FAULT retention")
		w.trim(w.t.Context())
	case 9:
		w.remake(w.t.Context())
	}
	if len(w.processes) == 0 {
		w.start()
	}
}

// end stops a process as SIGTERM does. It may end with an error while others are away: nothing is lost by it.
func (w *world) end(p *process) {
	if err := p.stop(); err != nil {
		w.log.Sugar().Infof("%s ended with %v", p.name(), err)
	}
}
