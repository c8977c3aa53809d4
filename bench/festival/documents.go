package festival

// costOrStock is a document of a back office: what a campaign cost, how much of a product is left.
func (f *Festival) costOrStock(buf []byte) Record {
	room := f.zipf.draw(&f.rnd)
	rm := &f.rooms[room]
	f.docs++
	typ, topic := "stock", topicStock
	if f.rnd.chance(0.3) {
		typ, topic = "cost", topicCost
	}
	start, n := len(buf), f.rnd.below(100)
	product := f.rnd.below(rm.products)
	b := appendField(buf, typ+"|", int64(n))
	if typ == "stock" {
		b = appendField(appendField(buf, "stock|", int64(room)), "|", int64(product))
	}
	key := len(b)
	client := f.now - f.rnd.between(1, 30)
	b = append(b, `{"event_id":"`...)
	b = f.appendUUID(b, client)
	b = append(append(b, `","schema_version":"1-0-0","type":"`...), typ...)
	platform := platforms[rm.platform]
	if typ == "cost" {
		platform = platforms[n%len(platforms)]
	}
	b = append(append(b, `","platform":"`...), platform...)
	b = appendField(b, `","sdk_instance_id":"erp","seq":`, f.docs)
	b = appendField(b, `,"client_ts":`, client)
	b = append(b, `,"sent_ts":`...)
	f.draft.sent = len(b) - key
	b = appendField(b, "", client+3)
	if typ == "cost" {
		b = appendField(b, `,"cost_id":"cost_`, int64(n))
		b = appendField(b, `","cost_version":`, f.docs)
		b = append(append(b, `,"channel":"`...), channels[n%len(channels)]...)
		b = appendField(b, `","campaign_id":"c_`, int64(n/5))
		b = appendField(b, `","kind":"ads","spend_minor":`, f.rnd.between(100, 1_000_000))
		b = appendField(b, `,"currency":"CNY","period_start":`, f.now-f.now%3_600_000)
		b = appendField(b, `,"period_end":`, f.now-f.now%3_600_000+3_600_000)
	} else {
		b = append(append(b, `,"room_id":"`...), rm.id...)
		b = append(append(b, `","live_session_id":"`...), rm.session...)
		b = f.appendSKU(append(b, '"'), uint32(room), product)
		b = appendField(b, `,"available":`, f.rnd.between(-5, 500))
		b = appendField(b, `,"reserved":3,"stock_version":`, f.docs)
		b = appendField(b, `,"ts":`, client)
	}
	return f.finish(topic, append(b, '}'), start, key)
}
