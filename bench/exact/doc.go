// Package exact plays small random streams through the stages in memory, with every split, crash, replay and lost acknowledgement that the
// runtime can bring about, and compares the rows with the ledger's truth. It has no engines: what fails here is a stage's fault. The simulation
// (make sim) plays such streams through the runtime, too: on a Kafka in memory, in simulated time, while processes, connections and the store fail. Mutants (make mutants) show
// which broken invariants that notices.
package exact
