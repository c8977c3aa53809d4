// Package runtime is all that touches Kafka between the raw topics and the sink: it polls, calls the stages, flushes rows, and commits. It
// knows what a record of the log is, but not what an event changes.
//
// Three loops, each with its own clients. What they share is no state: the names and the making of topics (topics), which one a name stands for
// (topic_id), what a commit carries beside its offset (commit_mark), metrics (register), how mistakes of a configuration are told
// (mistakes), by which protocol a process is in a group, and whether it is (group_protocol), how often what fails again and again (failing), and small things that stand where they were needed first (pause, isFatal, ago, seconds).
//
//   - The collector (collector_*.go): raw topics to the log. RunCollector lives through sessions; one goroutine owns a session, and a source
//     never sends past a failed record. RunCollector in collector, sessions in collector_session, configuration in collector_config, what must be the log's own
//     (key and zone) in collector_key and log_settings, one raw topic's client in collector_feed, where partitions end, by which idle sources are known, in
//     collector_ends, whether a log was cut off in collector_cut, which have stalled in collector_stall, which partitions there are in collector_metadata, whether it works in collector_health, assignments in collector_assign, whose turn it
//     is in collector_source, blocks and progress in collector_loop and collector_send, offsets in collector_commit, what is under way in collector_flight,
//     dead letters in collector_reject, those that come again in collector_replay, what it panics over in collector_poison, what is too old to be shown in collector_old, counters in collector_metrics.
//   - The reader (reader*.go, flush*.go, checkpoint*.go): a log to a Task and from it to the sink, the next topic and the changelog. The group
//     assigns slots (reader_group); a slot lives through partitions, each from a restore to its end (reader_partition, reader_apply,
//     reader_stop). task is what it runs; reader_output sends what a task emits to the next topic; reader_store holds the rows to one store, poison isolates events over which the task panics.
//     checkpoint, with checkpoint_restore, is the only place where a position moves, by way of changelog, the transactional producer; flush merges the
//     rows of all partitions of the process into one write, flush_pace says how often, flush_failing for how long rows are refused; freshness measures how old they are; what others see of it is in
//     reader_status and reader_metrics; reader_watch asks Kafka while the group has not assigned.
//   - The dead letters (rejected, rejected_metrics): events.rejected to the sink.
package runtime
