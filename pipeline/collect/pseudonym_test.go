package collect

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

// The examples of RFC 4493 §4, and the AES-256 ones of NIST SP 800-38B, D.3.
func TestCMACVectors(t *testing.T) {
	const m = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
	k128, k256 := "2b7e151628aed2a6abf7158809cf4f3c", "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"
	for _, c := range []struct {
		key  string
		n    int
		want string
	}{
		{k128, 16, "070a16b46b4d4144f79bdd9dd04a287c"}, {k128, 40, "dfa66747de9ae63030ca32611497c827"}, {k128, 64, "51f0bebf7e3b9d92fc49741779363cfe"},
		{k256, 16, "28a7023f452e8f82bd4bf28d8c37c35c"}, {k256, 40, "aaf3d8f1de5640c232f5b169b9c911e6"}, {k256, 64, "e1992190549f6ed5696a2c056c315410"},
	} {
		p, err := NewPseudonyms(unhex(c.key))
		if err != nil {
			t.Fatal(err)
		}
		p.msg = append(p.msg[:0], unhex(m)[:c.n]...)
		hi, lo := p.sum()
		if got := fmt.Sprintf("%016x%016x", hi, lo); got != c.want {
			t.Errorf("key of %d bytes, message of %d: got %s, want %s", len(c.key)/2, c.n, got, c.want)
		}
	}
}

func testPseudonyms(t testing.TB) *Pseudonyms {
	p, err := NewPseudonyms(unhex("000102030405060708090a0b0c0d0e0f"))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// These are in logs and tables: they must never change. (openssl mac -macopt cipher:AES-128-CBC -macopt hexkey:000102…0f CMAC
// over the bytes 75 06 "douyin" "u_881" gives the first.)
func TestPseudonymsAreFixed(t *testing.T) {
	p := testPseudonyms(t)
	f := func(hi, lo uint64) string { return fmt.Sprintf("%016x%016x", hi, lo) }
	got := []string{f(p.User("douyin", "u_881")), f(p.Anon("douyin", "u_881")), f(p.User("taobao", "u_881")), f(p.User("douyin", strings.Repeat("x", 128))),
		f(p.Cost("douyin", "u_881")), f(p.Stock("douyin", "sku_310", "r_00042", "ls_1")), fmt.Sprintf("%016x", p.Fingerprint())}
	want := strings.Fields(fixedPseudonyms)
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	seen := map[string]bool{}
	for _, g := range got {
		if seen[g] {
			t.Errorf("%s stands for two names", g)
		}
		seen[g] = true
	}
}

func TestBorderBetweenPlatformAndIDMatters(t *testing.T) {
	p := testPseudonyms(t)
	a, _ := p.User("ab", "c")
	b, _ := p.User("a", "bc")
	if a == b {
		t.Error("(ab, c) and (a, bc) are one viewer")
	}
}

func TestKeyLength(t *testing.T) {
	for _, n := range []int{0, 15, 17, 24, 33} {
		if _, err := NewPseudonyms(make([]byte, n)); err == nil {
			t.Errorf("a key of %d bytes was accepted", n)
		}
	}
}

func BenchmarkPseudonym(b *testing.B) {
	for _, id := range []string{"u_881", "u_0000881", "019b7a52-6a3e-7c11-9f0e-2f6d1c3b5a01"} {
		b.Run(fmt.Sprintf("%dB", len(id)), func(b *testing.B) {
			p := testPseudonyms(b)
			b.ReportAllocs()
			for b.Loop() {
				p.User("douyin", id)
			}
		})
	}
}

const fixedPseudonyms = `
98147a1782092034a5eafcc17008ea38
aae37502f82748837798ee6d8a8046e3
5258a1631a021bff155ab91679d39006
c926e2bfa0eac58eecbdf60a96d7865e
acca028b7c449a1a6c38ae77ad6df4f3
73c461d2c8d8d5062463c2f36f31a98e
74ea1d1c442a97af`
