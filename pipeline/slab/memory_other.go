//go:build !unix

package slab

type memory struct{}

func newChunk[T any](**memory) *[chunkSize]T { return new([chunkSize]T) }
