-- Generated from sinks/clickhouse: go test ./sinks/clickhouse -run TestSchemaFiles -rewrite

CREATE ROLE IF NOT EXISTS livemeter_analyst;

CREATE ROLE IF NOT EXISTS livemeter_rejected_reader;

GRANT SELECT ON livemeter.room_rows TO livemeter_analyst;

GRANT SELECT ON livemeter.sku_rows TO livemeter_analyst;

GRANT SELECT ON livemeter.source_rows TO livemeter_analyst;

GRANT SELECT ON livemeter.variant_rows TO livemeter_analyst;

GRANT SELECT ON livemeter.room_money_rows TO livemeter_analyst;

GRANT SELECT ON livemeter.sku_money_rows TO livemeter_analyst;

GRANT SELECT ON livemeter.epochs TO livemeter_analyst;

GRANT SELECT ON livemeter.outcomes_rows TO livemeter_analyst;

GRANT SELECT ON livemeter.completeness_rows TO livemeter_analyst;

GRANT SELECT ON livemeter.orders_rows TO livemeter_analyst;

GRANT SELECT ON livemeter.watermarks_rows TO livemeter_analyst;

GRANT SELECT ON livemeter.peaks_taken TO livemeter_analyst;

GRANT SELECT ON livemeter.rejected_rows TO livemeter_rejected_reader;

GRANT SELECT ON livemeter.room_measures_10s TO livemeter_analyst;

GRANT SELECT ON livemeter.room_measures_1m TO livemeter_analyst;

GRANT SELECT ON livemeter.room_measures_1h TO livemeter_analyst;

GRANT SELECT ON livemeter.room_measures_1d TO livemeter_analyst;

GRANT SELECT ON livemeter.room_measures_session TO livemeter_analyst;

GRANT SELECT ON livemeter.room_measures TO livemeter_analyst;

GRANT SELECT ON livemeter.sku_measures_10s TO livemeter_analyst;

GRANT SELECT ON livemeter.sku_measures_1m TO livemeter_analyst;

GRANT SELECT ON livemeter.sku_measures_1h TO livemeter_analyst;

GRANT SELECT ON livemeter.sku_measures_1d TO livemeter_analyst;

GRANT SELECT ON livemeter.sku_measures_session TO livemeter_analyst;

GRANT SELECT ON livemeter.sku_measures TO livemeter_analyst;

GRANT SELECT ON livemeter.source_measures_10s TO livemeter_analyst;

GRANT SELECT ON livemeter.source_measures_1m TO livemeter_analyst;

GRANT SELECT ON livemeter.source_measures_1h TO livemeter_analyst;

GRANT SELECT ON livemeter.source_measures_1d TO livemeter_analyst;

GRANT SELECT ON livemeter.source_measures_session TO livemeter_analyst;

GRANT SELECT ON livemeter.source_measures TO livemeter_analyst;

GRANT SELECT ON livemeter.variant_measures_10s TO livemeter_analyst;

GRANT SELECT ON livemeter.variant_measures_1m TO livemeter_analyst;

GRANT SELECT ON livemeter.variant_measures_1h TO livemeter_analyst;

GRANT SELECT ON livemeter.variant_measures_1d TO livemeter_analyst;

GRANT SELECT ON livemeter.variant_measures_session TO livemeter_analyst;

GRANT SELECT ON livemeter.variant_measures TO livemeter_analyst;

GRANT SELECT ON livemeter.room_money_10s TO livemeter_analyst;

GRANT SELECT ON livemeter.room_money_1m TO livemeter_analyst;

GRANT SELECT ON livemeter.room_money_1h TO livemeter_analyst;

GRANT SELECT ON livemeter.room_money_1d TO livemeter_analyst;

GRANT SELECT ON livemeter.room_money_session TO livemeter_analyst;

GRANT SELECT ON livemeter.room_money TO livemeter_analyst;

GRANT SELECT ON livemeter.sku_money_10s TO livemeter_analyst;

GRANT SELECT ON livemeter.sku_money_1m TO livemeter_analyst;

GRANT SELECT ON livemeter.sku_money_1h TO livemeter_analyst;

GRANT SELECT ON livemeter.sku_money_1d TO livemeter_analyst;

GRANT SELECT ON livemeter.sku_money_session TO livemeter_analyst;

GRANT SELECT ON livemeter.sku_money TO livemeter_analyst;

GRANT SELECT ON livemeter.outcomes TO livemeter_analyst;

GRANT SELECT ON livemeter.completeness TO livemeter_analyst;

GRANT SELECT ON livemeter.orders TO livemeter_analyst;

GRANT SELECT ON livemeter.watermarks TO livemeter_analyst;

GRANT SELECT ON livemeter.rejected TO livemeter_rejected_reader;
