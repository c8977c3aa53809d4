package enrich

import "github.com/livemeter/livemeter/pipeline/cellkey"

// MarkKeys names every key and string that the state refers to. What was only remembered to save a look-up is dropped.
func (e *Enricher) MarkKeys(m *cellkey.Marks) {
	clear(e.exps)
	clear(e.ledger.keys)
	e.complete.forgetKeys()
	m.String(e.noOrigin)
	for i := uint32(1); i < e.views.Cap(); i++ { // free ones are zero and name nothing
		w := e.views.At(i)
		m.String(w.room)
		m.String(w.origin)
		m.String(w.exps)
		m.Key(w.source)
	}
	for i := uint32(1); i < e.scopes.Cap(); i++ {
		m.Key(e.scopes.At(i).key)
	}
	for i := uint32(1); i < e.gaps.Cap(); i++ {
		m.Key(e.gaps.At(i).key)
	}
	for _, b := range e.buyers {
		if b != nil {
			b.markKeys(m)
		}
	}
}

func (b *buyer) markKeys(m *cellkey.Marks) {
	b.index = nil
	for _, t := range b.touches {
		m.String(t.room)
	}
	if f := b.first; f != nil {
		m.String(f.room)
		m.String(f.exps)
		for _, s := range f.skus {
			m.String(s)
		}
	}
	for _, o := range b.orders {
		for _, x := range o.events {
			m.String(x.room)
			m.String(x.exps)
			m.String(x.currency)
			for _, it := range x.items {
				m.String(it.sku)
			}
		}
	}
}
