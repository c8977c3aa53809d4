package collect

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
)

// Domains keep the pseudonyms of different kinds of names apart: a user id and an equal anon id are two viewers.
const (
	domainFingerprint byte = 0
	domainUser        byte = 'u'
	domainAnon        byte = 'a'
	domainCost        byte = 'c'
	domainStock       byte = 's'
)

// Pseudonyms turns names into 128-bit keyed pseudonyms: AES-CMAC (RFC 4493; AES-256 with a key of 32 bytes) over
//
//	domain byte ‖ length of platform, one byte ‖ platform ‖ id
//
// so that anyone who has the key can compute one with a standard library. The partition of `events` is its upper half modulo the
// number of partitions. Not safe for concurrent use.
type Pseudonyms struct {
	block  cipher.Block
	k1, k2 [16]byte
	x      [16]byte
	msg    []byte // reused
	fpr    uint64
}

// NewPseudonyms takes a key of 16 or 32 bytes.
func NewPseudonyms(key []byte) (*Pseudonyms, error) {
	if len(key) != 16 && len(key) != 32 {
		return nil, fmt.Errorf("pseudonym key: %d bytes, want 16 or 32; every collector of a log needs the same one", len(key))
	}
	b, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("pseudonym key: %w", err)
	}
	p := &Pseudonyms{block: b}
	b.Encrypt(p.k1[:], p.k1[:])
	double(&p.k1)
	p.k2 = p.k1
	double(&p.k2)
	p.msg = append([]byte{domainFingerprint}, "livemeter pseudonym key"...)
	p.fpr, _ = p.sum()
	return p, nil
}

// Fingerprint identifies the key without telling anything about it. It stands in the log's settings: two collectors with different keys
// would double every viewer.
func (p *Pseudonyms) Fingerprint() uint64 { return p.fpr }

// User and Anon are the pseudonyms of a viewer within a platform.
func (p *Pseudonyms) User(platform, id string) (hi, lo uint64) {
	return p.name(domainUser, platform, id)
}
func (p *Pseudonyms) Anon(platform, id string) (hi, lo uint64) {
	return p.name(domainAnon, platform, id)
}

// Cost and Stock hash natural keys of other things than persons, so that they spread over the partitions like viewers.
func (p *Pseudonyms) Cost(platform, costID string) (hi, lo uint64) {
	return p.name(domainCost, platform, costID)
}

// Stock is keyed by (platform, sku, room, session), each but the last with its length in one byte before it.
func (p *Pseudonyms) Stock(platform, sku, room, session string) (hi, lo uint64) {
	p.msg = append(p.msg[:0], domainStock)
	for _, s := range [...]string{platform, sku, room} {
		p.msg = append(append(p.msg, byte(len(s))), s...)
	}
	p.msg = append(p.msg, session...)
	return p.sum()
}

func (p *Pseudonyms) name(domain byte, platform, id string) (hi, lo uint64) {
	m := append(p.msg[:0], domain, byte(len(platform)))
	m = append(m, platform...)
	p.msg = append(m, id...)
	return p.sum()
}

// sum is the CMAC of msg.
func (p *Pseudonyms) sum() (hi, lo uint64) {
	m, x := p.msg, p.x[:]
	clear(x)
	for ; len(m) > 16; m = m[16:] {
		subtle.XORBytes(x, x, m[:16])
		p.block.Encrypt(x, x)
	}
	last := &p.k1
	if len(m) < 16 {
		x[len(m)] ^= 0x80
		last = &p.k2
	}
	subtle.XORBytes(x, x, m)
	subtle.XORBytes(x, x, last[:])
	p.block.Encrypt(x, x)
	return binary.BigEndian.Uint64(x), binary.BigEndian.Uint64(x[8:])
}

// double multiplies by x in GF(2^128), as RFC 4493 makes its subkeys.
func double(k *[16]byte) {
	hi, lo := binary.BigEndian.Uint64(k[:8]), binary.BigEndian.Uint64(k[8:])
	carry := hi >> 63
	hi, lo = hi<<1|lo>>63, lo<<1^carry*0x87
	binary.BigEndian.PutUint64(k[:8], hi)
	binary.BigEndian.PutUint64(k[8:], lo)
}
