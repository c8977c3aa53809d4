package ui

import (
	"fmt"
	"time"
)

// How long nothing is told before it is told what is still waited for: who sees nothing for longer thinks that it hangs.
const (
	stillFirst = 2 * time.Second
	stillEvery = 3 * time.Second
)

// Still tells every few seconds what is still being done, unless something else has been told meanwhile by tell. what is asked each time: "starting Kafka".
// stop ends it.
func Still(say func(string), what func() string) (tell func(string), stop func()) {
	began, lines, done, ended := time.Now(), make(chan string), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		next := time.NewTimer(stillFirst)
		defer next.Stop()
		for {
			select {
			case <-done:
				return
			case line := <-lines:
				say(line)
			case <-next.C:
				say(fmt.Sprintf("still %s, for %.0f s", what(), time.Since(began).Seconds()))
			}
			next.Reset(stillEvery)
		}
	}()
	return func(line string) { lines <- line }, func() { close(done); <-ended }
}

// During does what may take long under Still.
func During(say func(string), what func() string, do func() error) error {
	_, stop := Still(say, what)
	defer stop()
	return do()
}
