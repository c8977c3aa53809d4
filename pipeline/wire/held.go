package wire

// Held keeps pieces of records until it is known in which record they stand: a piece's strings are told apart from its other bytes, since whether
// they are defined or referred to depends on what the record has before it. The zero Held is empty.
type Held struct {
	w       Writer
	strings []heldString
}

// heldString stands in a piece before the byte at.
type heldString struct {
	at int
	s  string
}

// Piece is one of a Held's pieces: where its bytes and its strings begin and end.
type Piece struct{ from, to, first, last int }

// Hold keeps what write writes.
func (h *Held) Hold(write func(w *Writer)) Piece {
	p := Piece{from: len(h.w.Buf), first: len(h.strings)}
	h.w.held = h
	write(&h.w)
	p.to, p.last = len(h.w.Buf), len(h.strings)
	return p
}

// Put writes a piece as write would have written it.
func (h *Held) Put(w *Writer, p Piece) {
	at := p.from
	for _, x := range h.strings[p.first:p.last] {
		w.Buf = append(w.Buf, h.w.Buf[at:x.at]...)
		w.String(x.s)
		at = x.at
	}
	w.Buf = append(w.Buf, h.w.Buf[at:p.to]...)
}
