//go:build !unix

package slab

type memory struct{}

func newChunk[T any](**memory, bool) *[chunkSize]T { return new([chunkSize]T) }
