package festival

import "math"

// source is splitmix64: a few nanoseconds a draw, and the same numbers for a seed on every machine and Go version.
type source uint64

func (s *source) next() uint64 {
	*s += 0x9E3779B97F4A7C15
	return mix(uint64(*s))
}

func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

// below draws from 0 to n−1. The bias of the multiplication is far below what any share here could show.
func (s *source) below(n int) int { return int((s.next() >> 32) * uint64(n) >> 32) }

// between draws from lo to hi, both included.
func (s *source) between(lo, hi int64) int64 { return lo + int64(s.below(int(hi-lo+1))) }

func (s *source) float() float64 { return float64(s.next()>>11) / (1 << 53) }

func (s *source) chance(p float64) bool { return s.float() < p }

// normal draws from the standard normal distribution (Box–Muller, one of the pair).
func (s *source) normal() float64 {
	return math.Sqrt(-2*math.Log(1-s.float())) * math.Cos(2*math.Pi*s.float())
}

func (s *source) logNormal(median, sigma float64) float64 { return median * math.Exp(sigma*s.normal()) }

// alias draws from a discrete distribution in constant time (Vose).
type alias struct {
	keep  []float64
	other []int32
}

// newZipf is the Zipf law with exponent s over n ranks, also for s near 1.
func newZipf(n int, s float64) alias {
	weights := make([]float64, n)
	sum := 0.0
	for i := range weights {
		weights[i] = math.Pow(float64(i+1), -s)
		sum += weights[i]
	}
	a := alias{make([]float64, n), make([]int32, n)}
	var small, large []int32
	for i := range weights {
		weights[i] *= float64(n) / sum
		if weights[i] < 1 {
			small = append(small, int32(i))
		} else {
			large = append(large, int32(i))
		}
	}
	for len(small) > 0 && len(large) > 0 {
		l, g := small[len(small)-1], large[len(large)-1]
		small = small[:len(small)-1]
		a.keep[l], a.other[l] = weights[l], g
		if weights[g] -= 1 - weights[l]; weights[g] < 1 {
			large = large[:len(large)-1]
			small = append(small, g)
		}
	}
	for _, i := range append(small, large...) {
		a.keep[i] = 1
	}
	return a
}

func (a alias) draw(s *source) int {
	i := s.below(len(a.keep))
	if s.float() < a.keep[i] {
		return i
	}
	return int(a.other[i])
}
