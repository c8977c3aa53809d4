//go:build unix && !linux

package slab

const mapPopulate = 0 // there is no such flag: pages come as they are touched
