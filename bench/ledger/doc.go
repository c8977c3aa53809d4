// Package ledger is the independent judge: it is fed every raw record as it was produced and recomputes, from the sentences of the
// contract and nothing else, each row that ClickHouse must show. It imports nothing of the pipeline, and a test holds it to that.
//
// Add spills records to compressed temporary files, sharded by record key, so a live run pays little; Finish computes. All measures of
// the contract are functions of one viewer's events, so Finish works viewer by viewer with plain maps.
package ledger
