-- Generated from sinks/clickhouse: go test ./sinks/clickhouse -run TestSchemaFiles -rewrite

CREATE DATABASE IF NOT EXISTS livemeter;

CREATE TABLE IF NOT EXISTS livemeter.room_rows
(
    `epoch` UInt16 COMMENT 'Which log of events the row comes from; views show the active epoch of the table epochs alone',
    `grain` Enum8('10s' = 0, '1m' = 1, '1h' = 2, '1d' = 3, 'session' = 4) COMMENT 'Length of the window: 10s, 1m, 1h in UTC; 1d in the shop\'s zone; session is the whole live session',
    `window_start` DateTime64(3, 'UTC') COMMENT 'Start of the half-open window of event time; of a session the earliest event of the row: join sessions without it',
    `platform` LowCardinality(String) COMMENT 'Platform of the room',
    `room_id` String COMMENT 'Room; \'\' for orders that belong to none',
    `live_session_id` String COMMENT 'Live session of the room; \'\' where the event names none',
    `part` UInt16 COMMENT 'Partition of events that holds this partial; 65535 is the sum of folded partials, 65534 the peak of online',
    `gen` UInt64 COMMENT 'Offset in the log of events that opened this generation of the partial',
    `version` UInt64 COMMENT 'Offset in the log of events up to which the row is true; the highest of a key wins',
    `deleted` UInt8 COMMENT '1: this partial is contained in the folded row and gone',
    `state` UInt8 COMMENT '1 minutes: something but online counts in it, 2 changed after the window was final, 4 closed: never changes again, 8 hours: changed after their day was final, 16 no event of its own is in it',
    `first_event` DateTime64(3, 'UTC') COMMENT 'Earliest event time in the row; 2100 where no event is its own',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the newest event of this window was received; where only whole-view measures or online changed: the newest event that changed them',
    `inserted_at` DateTime DEFAULT now() COMMENT 'When the row reached ClickHouse; what is new since is found by it',
    `runs` Array(Int64) COMMENT 'Three watermarks a partial, ms: its first event, the session\'s gap after its last, its newest event that was later than the gap or 0',
    `contains` Map(UInt16, UInt64) COMMENT 'Folded rows: per partition of events the highest generation that is contained',
    `pane_at` Array(UInt16) COMMENT 'Minutes: the six panes of 10 s, sparsely; keys are 128 · pane + measure, 126 is 1 if the pane changed after it was final, 127 its updated_at' TTL toDate(window_start) + toIntervalDay(15),
    `pane_value` Array(Int64) COMMENT 'Minutes: the six panes of 10 s, sparsely; keys are 128 · pane + measure, 126 is 1 if the pane changed after it was final, 127 its updated_at' TTL toDate(window_start) + toIntervalDay(15),
    `events` Int64 COMMENT 'accepted events of all types. Each is in the room that it names; an order that names none is in the room of its click (\'\' without one), a cost event that names none is not counted',
    `viewers` Int64 COMMENT 'distinct viewers of viewer events',
    `views` Int64 COMMENT 'distinct views, by their first enter',
    `watch_ms` Int64 COMMENT 'Σ watch time in ms, foreground only',
    `effective_views_10s` Int64 COMMENT 'views with more than 10 000 ms of watch in all, in the window of the enter',
    `effective_views_60s` Int64 COMMENT 'views with more than 60 000 ms of watch in all, in the window of the enter',
    `effective_views_300s` Int64 COMMENT 'views with 300 000 ms of watch or more in all, in the window of the enter',
    `bounces` Int64 COMMENT 'closed views under 10 000 ms of watch without an interaction (product_exposure apart), in the window of the enter',
    `online` Int64 COMMENT 'views online at the end of the 10 s pane; longer windows: the peak over their panes',
    `interactions_like` Int64 COMMENT 'Σ count of likes',
    `interactions_comment` Int64 COMMENT 'Σ count of comments',
    `interactions_share` Int64 COMMENT 'Σ count of shares',
    `interactions_follow` Int64 COMMENT 'Σ count of follows',
    `interactions_gift` Int64 COMMENT 'Σ count of gifts',
    `interactions_fan_club_join` Int64 COMMENT 'Σ count of fan club joins',
    `interactions_cart_view` Int64 COMMENT 'Σ count of cart views',
    `interactions_product_click` Int64 COMMENT 'Σ count of product clicks (the same as product_clicks)',
    `interactions_favorite` Int64 COMMENT 'Σ count of favorites',
    `interactions_coupon_claim` Int64 COMMENT 'Σ count of coupon claims',
    `interactions_poll_or_lottery` Int64 COMMENT 'Σ count of polls and lotteries',
    `interactions_dislike_or_report` Int64 COMMENT 'Σ count of dislikes and reports',
    `interactions_product_exposure` Int64 COMMENT 'Σ count of product exposures (the same as product_exposures)',
    `interactions_rating` Int64 COMMENT 'Σ count of ratings; their number is ratings',
    `interaction_events` Int64 COMMENT 'interaction events, product_exposure and rating apart',
    `interactors` Int64 COMMENT 'distinct viewers with a like, comment, share or follow',
    `engagers` Int64 COMMENT 'distinct viewers with any interaction but product_exposure and rating',
    `product_clickers` Int64 COMMENT 'distinct viewers with a product click',
    `ratings` Int64 COMMENT 'rating events',
    `rating_sum` Int64 COMMENT 'Σ rating of rating events',
    `orders_created` Int64 COMMENT 'orders with a created, by its event time',
    `orders_paid` Int64 COMMENT 'orders with a paid, by its event time',
    `buyers` Int64 COMMENT 'distinct buyers of the paid orders',
    `new_buyers` Int64 COMMENT 'buyers whose first paid order on the platform is in this window and room',
    `items_sold` Int64 COMMENT 'Σ qty of the lines of paid',
    `orders_cancelled` Int64 COMMENT 'orders with a cancelled and no paid, by the event time of cancelled',
    `orders_refunded` Int64 COMMENT 'distinct orders with a refund, by refund date',
    `orders_refunded_by_order` Int64 COMMENT 'orders with a refund, in the window of their paid',
    `beyond_horizon` Int64 COMMENT 'events later than the horizon: in sums and counts, not in distinct viewers or online',
    `viewers_in_hour` Int64 COMMENT 'minutes: the first ones of their hour',
    `viewers_in_day` Int64 COMMENT 'the first ones of their day',
    `viewers_in_session` Int64 COMMENT 'the first ones of their live session',
    `interactors_in_hour` Int64 COMMENT 'minutes: the first ones of their hour',
    `interactors_in_day` Int64 COMMENT 'the first ones of their day',
    `interactors_in_session` Int64 COMMENT 'the first ones of their live session',
    `engagers_in_hour` Int64 COMMENT 'minutes: the first ones of their hour',
    `engagers_in_day` Int64 COMMENT 'the first ones of their day',
    `engagers_in_session` Int64 COMMENT 'the first ones of their live session',
    `product_clickers_in_hour` Int64 COMMENT 'minutes: the first ones of their hour',
    `product_clickers_in_day` Int64 COMMENT 'the first ones of their day',
    `product_clickers_in_session` Int64 COMMENT 'the first ones of their live session',
    `buyers_in_hour` Int64 COMMENT 'minutes: the first ones of their hour',
    `buyers_in_day` Int64 COMMENT 'the first ones of their day',
    `buyers_in_session` Int64 COMMENT 'the first ones of their live session',
    `orders_refunded_in_hour` Int64 COMMENT 'minutes: the first ones of their hour',
    `orders_refunded_in_day` Int64 COMMENT 'the first ones of their day',
    `orders_refunded_in_session` Int64 COMMENT 'the first ones of their live session',
    INDEX seen (inserted_at, window_start) TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version, deleted)
PARTITION BY (epoch, if(grain IN ('10s', '1m'), toYYYYMMDD(window_start), 0))
PRIMARY KEY (epoch, grain, toMonday(window_start), platform, room_id, live_session_id)
ORDER BY (epoch, grain, toMonday(window_start), platform, room_id, live_session_id, window_start, part, gen)
TTL multiIf(grain = '1m', toDate(window_start) + toIntervalDay(91), deleted = 1, toStartOfMonth(updated_at) + toIntervalMonth(2), grain = 'session', toStartOfMonth(least(toDateTime(first_event), inserted_at)) + toIntervalMonth(1) + toIntervalDay(1096), grain = '1d', toStartOfMonth(window_start) + toIntervalMonth(1) + toIntervalDay(1096), toStartOfMonth(window_start) + toIntervalMonth(1) + toIntervalDay(1096))
SETTINGS min_age_to_force_merge_seconds = 86400, min_age_to_force_merge_on_partition_only = 1, ratio_of_defaults_for_sparse_serialization = 1, min_bytes_for_wide_part = 67108864
COMMENT 'Partial rows of room_measures: query the view, which adds them up; panes expire toDate(window_start) + toIntervalDay(15); expires multiIf(grain = \'1m\', toDate(window_start) + toIntervalDay(91), deleted = 1, toStartOfMonth(updated_at) + toIntervalMonth(2), grain = \'session\', toStartOfMonth(least(toDateTime(first_event), inserted_at)) + toIntervalMonth(1) + toIntervalDay(1096), grain = \'1d\', toStartOfMonth(window_start) + toIntervalMonth(1) + toIntervalDay(1096), toStartOfMonth(window_start) + toIntervalMonth(1) + toIntervalDay(1096))';

CREATE TABLE IF NOT EXISTS livemeter.sku_rows
(
    `epoch` UInt16 COMMENT 'Which log of events the row comes from; views show the active epoch of the table epochs alone',
    `grain` Enum8('10s' = 0, '1m' = 1, '1h' = 2, '1d' = 3, 'session' = 4) COMMENT 'Length of the window: 10s, 1m, 1h in UTC; 1d in the shop\'s zone; session is the whole live session',
    `window_start` DateTime64(3, 'UTC') COMMENT 'Start of the half-open window of event time; of a session the earliest event of the row: join sessions without it',
    `platform` LowCardinality(String) COMMENT 'Platform of the room',
    `room_id` String COMMENT 'Room; \'\' for orders that belong to none',
    `live_session_id` String COMMENT 'Live session of the room; \'\' where the event names none',
    `sku_id` String COMMENT 'Product named by the event or the order line',
    `part` UInt16 COMMENT 'Partition of events that holds this partial; 65535 is the sum of folded partials, 65534 the peak of online',
    `gen` UInt64 COMMENT 'Offset in the log of events that opened this generation of the partial',
    `version` UInt64 COMMENT 'Offset in the log of events up to which the row is true; the highest of a key wins',
    `deleted` UInt8 COMMENT '1: this partial is contained in the folded row and gone',
    `state` UInt8 COMMENT '1 minutes: something but online counts in it, 2 changed after the window was final, 4 closed: never changes again, 8 hours: changed after their day was final, 16 no event of its own is in it',
    `first_event` DateTime64(3, 'UTC') COMMENT 'Earliest event time in the row; 2100 where no event is its own',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the newest event of this window was received; where only whole-view measures or online changed: the newest event that changed them',
    `inserted_at` DateTime DEFAULT now() COMMENT 'When the row reached ClickHouse; what is new since is found by it',
    `runs` Array(Int64) COMMENT 'Three watermarks a partial, ms: its first event, the session\'s gap after its last, its newest event that was later than the gap or 0',
    `contains` Map(UInt16, UInt64) COMMENT 'Folded rows: per partition of events the highest generation that is contained',
    `pane_at` Array(UInt16) COMMENT 'Minutes: the six panes of 10 s, sparsely; keys are 128 · pane + measure, 126 is 1 if the pane changed after it was final, 127 its updated_at' TTL toDate(window_start) + toIntervalDay(15),
    `pane_value` Array(Int64) COMMENT 'Minutes: the six panes of 10 s, sparsely; keys are 128 · pane + measure, 126 is 1 if the pane changed after it was final, 127 its updated_at' TTL toDate(window_start) + toIntervalDay(15),
    `events` Int64 COMMENT 'accepted events of all types. Each is in the room that it names; an order that names none is in the room of its click (\'\' without one), a cost event that names none is not counted',
    `interactions_like` Int64 COMMENT 'Σ count of likes',
    `interactions_comment` Int64 COMMENT 'Σ count of comments',
    `interactions_share` Int64 COMMENT 'Σ count of shares',
    `interactions_follow` Int64 COMMENT 'Σ count of follows',
    `interactions_gift` Int64 COMMENT 'Σ count of gifts',
    `interactions_fan_club_join` Int64 COMMENT 'Σ count of fan club joins',
    `interactions_cart_view` Int64 COMMENT 'Σ count of cart views',
    `interactions_product_click` Int64 COMMENT 'Σ count of product clicks (the same as product_clicks)',
    `interactions_favorite` Int64 COMMENT 'Σ count of favorites',
    `interactions_coupon_claim` Int64 COMMENT 'Σ count of coupon claims',
    `interactions_poll_or_lottery` Int64 COMMENT 'Σ count of polls and lotteries',
    `interactions_dislike_or_report` Int64 COMMENT 'Σ count of dislikes and reports',
    `interactions_product_exposure` Int64 COMMENT 'Σ count of product exposures (the same as product_exposures)',
    `interactions_rating` Int64 COMMENT 'Σ count of ratings; their number is ratings',
    `interaction_events` Int64 COMMENT 'interaction events, product_exposure and rating apart',
    `interactors` Int64 COMMENT 'distinct viewers with a like, comment, share or follow',
    `engagers` Int64 COMMENT 'distinct viewers with any interaction but product_exposure and rating',
    `product_clickers` Int64 COMMENT 'distinct viewers with a product click',
    `ratings` Int64 COMMENT 'rating events',
    `rating_sum` Int64 COMMENT 'Σ rating of rating events',
    `orders_created` Int64 COMMENT 'orders with a created, by its event time',
    `orders_paid` Int64 COMMENT 'orders with a paid, by its event time',
    `buyers` Int64 COMMENT 'distinct buyers of the paid orders',
    `new_buyers` Int64 COMMENT 'buyers whose first paid order on the platform is in this window and room',
    `items_sold` Int64 COMMENT 'Σ qty of the lines of paid',
    `orders_cancelled` Int64 COMMENT 'orders with a cancelled and no paid, by the event time of cancelled',
    `orders_refunded` Int64 COMMENT 'distinct orders with a refund, by refund date',
    `orders_refunded_by_order` Int64 COMMENT 'orders with a refund, in the window of their paid',
    `beyond_horizon` Int64 COMMENT 'events later than the horizon: in sums and counts, not in distinct viewers or online',
    `interactors_in_hour` Int64 COMMENT 'minutes: the first ones of their hour',
    `interactors_in_day` Int64 COMMENT 'the first ones of their day',
    `interactors_in_session` Int64 COMMENT 'the first ones of their live session',
    `engagers_in_hour` Int64 COMMENT 'minutes: the first ones of their hour',
    `engagers_in_day` Int64 COMMENT 'the first ones of their day',
    `engagers_in_session` Int64 COMMENT 'the first ones of their live session',
    `product_clickers_in_hour` Int64 COMMENT 'minutes: the first ones of their hour',
    `product_clickers_in_day` Int64 COMMENT 'the first ones of their day',
    `product_clickers_in_session` Int64 COMMENT 'the first ones of their live session',
    `buyers_in_hour` Int64 COMMENT 'minutes: the first ones of their hour',
    `buyers_in_day` Int64 COMMENT 'the first ones of their day',
    `buyers_in_session` Int64 COMMENT 'the first ones of their live session',
    `orders_refunded_in_hour` Int64 COMMENT 'minutes: the first ones of their hour',
    `orders_refunded_in_day` Int64 COMMENT 'the first ones of their day',
    `orders_refunded_in_session` Int64 COMMENT 'the first ones of their live session',
    INDEX seen (inserted_at, window_start) TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version, deleted)
PARTITION BY (epoch, if(grain IN ('10s', '1m'), toYYYYMMDD(window_start), 0))
PRIMARY KEY (epoch, grain, toMonday(window_start), platform, room_id, live_session_id, sku_id)
ORDER BY (epoch, grain, toMonday(window_start), platform, room_id, live_session_id, sku_id, window_start, part, gen)
TTL multiIf(grain = '1m', toDate(window_start) + toIntervalDay(91), deleted = 1, toStartOfMonth(updated_at) + toIntervalMonth(2), grain = 'session', toStartOfMonth(least(toDateTime(first_event), inserted_at)) + toIntervalMonth(1) + toIntervalDay(1096), grain = '1d', toStartOfMonth(window_start) + toIntervalMonth(1) + toIntervalDay(1096), toStartOfMonth(window_start) + toIntervalMonth(1) + toIntervalDay(1096))
SETTINGS min_age_to_force_merge_seconds = 86400, min_age_to_force_merge_on_partition_only = 1, ratio_of_defaults_for_sparse_serialization = 1, min_bytes_for_wide_part = 67108864
COMMENT 'Partial rows of sku_measures: query the view, which adds them up; panes expire toDate(window_start) + toIntervalDay(15); expires multiIf(grain = \'1m\', toDate(window_start) + toIntervalDay(91), deleted = 1, toStartOfMonth(updated_at) + toIntervalMonth(2), grain = \'session\', toStartOfMonth(least(toDateTime(first_event), inserted_at)) + toIntervalMonth(1) + toIntervalDay(1096), grain = \'1d\', toStartOfMonth(window_start) + toIntervalMonth(1) + toIntervalDay(1096), toStartOfMonth(window_start) + toIntervalMonth(1) + toIntervalDay(1096))';

CREATE TABLE IF NOT EXISTS livemeter.source_rows
(
    `epoch` UInt16 COMMENT 'Which log of events the row comes from; views show the active epoch of the table epochs alone',
    `grain` Enum8('10s' = 0, '1m' = 1, '1h' = 2, '1d' = 3, 'session' = 4) COMMENT 'Length of the window: 10s, 1m, 1h in UTC; 1d in the shop\'s zone; session is the whole live session',
    `window_start` DateTime64(3, 'UTC') COMMENT 'Start of the half-open window of event time; of a session the earliest event of the row: join sessions without it',
    `platform` LowCardinality(String) COMMENT 'Platform of the room',
    `room_id` String COMMENT 'Room; \'\' for orders that belong to none',
    `live_session_id` String COMMENT 'Live session of the room; \'\' where the event names none',
    `entry_source` String COMMENT 'entry_source of the view\'s first enter, \'\' without one',
    `campaign_id` String COMMENT 'campaign_id of the touch of the view\'s first enter, \'\' without one',
    `part` UInt16 COMMENT 'Partition of events that holds this partial; 65535 is the sum of folded partials, 65534 the peak of online',
    `gen` UInt64 COMMENT 'Offset in the log of events that opened this generation of the partial',
    `version` UInt64 COMMENT 'Offset in the log of events up to which the row is true; the highest of a key wins',
    `deleted` UInt8 COMMENT '1: this partial is contained in the folded row and gone',
    `state` UInt8 COMMENT '1 minutes: something but online counts in it, 2 changed after the window was final, 4 closed: never changes again, 8 hours: changed after their day was final, 16 no event of its own is in it',
    `first_event` DateTime64(3, 'UTC') COMMENT 'Earliest event time in the row; 2100 where no event is its own',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the newest event of this window was received; where only whole-view measures or online changed: the newest event that changed them',
    `inserted_at` DateTime DEFAULT now() COMMENT 'When the row reached ClickHouse; what is new since is found by it',
    `runs` Array(Int64) COMMENT 'Three watermarks a partial, ms: its first event, the session\'s gap after its last, its newest event that was later than the gap or 0',
    `contains` Map(UInt16, UInt64) COMMENT 'Folded rows: per partition of events the highest generation that is contained',
    `pane_at` Array(UInt16) COMMENT 'Minutes: the six panes of 10 s, sparsely; keys are 128 · pane + measure, 126 is 1 if the pane changed after it was final, 127 its updated_at' TTL toDate(window_start) + toIntervalDay(15),
    `pane_value` Array(Int64) COMMENT 'Minutes: the six panes of 10 s, sparsely; keys are 128 · pane + measure, 126 is 1 if the pane changed after it was final, 127 its updated_at' TTL toDate(window_start) + toIntervalDay(15),
    `viewers` Int64 COMMENT 'distinct viewers of viewer events',
    `views` Int64 COMMENT 'distinct views, by their first enter',
    `watch_ms` Int64 COMMENT 'Σ watch time in ms of the whole views that entered in this window',
    `effective_views_10s` Int64 COMMENT 'views with more than 10 000 ms of watch in all, in the window of the enter',
    `effective_views_60s` Int64 COMMENT 'views with more than 60 000 ms of watch in all, in the window of the enter',
    `effective_views_300s` Int64 COMMENT 'views with 300 000 ms of watch or more in all, in the window of the enter',
    `bounces` Int64 COMMENT 'closed views under 10 000 ms of watch without an interaction (product_exposure apart), in the window of the enter',
    `beyond_horizon` Int64 COMMENT 'events later than the horizon: in sums and counts, not in distinct viewers or online',
    `viewers_in_hour` Int64 COMMENT 'minutes: the first ones of their hour',
    `viewers_in_day` Int64 COMMENT 'the first ones of their day',
    `viewers_in_session` Int64 COMMENT 'the first ones of their live session',
    INDEX seen (inserted_at, window_start) TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version, deleted)
PARTITION BY (epoch, if(grain IN ('10s', '1m'), toYYYYMMDD(window_start), 0))
PRIMARY KEY (epoch, grain, toMonday(window_start), platform, room_id, live_session_id, entry_source, campaign_id)
ORDER BY (epoch, grain, toMonday(window_start), platform, room_id, live_session_id, entry_source, campaign_id, window_start, part, gen)
TTL multiIf(grain = '1m', toDate(window_start) + toIntervalDay(91), deleted = 1, toStartOfMonth(updated_at) + toIntervalMonth(2), grain = 'session', toStartOfMonth(least(toDateTime(first_event), inserted_at)) + toIntervalMonth(1) + toIntervalDay(1096), grain = '1d', toStartOfMonth(window_start) + toIntervalMonth(1) + toIntervalDay(1096), toStartOfMonth(window_start) + toIntervalMonth(1) + toIntervalDay(1096))
SETTINGS min_age_to_force_merge_seconds = 86400, min_age_to_force_merge_on_partition_only = 1, ratio_of_defaults_for_sparse_serialization = 1, min_bytes_for_wide_part = 67108864
COMMENT 'Partial rows of source_measures: query the view, which adds them up; panes expire toDate(window_start) + toIntervalDay(15); expires multiIf(grain = \'1m\', toDate(window_start) + toIntervalDay(91), deleted = 1, toStartOfMonth(updated_at) + toIntervalMonth(2), grain = \'session\', toStartOfMonth(least(toDateTime(first_event), inserted_at)) + toIntervalMonth(1) + toIntervalDay(1096), grain = \'1d\', toStartOfMonth(window_start) + toIntervalMonth(1) + toIntervalDay(1096), toStartOfMonth(window_start) + toIntervalMonth(1) + toIntervalDay(1096))';

CREATE TABLE IF NOT EXISTS livemeter.variant_rows
(
    `epoch` UInt16 COMMENT 'Which log of events the row comes from; views show the active epoch of the table epochs alone',
    `grain` Enum8('10s' = 0, '1m' = 1, '1h' = 2, '1d' = 3, 'session' = 4) COMMENT 'Length of the window: 10s, 1m, 1h in UTC; 1d in the shop\'s zone; session is the whole live session',
    `window_start` DateTime64(3, 'UTC') COMMENT 'Start of the half-open window of event time; of a session the earliest event of the row: join sessions without it',
    `platform` LowCardinality(String) COMMENT 'Platform of the room',
    `room_id` String COMMENT 'Room; \'\' for orders that belong to none',
    `live_session_id` String COMMENT 'Live session of the room; \'\' where the event names none',
    `experiment_id` String COMMENT 'Experiment named by the event, for whole views by their enter',
    `variant` String COMMENT 'Variant of the experiment',
    `part` UInt16 COMMENT 'Partition of events that holds this partial; 65535 is the sum of folded partials, 65534 the peak of online',
    `gen` UInt64 COMMENT 'Offset in the log of events that opened this generation of the partial',
    `version` UInt64 COMMENT 'Offset in the log of events up to which the row is true; the highest of a key wins',
    `deleted` UInt8 COMMENT '1: this partial is contained in the folded row and gone',
    `state` UInt8 COMMENT '1 minutes: something but online counts in it, 2 changed after the window was final, 4 closed: never changes again, 8 hours: changed after their day was final, 16 no event of its own is in it',
    `first_event` DateTime64(3, 'UTC') COMMENT 'Earliest event time in the row; 2100 where no event is its own',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the newest event of this window was received; where only whole-view measures or online changed: the newest event that changed them',
    `inserted_at` DateTime DEFAULT now() COMMENT 'When the row reached ClickHouse; what is new since is found by it',
    `runs` Array(Int64) COMMENT 'Three watermarks a partial, ms: its first event, the session\'s gap after its last, its newest event that was later than the gap or 0',
    `contains` Map(UInt16, UInt64) COMMENT 'Folded rows: per partition of events the highest generation that is contained',
    `pane_at` Array(UInt16) COMMENT 'Minutes: the six panes of 10 s, sparsely; keys are 128 · pane + measure, 126 is 1 if the pane changed after it was final, 127 its updated_at' TTL toDate(window_start) + toIntervalDay(15),
    `pane_value` Array(Int64) COMMENT 'Minutes: the six panes of 10 s, sparsely; keys are 128 · pane + measure, 126 is 1 if the pane changed after it was final, 127 its updated_at' TTL toDate(window_start) + toIntervalDay(15),
    `events` Int64 COMMENT 'accepted events of all types. Each is in the room that it names; an order that names none is in the room of its click (\'\' without one), a cost event that names none is not counted',
    `viewers` Int64 COMMENT 'distinct viewers of viewer events',
    `views` Int64 COMMENT 'distinct views, by their first enter',
    `watch_ms` Int64 COMMENT 'Σ watch time in ms, foreground only',
    `effective_views_10s` Int64 COMMENT 'views with more than 10 000 ms of watch in all, in the window of the enter',
    `effective_views_60s` Int64 COMMENT 'views with more than 60 000 ms of watch in all, in the window of the enter',
    `effective_views_300s` Int64 COMMENT 'views with 300 000 ms of watch or more in all, in the window of the enter',
    `bounces` Int64 COMMENT 'closed views under 10 000 ms of watch without an interaction (product_exposure apart), in the window of the enter',
    `online` Int64 COMMENT 'views online at the end of the 10 s pane; longer windows: the peak over their panes',
    `interactions_like` Int64 COMMENT 'Σ count of likes',
    `interactions_comment` Int64 COMMENT 'Σ count of comments',
    `interactions_share` Int64 COMMENT 'Σ count of shares',
    `interactions_follow` Int64 COMMENT 'Σ count of follows',
    `interactions_gift` Int64 COMMENT 'Σ count of gifts',
    `interactions_fan_club_join` Int64 COMMENT 'Σ count of fan club joins',
    `interactions_cart_view` Int64 COMMENT 'Σ count of cart views',
    `interactions_product_click` Int64 COMMENT 'Σ count of product clicks (the same as product_clicks)',
    `interactions_favorite` Int64 COMMENT 'Σ count of favorites',
    `interactions_coupon_claim` Int64 COMMENT 'Σ count of coupon claims',
    `interactions_poll_or_lottery` Int64 COMMENT 'Σ count of polls and lotteries',
    `interactions_dislike_or_report` Int64 COMMENT 'Σ count of dislikes and reports',
    `interactions_product_exposure` Int64 COMMENT 'Σ count of product exposures (the same as product_exposures)',
    `interactions_rating` Int64 COMMENT 'Σ count of ratings; their number is ratings',
    `interaction_events` Int64 COMMENT 'interaction events, product_exposure and rating apart',
    `interactors` Int64 COMMENT 'distinct viewers with a like, comment, share or follow',
    `engagers` Int64 COMMENT 'distinct viewers with any interaction but product_exposure and rating',
    `product_clickers` Int64 COMMENT 'distinct viewers with a product click',
    `ratings` Int64 COMMENT 'rating events',
    `rating_sum` Int64 COMMENT 'Σ rating of rating events',
    `orders_created` Int64 COMMENT 'orders with a created, by its event time',
    `orders_paid` Int64 COMMENT 'orders with a paid, by its event time',
    `buyers` Int64 COMMENT 'distinct buyers of the paid orders',
    `new_buyers` Int64 COMMENT 'buyers whose first paid order on the platform is in this window and room',
    `items_sold` Int64 COMMENT 'Σ qty of the lines of paid',
    `orders_cancelled` Int64 COMMENT 'orders with a cancelled and no paid, by the event time of cancelled',
    `orders_refunded` Int64 COMMENT 'distinct orders with a refund, by refund date',
    `orders_refunded_by_order` Int64 COMMENT 'orders with a refund, in the window of their paid',
    `beyond_horizon` Int64 COMMENT 'events later than the horizon: in sums and counts, not in distinct viewers or online',
    `viewers_in_hour` Int64 COMMENT 'minutes: the first ones of their hour',
    `viewers_in_day` Int64 COMMENT 'the first ones of their day',
    `viewers_in_session` Int64 COMMENT 'the first ones of their live session',
    `interactors_in_hour` Int64 COMMENT 'minutes: the first ones of their hour',
    `interactors_in_day` Int64 COMMENT 'the first ones of their day',
    `interactors_in_session` Int64 COMMENT 'the first ones of their live session',
    `engagers_in_hour` Int64 COMMENT 'minutes: the first ones of their hour',
    `engagers_in_day` Int64 COMMENT 'the first ones of their day',
    `engagers_in_session` Int64 COMMENT 'the first ones of their live session',
    `product_clickers_in_hour` Int64 COMMENT 'minutes: the first ones of their hour',
    `product_clickers_in_day` Int64 COMMENT 'the first ones of their day',
    `product_clickers_in_session` Int64 COMMENT 'the first ones of their live session',
    `buyers_in_hour` Int64 COMMENT 'minutes: the first ones of their hour',
    `buyers_in_day` Int64 COMMENT 'the first ones of their day',
    `buyers_in_session` Int64 COMMENT 'the first ones of their live session',
    `orders_refunded_in_hour` Int64 COMMENT 'minutes: the first ones of their hour',
    `orders_refunded_in_day` Int64 COMMENT 'the first ones of their day',
    `orders_refunded_in_session` Int64 COMMENT 'the first ones of their live session',
    INDEX seen (inserted_at, window_start) TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version, deleted)
PARTITION BY (epoch, if(grain IN ('10s', '1m'), toYYYYMMDD(window_start), 0))
PRIMARY KEY (epoch, grain, toMonday(window_start), platform, room_id, live_session_id, experiment_id, variant)
ORDER BY (epoch, grain, toMonday(window_start), platform, room_id, live_session_id, experiment_id, variant, window_start, part, gen)
TTL multiIf(grain = '1m', toDate(window_start) + toIntervalDay(91), deleted = 1, toStartOfMonth(updated_at) + toIntervalMonth(2), grain = 'session', toStartOfMonth(least(toDateTime(first_event), inserted_at)) + toIntervalMonth(1) + toIntervalDay(1096), grain = '1d', toStartOfMonth(window_start) + toIntervalMonth(1) + toIntervalDay(1096), toStartOfMonth(window_start) + toIntervalMonth(1) + toIntervalDay(1096))
SETTINGS min_age_to_force_merge_seconds = 86400, min_age_to_force_merge_on_partition_only = 1, ratio_of_defaults_for_sparse_serialization = 1, min_bytes_for_wide_part = 67108864
COMMENT 'Partial rows of variant_measures: query the view, which adds them up; panes expire toDate(window_start) + toIntervalDay(15); expires multiIf(grain = \'1m\', toDate(window_start) + toIntervalDay(91), deleted = 1, toStartOfMonth(updated_at) + toIntervalMonth(2), grain = \'session\', toStartOfMonth(least(toDateTime(first_event), inserted_at)) + toIntervalMonth(1) + toIntervalDay(1096), grain = \'1d\', toStartOfMonth(window_start) + toIntervalMonth(1) + toIntervalDay(1096), toStartOfMonth(window_start) + toIntervalMonth(1) + toIntervalDay(1096))';

CREATE TABLE IF NOT EXISTS livemeter.room_money_rows
(
    `epoch` UInt16 COMMENT 'Which log of events the row comes from; views show the active epoch of the table epochs alone',
    `grain` Enum8('10s' = 0, '1m' = 1, '1h' = 2, '1d' = 3, 'session' = 4) COMMENT 'Length of the window: 10s, 1m, 1h in UTC; 1d in the shop\'s zone; session is the whole live session',
    `window_start` DateTime64(3, 'UTC') COMMENT 'Start of the half-open window of event time; of a session the earliest event of the row: join sessions without it',
    `platform` LowCardinality(String) COMMENT 'Platform of the room',
    `room_id` String COMMENT 'Room; \'\' for orders that belong to none',
    `live_session_id` String COMMENT 'Live session of the room; \'\' where the event names none',
    `currency` LowCardinality(String) COMMENT 'ISO 4217 currency of all amounts of the row; amounts of two currencies are never added',
    `part` UInt16 COMMENT 'Partition of events that holds this partial; 65535 is the sum of folded partials, 65534 the peak of online',
    `gen` UInt64 COMMENT 'Offset in the log of events that opened this generation of the partial',
    `version` UInt64 COMMENT 'Offset in the log of events up to which the row is true; the highest of a key wins',
    `deleted` UInt8 COMMENT '1: this partial is contained in the folded row and gone',
    `state` UInt8 COMMENT '1 minutes: something but online counts in it, 2 changed after the window was final, 4 closed: never changes again, 8 hours: changed after their day was final, 16 no event of its own is in it',
    `first_event` DateTime64(3, 'UTC') COMMENT 'Earliest event time in the row; 2100 where no event is its own',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the newest event of this window was received; where only whole-view measures or online changed: the newest event that changed them',
    `inserted_at` DateTime DEFAULT now() COMMENT 'When the row reached ClickHouse; what is new since is found by it',
    `runs` Array(Int64) COMMENT 'Three watermarks a partial, ms: its first event, the session\'s gap after its last, its newest event that was later than the gap or 0',
    `contains` Map(UInt16, UInt64) COMMENT 'Folded rows: per partition of events the highest generation that is contained',
    `pane_at` Array(UInt16) COMMENT 'Minutes: the six panes of 10 s, sparsely; keys are 128 · pane + measure, 126 is 1 if the pane changed after it was final, 127 its updated_at' TTL toDate(window_start) + toIntervalDay(15),
    `pane_value` Array(Int64) COMMENT 'Minutes: the six panes of 10 s, sparsely; keys are 128 · pane + measure, 126 is 1 if the pane changed after it was final, 127 its updated_at' TTL toDate(window_start) + toIntervalDay(15),
    `gift_minor` Int64 COMMENT 'Σ gift_value_minor',
    `gmv_created_minor` Int64 COMMENT 'Σ (goods − discount) of created',
    `deposit_minor` Int64 COMMENT 'Σ paid_minor of deposit_paid',
    `gmv_paid_minor` Int64 COMMENT 'Σ paid_minor of paid, deposit included',
    `refund_minor` Int64 COMMENT 'Σ refund.minor of distinct refunds, by refund date',
    `refund_minor_by_order` Int64 COMMENT 'Σ refund.minor of distinct refunds, in the window of the order\'s paid',
    `settled_minor` Int64 COMMENT 'paid_minor − refunds so far, of settled',
    INDEX seen (inserted_at, window_start) TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version, deleted)
PARTITION BY (epoch, if(grain IN ('10s', '1m'), toYYYYMMDD(window_start), 0))
PRIMARY KEY (epoch, grain, toMonday(window_start), platform, room_id, live_session_id, currency)
ORDER BY (epoch, grain, toMonday(window_start), platform, room_id, live_session_id, currency, window_start, part, gen)
TTL multiIf(grain = '1m', toDate(window_start) + toIntervalDay(91), deleted = 1, toStartOfMonth(updated_at) + toIntervalMonth(2), grain = 'session', toStartOfMonth(least(toDateTime(first_event), inserted_at)) + toIntervalMonth(1) + toIntervalDay(1096), grain = '1d', toStartOfMonth(window_start) + toIntervalMonth(1) + toIntervalDay(1096), toStartOfMonth(window_start) + toIntervalMonth(1) + toIntervalDay(1096))
SETTINGS min_age_to_force_merge_seconds = 86400, min_age_to_force_merge_on_partition_only = 1, ratio_of_defaults_for_sparse_serialization = 1, min_bytes_for_wide_part = 67108864
COMMENT 'Partial rows of room_money: query the view, which adds them up; panes expire toDate(window_start) + toIntervalDay(15); expires multiIf(grain = \'1m\', toDate(window_start) + toIntervalDay(91), deleted = 1, toStartOfMonth(updated_at) + toIntervalMonth(2), grain = \'session\', toStartOfMonth(least(toDateTime(first_event), inserted_at)) + toIntervalMonth(1) + toIntervalDay(1096), grain = \'1d\', toStartOfMonth(window_start) + toIntervalMonth(1) + toIntervalDay(1096), toStartOfMonth(window_start) + toIntervalMonth(1) + toIntervalDay(1096))';

CREATE TABLE IF NOT EXISTS livemeter.sku_money_rows
(
    `epoch` UInt16 COMMENT 'Which log of events the row comes from; views show the active epoch of the table epochs alone',
    `grain` Enum8('10s' = 0, '1m' = 1, '1h' = 2, '1d' = 3, 'session' = 4) COMMENT 'Length of the window: 10s, 1m, 1h in UTC; 1d in the shop\'s zone; session is the whole live session',
    `window_start` DateTime64(3, 'UTC') COMMENT 'Start of the half-open window of event time; of a session the earliest event of the row: join sessions without it',
    `platform` LowCardinality(String) COMMENT 'Platform of the room',
    `room_id` String COMMENT 'Room; \'\' for orders that belong to none',
    `live_session_id` String COMMENT 'Live session of the room; \'\' where the event names none',
    `sku_id` String COMMENT 'Product named by the event or the order line',
    `currency` LowCardinality(String) COMMENT 'ISO 4217 currency of all amounts of the row; amounts of two currencies are never added',
    `part` UInt16 COMMENT 'Partition of events that holds this partial; 65535 is the sum of folded partials, 65534 the peak of online',
    `gen` UInt64 COMMENT 'Offset in the log of events that opened this generation of the partial',
    `version` UInt64 COMMENT 'Offset in the log of events up to which the row is true; the highest of a key wins',
    `deleted` UInt8 COMMENT '1: this partial is contained in the folded row and gone',
    `state` UInt8 COMMENT '1 minutes: something but online counts in it, 2 changed after the window was final, 4 closed: never changes again, 8 hours: changed after their day was final, 16 no event of its own is in it',
    `first_event` DateTime64(3, 'UTC') COMMENT 'Earliest event time in the row; 2100 where no event is its own',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the newest event of this window was received; where only whole-view measures or online changed: the newest event that changed them',
    `inserted_at` DateTime DEFAULT now() COMMENT 'When the row reached ClickHouse; what is new since is found by it',
    `runs` Array(Int64) COMMENT 'Three watermarks a partial, ms: its first event, the session\'s gap after its last, its newest event that was later than the gap or 0',
    `contains` Map(UInt16, UInt64) COMMENT 'Folded rows: per partition of events the highest generation that is contained',
    `pane_at` Array(UInt16) COMMENT 'Minutes: the six panes of 10 s, sparsely; keys are 128 · pane + measure, 126 is 1 if the pane changed after it was final, 127 its updated_at' TTL toDate(window_start) + toIntervalDay(15),
    `pane_value` Array(Int64) COMMENT 'Minutes: the six panes of 10 s, sparsely; keys are 128 · pane + measure, 126 is 1 if the pane changed after it was final, 127 its updated_at' TTL toDate(window_start) + toIntervalDay(15),
    `gmv_paid_minor` Int64 COMMENT 'Σ paid_minor of the SKU\'s lines',
    `refund_minor` Int64 COMMENT 'Σ refund.minor of the SKU\'s lines, by refund date; a refund without line_id, or of a line that items does not have, is in room_money alone',
    `refund_minor_by_order` Int64 COMMENT 'Σ refund.minor of the SKU\'s lines, in the window of the order\'s paid; as refund_minor, without refunds of no known line',
    INDEX seen (inserted_at, window_start) TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version, deleted)
PARTITION BY (epoch, if(grain IN ('10s', '1m'), toYYYYMMDD(window_start), 0))
PRIMARY KEY (epoch, grain, toMonday(window_start), platform, room_id, live_session_id, sku_id, currency)
ORDER BY (epoch, grain, toMonday(window_start), platform, room_id, live_session_id, sku_id, currency, window_start, part, gen)
TTL multiIf(grain = '1m', toDate(window_start) + toIntervalDay(91), deleted = 1, toStartOfMonth(updated_at) + toIntervalMonth(2), grain = 'session', toStartOfMonth(least(toDateTime(first_event), inserted_at)) + toIntervalMonth(1) + toIntervalDay(1096), grain = '1d', toStartOfMonth(window_start) + toIntervalMonth(1) + toIntervalDay(1096), toStartOfMonth(window_start) + toIntervalMonth(1) + toIntervalDay(1096))
SETTINGS min_age_to_force_merge_seconds = 86400, min_age_to_force_merge_on_partition_only = 1, ratio_of_defaults_for_sparse_serialization = 1, min_bytes_for_wide_part = 67108864
COMMENT 'Partial rows of sku_money: query the view, which adds them up; panes expire toDate(window_start) + toIntervalDay(15); expires multiIf(grain = \'1m\', toDate(window_start) + toIntervalDay(91), deleted = 1, toStartOfMonth(updated_at) + toIntervalMonth(2), grain = \'session\', toStartOfMonth(least(toDateTime(first_event), inserted_at)) + toIntervalMonth(1) + toIntervalDay(1096), grain = \'1d\', toStartOfMonth(window_start) + toIntervalMonth(1) + toIntervalDay(1096), toStartOfMonth(window_start) + toIntervalMonth(1) + toIntervalDay(1096))';

CREATE TABLE IF NOT EXISTS livemeter.epochs
(
    `epoch` UInt16 COMMENT 'Number of the epoch, from 1',
    `events_topic_id` UUID COMMENT 'Kafka\'s id of the topic events',
    `active` UInt8 COMMENT '1: views may show this epoch',
    `created_at` DateTime64(3, 'UTC') COMMENT 'When the line was written; the last one of an epoch counts'
)
ENGINE = ReplacingMergeTree(created_at)
ORDER BY epoch
COMMENT 'Logs of events there were; readers see the highest active one';

CREATE TABLE IF NOT EXISTS livemeter.outcomes_rows
(
    `epoch` UInt16 COMMENT 'Which log of events the row comes from; views show the active epoch of the table epochs alone',
    `source_topic` LowCardinality(String) COMMENT 'Raw topic, with prefix',
    `source_partition` Int32 COMMENT 'Partition of the raw topic',
    `minute` DateTime64(3, 'UTC') COMMENT 'Start of the minute of receive time',
    `outcome` LowCardinality(String) COMMENT 'accepted, duplicate or invalid',
    `reason` LowCardinality(String) COMMENT 'Why invalid, else \'\'',
    `part` UInt16 COMMENT 'Partition of events that counted',
    `gen` UInt64 COMMENT 'Offset in the log of events that opened this generation of the partial',
    `version` UInt64 COMMENT 'Offset in the log of events up to which the row is true; the highest of a key wins',
    `records` Int64 COMMENT 'Records with this outcome'
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY (epoch, toYYYYMM(minute))
ORDER BY (epoch, source_topic, source_partition, minute, outcome, reason, part, gen)
TTL toStartOfMonth(minute) + toIntervalMonth(1) + toIntervalDay(1096)
COMMENT 'Partial rows of outcomes: query the view; expires toStartOfMonth(minute) + toIntervalMonth(1) + toIntervalDay(1096)';

CREATE TABLE IF NOT EXISTS livemeter.completeness_rows
(
    `epoch` UInt16 COMMENT 'Which log of events the row comes from; views show the active epoch of the table epochs alone',
    `platform` LowCardinality(String) COMMENT 'Platform',
    `kind` LowCardinality(String) COMMENT 'What is numbered: seq of an SDK instance, versions of order, cost, stock',
    `sdk_name` LowCardinality(String) COMMENT 'sdk.name of the event, \'\' without one',
    `sdk_version` LowCardinality(String) COMMENT 'sdk.version of the event, \'\' without one',
    `minute` DateTime64(3, 'UTC') COMMENT 'Start of the minute of receive time',
    `part` UInt16 COMMENT 'Partition of events that counted',
    `gen` UInt64 COMMENT 'Offset in the log of events that opened this generation of the partial',
    `version` UInt64 COMMENT 'Offset in the log of events up to which the row is true; the highest of a key wins',
    `expected` Int64 COMMENT 'Numbers received, and those below each down to the next one received',
    `received` Int64 COMMENT 'Numbers received, of rejected events too, each once',
    `late` Int64 COMMENT 'Of them: behind a higher one in the log'
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY (epoch, toYYYYMM(minute))
ORDER BY (epoch, platform, kind, sdk_name, sdk_version, minute, part, gen)
TTL toStartOfMonth(minute) + toIntervalMonth(1) + toIntervalDay(1096)
COMMENT 'Partial rows of completeness: query the view; expires toStartOfMonth(minute) + toIntervalMonth(1) + toIntervalDay(1096)';

CREATE TABLE IF NOT EXISTS livemeter.orders_rows
(
    `epoch` UInt16 COMMENT 'Which log of events the row comes from; views show the active epoch of the table epochs alone',
    `platform` LowCardinality(String) COMMENT 'Platform of the shop',
    `order_id` String COMMENT 'Order',
    `buyer` FixedString(16) COMMENT 'Pseudonym of the buyer',
    `state` LowCardinality(String) COMMENT 'State of the highest order_version',
    `order_version` Int64 COMMENT 'Highest version seen',
    `room_id` String COMMENT 'Room of the highest version, \'\' without one',
    `live_session_id` String COMMENT 'Live session of the highest version',
    `currency` LowCardinality(String) COMMENT 'Currency of the amounts',
    `paid_minor` Int64 COMMENT 'Paid so far, of the highest version',
    `refund_minor` Int64 COMMENT 'Σ of all refunds, each by its highest version',
    `created_ts` DateTime64(3, 'UTC') COMMENT 'Event time of created, 1970 if unknown',
    `paid_ts` DateTime64(3, 'UTC') COMMENT 'Event time of paid, 1970 if unknown',
    `event_ts` DateTime64(3, 'UTC') COMMENT 'Event time of the highest version',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'Receive time of the last event of the order',
    `version` UInt64 COMMENT 'Offset in the log of events up to which the row is true; the highest of a key wins'
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY epoch
ORDER BY (epoch, platform, order_id, buyer)
TTL toStartOfMonth(updated_at) + toIntervalMonth(1) + toIntervalDay(1096)
COMMENT 'Versions of orders: query the view orders; expires toStartOfMonth(updated_at) + toIntervalMonth(1) + toIntervalDay(1096)';

CREATE TABLE IF NOT EXISTS livemeter.watermarks_rows
(
    `epoch` UInt16 COMMENT 'Which log of events the row comes from; views show the active epoch of the table epochs alone',
    `part` UInt16 COMMENT 'Partition of events',
    `version` SimpleAggregateFunction(max, UInt64) COMMENT 'Offset in this partition',
    `watermark` SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'Whatever was received before this time is counted in the rows; 1970 while unknown',
    `final_before` SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'Windows that end at this or before it are final: the watermark less the lateness',
    `hours_told` SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'Hours that begin before this are final and read from rows of their own, later ones from those of their minutes'
)
ENGINE = AggregatingMergeTree
ORDER BY (epoch, part)
COMMENT 'How far each partition of events has come: query the view watermarks';

CREATE TABLE IF NOT EXISTS livemeter.peaks_taken
(
    `epoch` UInt16 COMMENT 'Which log of events the peaks come from',
    `cube` LowCardinality(String) COMMENT 'View that shows the peaks',
    `grain` Enum8('10s' = 0, '1m' = 1, '1h' = 2, '1d' = 3, 'session' = 4) COMMENT 'Length of the windows that have the peaks',
    `taken_until` DateTime('UTC') COMMENT 'All rows with an earlier inserted_at are in the peaks'
)
ENGINE = ReplacingMergeTree
ORDER BY (epoch, cube, grain)
COMMENT 'How far the peaks of online have been taken, for a roller that starts';

CREATE TABLE IF NOT EXISTS livemeter.rejected_rows
(
    `source_topic` LowCardinality(String) COMMENT 'Raw topic, with prefix',
    `topic_id` UUID COMMENT 'Kafka\'s id of the raw topic',
    `source_partition` Int32 COMMENT 'Partition of the raw topic',
    `source_offset` Int64 COMMENT 'Offset of the record',
    `received_ts` DateTime64(3, 'UTC') COMMENT 'Receive time of the record',
    `reason` LowCardinality(String) COMMENT 'Why the record is invalid',
    `field` LowCardinality(String) COMMENT 'Path of the field that is wrong, \'\' where it is the whole record',
    `original` String COMMENT 'The record\'s bytes as they came; only the first of them where original_length is more',
    `original_length` Int64 COMMENT 'Bytes of the record as it came: more than length(original) where events.rejected could not take it whole'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMMDD(received_ts)
ORDER BY (topic_id, source_partition, source_offset)
TTL toDateTime(received_ts) + toIntervalDay(7)
COMMENT 'Invalid records with their original bytes, kept seven days: query the view rejected; expires toDateTime(received_ts) + toIntervalDay(7)';

CREATE OR REPLACE VIEW livemeter.room_measures_10s
(
    `grain` Enum8('10s' = 0, '1m' = 1, '1h' = 2, '1d' = 3, 'session' = 4) COMMENT 'Length of the window: 10s, 1m, 1h in UTC; 1d in the shop\'s zone; session is the whole live session',
    `window_start` DateTime64(3, 'UTC') COMMENT 'Start of the half-open window of event time; of a session the earliest event of the row: join sessions without it',
    `platform` LowCardinality(String) COMMENT 'Platform of the room',
    `room_id` String COMMENT 'Room; \'\' for orders that belong to none',
    `live_session_id` String COMMENT 'Live session of the room; \'\' where the event names none',
    `status` LowCardinality(String) COMMENT 'provisional: the watermark of some partition has not passed the window\'s end and the lateness (a session: the gap after its last event); final: that of all has; corrected: final, and an event came after that',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the newest event of this window was received; where only whole-view measures or online changed: the newest event that changed them',
    `beyond_horizon` Int64 COMMENT 'events later than the horizon: in sums and counts, not in distinct viewers or online',
    `events` Int64 COMMENT 'accepted events of all types. Each is in the room that it names; an order that names none is in the room of its click (\'\' without one), a cost event that names none is not counted',
    `viewers` Int64 COMMENT 'distinct viewers of viewer events',
    `views` Int64 COMMENT 'distinct views, by their first enter',
    `watch_ms` Int64 COMMENT 'Σ watch time in ms, foreground only',
    `effective_views_10s` Int64 COMMENT 'views with more than 10 000 ms of watch in all, in the window of the enter',
    `effective_views_60s` Int64 COMMENT 'views with more than 60 000 ms of watch in all, in the window of the enter',
    `effective_views_300s` Int64 COMMENT 'views with 300 000 ms of watch or more in all, in the window of the enter',
    `bounces` Int64 COMMENT 'closed views under 10 000 ms of watch without an interaction (product_exposure apart), in the window of the enter',
    `online` Int64 COMMENT 'views online at the end of the 10 s pane; longer windows: the peak over their panes',
    `interactions_like` Int64 COMMENT 'Σ count of likes',
    `interactions_comment` Int64 COMMENT 'Σ count of comments',
    `interactions_share` Int64 COMMENT 'Σ count of shares',
    `interactions_follow` Int64 COMMENT 'Σ count of follows',
    `interactions_gift` Int64 COMMENT 'Σ count of gifts',
    `interactions_fan_club_join` Int64 COMMENT 'Σ count of fan club joins',
    `interactions_cart_view` Int64 COMMENT 'Σ count of cart views',
    `interactions_product_click` Int64 COMMENT 'Σ count of product clicks (the same as product_clicks)',
    `interactions_favorite` Int64 COMMENT 'Σ count of favorites',
    `interactions_coupon_claim` Int64 COMMENT 'Σ count of coupon claims',
    `interactions_poll_or_lottery` Int64 COMMENT 'Σ count of polls and lotteries',
    `interactions_dislike_or_report` Int64 COMMENT 'Σ count of dislikes and reports',
    `interactions_product_exposure` Int64 COMMENT 'Σ count of product exposures (the same as product_exposures)',
    `interactions_rating` Int64 COMMENT 'Σ count of ratings; their number is ratings',
    `interaction_events` Int64 COMMENT 'interaction events, product_exposure and rating apart',
    `interactors` Int64 COMMENT 'distinct viewers with a like, comment, share or follow',
    `engagers` Int64 COMMENT 'distinct viewers with any interaction but product_exposure and rating',
    `product_exposures` Int64 COMMENT 'Σ count of product exposures',
    `product_clicks` Int64 COMMENT 'Σ count of product clicks',
    `product_clickers` Int64 COMMENT 'distinct viewers with a product click',
    `ratings` Int64 COMMENT 'rating events',
    `rating_sum` Int64 COMMENT 'Σ rating of rating events',
    `orders_created` Int64 COMMENT 'orders with a created, by its event time',
    `orders_paid` Int64 COMMENT 'orders with a paid, by its event time',
    `buyers` Int64 COMMENT 'distinct buyers of the paid orders',
    `new_buyers` Int64 COMMENT 'buyers whose first paid order on the platform is in this window and room',
    `items_sold` Int64 COMMENT 'Σ qty of the lines of paid',
    `orders_cancelled` Int64 COMMENT 'orders with a cancelled and no paid, by the event time of cancelled',
    `orders_refunded` Int64 COMMENT 'distinct orders with a refund, by refund date',
    `orders_refunded_by_order` Int64 COMMENT 'orders with a refund, in the window of their paid'
)
AS
SELECT defaultValueOfTypeName('Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS grain, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS window_start, defaultValueOfTypeName('LowCardinality(String)') AS platform, defaultValueOfTypeName('String') AS room_id, defaultValueOfTypeName('String') AS live_session_id, defaultValueOfTypeName('LowCardinality(String)') AS status, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS updated_at, defaultValueOfTypeName('Int64') AS beyond_horizon, defaultValueOfTypeName('Int64') AS events, defaultValueOfTypeName('Int64') AS viewers, defaultValueOfTypeName('Int64') AS views, defaultValueOfTypeName('Int64') AS watch_ms, defaultValueOfTypeName('Int64') AS effective_views_10s, defaultValueOfTypeName('Int64') AS effective_views_60s, defaultValueOfTypeName('Int64') AS effective_views_300s, defaultValueOfTypeName('Int64') AS bounces, defaultValueOfTypeName('Int64') AS online, defaultValueOfTypeName('Int64') AS interactions_like, defaultValueOfTypeName('Int64') AS interactions_comment, defaultValueOfTypeName('Int64') AS interactions_share, defaultValueOfTypeName('Int64') AS interactions_follow, defaultValueOfTypeName('Int64') AS interactions_gift, defaultValueOfTypeName('Int64') AS interactions_fan_club_join, defaultValueOfTypeName('Int64') AS interactions_cart_view, defaultValueOfTypeName('Int64') AS interactions_product_click, defaultValueOfTypeName('Int64') AS interactions_favorite, defaultValueOfTypeName('Int64') AS interactions_coupon_claim, defaultValueOfTypeName('Int64') AS interactions_poll_or_lottery, defaultValueOfTypeName('Int64') AS interactions_dislike_or_report, defaultValueOfTypeName('Int64') AS interactions_product_exposure, defaultValueOfTypeName('Int64') AS interactions_rating, defaultValueOfTypeName('Int64') AS interaction_events, defaultValueOfTypeName('Int64') AS interactors, defaultValueOfTypeName('Int64') AS engagers, defaultValueOfTypeName('Int64') AS product_exposures, defaultValueOfTypeName('Int64') AS product_clicks, defaultValueOfTypeName('Int64') AS product_clickers, defaultValueOfTypeName('Int64') AS ratings, defaultValueOfTypeName('Int64') AS rating_sum, defaultValueOfTypeName('Int64') AS orders_created, defaultValueOfTypeName('Int64') AS orders_paid, defaultValueOfTypeName('Int64') AS buyers, defaultValueOfTypeName('Int64') AS new_buyers, defaultValueOfTypeName('Int64') AS items_sold, defaultValueOfTypeName('Int64') AS orders_cancelled, defaultValueOfTypeName('Int64') AS orders_refunded, defaultValueOfTypeName('Int64') AS orders_refunded_by_order
FROM system.one
WHERE (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).1 < toDateTime64(0, 3, 'UTC')
UNION ALL
SELECT
    r.row_grain AS grain,
    r.window_start AS window_start,
    r.platform AS platform,
    r.room_id AS room_id,
    r.live_session_id AS live_session_id,
    multiIf(r.window_start + toIntervalSecond(10) > (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).3, 'provisional', max(r.pane_value[indexOf(r.pane_at, r.pane + 126)]) > 0, 'corrected', 'final') AS status,
    fromUnixTimestamp64Milli(if(max(r.pane_value[indexOf(r.pane_at, r.pane + 127)]) > 0, max(r.pane_value[indexOf(r.pane_at, r.pane + 127)]), -min(r.pane_value[indexOf(r.pane_at, r.pane + 127)])), 'UTC') AS updated_at,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 2)]) AS beyond_horizon,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 0)]) AS events,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 3)]) AS viewers,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 8)]) AS views,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 1)]) AS watch_ms,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 9)]) AS effective_views_10s,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 10)]) AS effective_views_60s,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 11)]) AS effective_views_300s,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 12)]) AS bounces,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 13)]) AS online,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 16)]) AS interactions_like,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 17)]) AS interactions_comment,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 18)]) AS interactions_share,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 19)]) AS interactions_follow,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 20)]) AS interactions_gift,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 21)]) AS interactions_fan_club_join,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 22)]) AS interactions_cart_view,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 23)]) AS interactions_product_click,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 24)]) AS interactions_favorite,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 25)]) AS interactions_coupon_claim,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 26)]) AS interactions_poll_or_lottery,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 27)]) AS interactions_dislike_or_report,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 28)]) AS interactions_product_exposure,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 29)]) AS interactions_rating,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 30)]) AS interaction_events,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 32)]) AS interactors,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 40)]) AS engagers,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 28)]) AS product_exposures,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 23)]) AS product_clicks,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 48)]) AS product_clickers,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 37)]) AS ratings,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 31)]) AS rating_sum,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 56)]) AS orders_created,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 57)]) AS orders_paid,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 64)]) AS buyers,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 60)]) AS new_buyers,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 58)]) AS items_sold,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 59)]) AS orders_cancelled,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 72)]) AS orders_refunded,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 61)]) AS orders_refunded_by_order
FROM (SELECT CAST('10s', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, r.window_start + toIntervalSecond(0) AS window_start, 0 AS pane, r.platform, r.room_id, r.live_session_id, r.pane_at, r.pane_value
FROM livemeter.room_rows AS r FINAL
WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1m' AND has(r.pane_at, toUInt16(127))
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1
UNION ALL
SELECT CAST('10s', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, r.window_start + toIntervalSecond(10) AS window_start, 128 AS pane, r.platform, r.room_id, r.live_session_id, r.pane_at, r.pane_value
FROM livemeter.room_rows AS r FINAL
WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1m' AND has(r.pane_at, toUInt16(255))
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1
UNION ALL
SELECT CAST('10s', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, r.window_start + toIntervalSecond(20) AS window_start, 256 AS pane, r.platform, r.room_id, r.live_session_id, r.pane_at, r.pane_value
FROM livemeter.room_rows AS r FINAL
WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1m' AND has(r.pane_at, toUInt16(383))
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1
UNION ALL
SELECT CAST('10s', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, r.window_start + toIntervalSecond(30) AS window_start, 384 AS pane, r.platform, r.room_id, r.live_session_id, r.pane_at, r.pane_value
FROM livemeter.room_rows AS r FINAL
WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1m' AND has(r.pane_at, toUInt16(511))
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1
UNION ALL
SELECT CAST('10s', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, r.window_start + toIntervalSecond(40) AS window_start, 512 AS pane, r.platform, r.room_id, r.live_session_id, r.pane_at, r.pane_value
FROM livemeter.room_rows AS r FINAL
WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1m' AND has(r.pane_at, toUInt16(639))
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1
UNION ALL
SELECT CAST('10s', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, r.window_start + toIntervalSecond(50) AS window_start, 640 AS pane, r.platform, r.room_id, r.live_session_id, r.pane_at, r.pane_value
FROM livemeter.room_rows AS r FINAL
WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1m' AND has(r.pane_at, toUInt16(767))
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1) AS r
GROUP BY r.row_grain, r.window_start, r.platform, r.room_id, r.live_session_id
COMMENT 'The grain 10s of room_measures (ddb72143dcdc)';

CREATE OR REPLACE VIEW livemeter.room_measures_1m
(
    `grain` Enum8('10s' = 0, '1m' = 1, '1h' = 2, '1d' = 3, 'session' = 4) COMMENT 'Length of the window: 10s, 1m, 1h in UTC; 1d in the shop\'s zone; session is the whole live session',
    `window_start` DateTime64(3, 'UTC') COMMENT 'Start of the half-open window of event time; of a session the earliest event of the row: join sessions without it',
    `platform` LowCardinality(String) COMMENT 'Platform of the room',
    `room_id` String COMMENT 'Room; \'\' for orders that belong to none',
    `live_session_id` String COMMENT 'Live session of the room; \'\' where the event names none',
    `status` LowCardinality(String) COMMENT 'provisional: the watermark of some partition has not passed the window\'s end and the lateness (a session: the gap after its last event); final: that of all has; corrected: final, and an event came after that',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the newest event of this window was received; where only whole-view measures or online changed: the newest event that changed them',
    `beyond_horizon` Int64 COMMENT 'events later than the horizon: in sums and counts, not in distinct viewers or online',
    `events` Int64 COMMENT 'accepted events of all types. Each is in the room that it names; an order that names none is in the room of its click (\'\' without one), a cost event that names none is not counted',
    `viewers` Int64 COMMENT 'distinct viewers of viewer events',
    `views` Int64 COMMENT 'distinct views, by their first enter',
    `watch_ms` Int64 COMMENT 'Σ watch time in ms, foreground only',
    `effective_views_10s` Int64 COMMENT 'views with more than 10 000 ms of watch in all, in the window of the enter',
    `effective_views_60s` Int64 COMMENT 'views with more than 60 000 ms of watch in all, in the window of the enter',
    `effective_views_300s` Int64 COMMENT 'views with 300 000 ms of watch or more in all, in the window of the enter',
    `bounces` Int64 COMMENT 'closed views under 10 000 ms of watch without an interaction (product_exposure apart), in the window of the enter',
    `online` Int64 COMMENT 'views online at the end of the 10 s pane; longer windows: the peak over their panes',
    `interactions_like` Int64 COMMENT 'Σ count of likes',
    `interactions_comment` Int64 COMMENT 'Σ count of comments',
    `interactions_share` Int64 COMMENT 'Σ count of shares',
    `interactions_follow` Int64 COMMENT 'Σ count of follows',
    `interactions_gift` Int64 COMMENT 'Σ count of gifts',
    `interactions_fan_club_join` Int64 COMMENT 'Σ count of fan club joins',
    `interactions_cart_view` Int64 COMMENT 'Σ count of cart views',
    `interactions_product_click` Int64 COMMENT 'Σ count of product clicks (the same as product_clicks)',
    `interactions_favorite` Int64 COMMENT 'Σ count of favorites',
    `interactions_coupon_claim` Int64 COMMENT 'Σ count of coupon claims',
    `interactions_poll_or_lottery` Int64 COMMENT 'Σ count of polls and lotteries',
    `interactions_dislike_or_report` Int64 COMMENT 'Σ count of dislikes and reports',
    `interactions_product_exposure` Int64 COMMENT 'Σ count of product exposures (the same as product_exposures)',
    `interactions_rating` Int64 COMMENT 'Σ count of ratings; their number is ratings',
    `interaction_events` Int64 COMMENT 'interaction events, product_exposure and rating apart',
    `interactors` Int64 COMMENT 'distinct viewers with a like, comment, share or follow',
    `engagers` Int64 COMMENT 'distinct viewers with any interaction but product_exposure and rating',
    `product_exposures` Int64 COMMENT 'Σ count of product exposures',
    `product_clicks` Int64 COMMENT 'Σ count of product clicks',
    `product_clickers` Int64 COMMENT 'distinct viewers with a product click',
    `ratings` Int64 COMMENT 'rating events',
    `rating_sum` Int64 COMMENT 'Σ rating of rating events',
    `orders_created` Int64 COMMENT 'orders with a created, by its event time',
    `orders_paid` Int64 COMMENT 'orders with a paid, by its event time',
    `buyers` Int64 COMMENT 'distinct buyers of the paid orders',
    `new_buyers` Int64 COMMENT 'buyers whose first paid order on the platform is in this window and room',
    `items_sold` Int64 COMMENT 'Σ qty of the lines of paid',
    `orders_cancelled` Int64 COMMENT 'orders with a cancelled and no paid, by the event time of cancelled',
    `orders_refunded` Int64 COMMENT 'distinct orders with a refund, by refund date',
    `orders_refunded_by_order` Int64 COMMENT 'orders with a refund, in the window of their paid'
)
AS
SELECT defaultValueOfTypeName('Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS grain, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS window_start, defaultValueOfTypeName('LowCardinality(String)') AS platform, defaultValueOfTypeName('String') AS room_id, defaultValueOfTypeName('String') AS live_session_id, defaultValueOfTypeName('LowCardinality(String)') AS status, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS updated_at, defaultValueOfTypeName('Int64') AS beyond_horizon, defaultValueOfTypeName('Int64') AS events, defaultValueOfTypeName('Int64') AS viewers, defaultValueOfTypeName('Int64') AS views, defaultValueOfTypeName('Int64') AS watch_ms, defaultValueOfTypeName('Int64') AS effective_views_10s, defaultValueOfTypeName('Int64') AS effective_views_60s, defaultValueOfTypeName('Int64') AS effective_views_300s, defaultValueOfTypeName('Int64') AS bounces, defaultValueOfTypeName('Int64') AS online, defaultValueOfTypeName('Int64') AS interactions_like, defaultValueOfTypeName('Int64') AS interactions_comment, defaultValueOfTypeName('Int64') AS interactions_share, defaultValueOfTypeName('Int64') AS interactions_follow, defaultValueOfTypeName('Int64') AS interactions_gift, defaultValueOfTypeName('Int64') AS interactions_fan_club_join, defaultValueOfTypeName('Int64') AS interactions_cart_view, defaultValueOfTypeName('Int64') AS interactions_product_click, defaultValueOfTypeName('Int64') AS interactions_favorite, defaultValueOfTypeName('Int64') AS interactions_coupon_claim, defaultValueOfTypeName('Int64') AS interactions_poll_or_lottery, defaultValueOfTypeName('Int64') AS interactions_dislike_or_report, defaultValueOfTypeName('Int64') AS interactions_product_exposure, defaultValueOfTypeName('Int64') AS interactions_rating, defaultValueOfTypeName('Int64') AS interaction_events, defaultValueOfTypeName('Int64') AS interactors, defaultValueOfTypeName('Int64') AS engagers, defaultValueOfTypeName('Int64') AS product_exposures, defaultValueOfTypeName('Int64') AS product_clicks, defaultValueOfTypeName('Int64') AS product_clickers, defaultValueOfTypeName('Int64') AS ratings, defaultValueOfTypeName('Int64') AS rating_sum, defaultValueOfTypeName('Int64') AS orders_created, defaultValueOfTypeName('Int64') AS orders_paid, defaultValueOfTypeName('Int64') AS buyers, defaultValueOfTypeName('Int64') AS new_buyers, defaultValueOfTypeName('Int64') AS items_sold, defaultValueOfTypeName('Int64') AS orders_cancelled, defaultValueOfTypeName('Int64') AS orders_refunded, defaultValueOfTypeName('Int64') AS orders_refunded_by_order
FROM system.one
WHERE (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).1 < toDateTime64(0, 3, 'UTC')
UNION ALL
SELECT
    r.row_grain AS grain,
    r.window_start AS window_start,
    r.platform AS platform,
    r.room_id AS room_id,
    r.live_session_id AS live_session_id,
    multiIf(r.window_start + toIntervalMinute(1) > (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).3, 'provisional', max(bitAnd(r.state, 2)) != 0, 'corrected', 'final') AS status,
    max((bitAnd(r.state, 16) = 0, r.updated_at)).2 AS updated_at,
    sum(r.beyond_horizon) AS beyond_horizon,
    sum(r.events) AS events,
    sum(r.viewers) AS viewers,
    sum(r.views) AS views,
    sum(r.watch_ms) AS watch_ms,
    sum(r.effective_views_10s) AS effective_views_10s,
    sum(r.effective_views_60s) AS effective_views_60s,
    sum(r.effective_views_300s) AS effective_views_300s,
    sum(r.bounces) AS bounces,
    sum(r.online) AS online,
    sum(r.interactions_like) AS interactions_like,
    sum(r.interactions_comment) AS interactions_comment,
    sum(r.interactions_share) AS interactions_share,
    sum(r.interactions_follow) AS interactions_follow,
    sum(r.interactions_gift) AS interactions_gift,
    sum(r.interactions_fan_club_join) AS interactions_fan_club_join,
    sum(r.interactions_cart_view) AS interactions_cart_view,
    sum(r.interactions_product_click) AS interactions_product_click,
    sum(r.interactions_favorite) AS interactions_favorite,
    sum(r.interactions_coupon_claim) AS interactions_coupon_claim,
    sum(r.interactions_poll_or_lottery) AS interactions_poll_or_lottery,
    sum(r.interactions_dislike_or_report) AS interactions_dislike_or_report,
    sum(r.interactions_product_exposure) AS interactions_product_exposure,
    sum(r.interactions_rating) AS interactions_rating,
    sum(r.interaction_events) AS interaction_events,
    sum(r.interactors) AS interactors,
    sum(r.engagers) AS engagers,
    sum(r.interactions_product_exposure) AS product_exposures,
    sum(r.interactions_product_click) AS product_clicks,
    sum(r.product_clickers) AS product_clickers,
    sum(r.ratings) AS ratings,
    sum(r.rating_sum) AS rating_sum,
    sum(r.orders_created) AS orders_created,
    sum(r.orders_paid) AS orders_paid,
    sum(r.buyers) AS buyers,
    sum(r.new_buyers) AS new_buyers,
    sum(r.items_sold) AS items_sold,
    sum(r.orders_cancelled) AS orders_cancelled,
    sum(r.orders_refunded) AS orders_refunded,
    sum(r.orders_refunded_by_order) AS orders_refunded_by_order
FROM (SELECT r.grain AS row_grain, r.* FROM livemeter.room_rows AS r FINAL WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1m'
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1) AS r
GROUP BY r.row_grain, r.window_start, r.platform, r.room_id, r.live_session_id
COMMENT 'The grain 1m of room_measures (832920908e83)';

CREATE OR REPLACE VIEW livemeter.room_measures_1h
(
    `grain` Enum8('10s' = 0, '1m' = 1, '1h' = 2, '1d' = 3, 'session' = 4) COMMENT 'Length of the window: 10s, 1m, 1h in UTC; 1d in the shop\'s zone; session is the whole live session',
    `window_start` DateTime64(3, 'UTC') COMMENT 'Start of the half-open window of event time; of a session the earliest event of the row: join sessions without it',
    `platform` LowCardinality(String) COMMENT 'Platform of the room',
    `room_id` String COMMENT 'Room; \'\' for orders that belong to none',
    `live_session_id` String COMMENT 'Live session of the room; \'\' where the event names none',
    `status` LowCardinality(String) COMMENT 'provisional: the watermark of some partition has not passed the window\'s end and the lateness (a session: the gap after its last event); final: that of all has; corrected: final, and an event came after that',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the newest event of this window was received; where only whole-view measures or online changed: the newest event that changed them',
    `beyond_horizon` Int64 COMMENT 'events later than the horizon: in sums and counts, not in distinct viewers or online',
    `events` Int64 COMMENT 'accepted events of all types. Each is in the room that it names; an order that names none is in the room of its click (\'\' without one), a cost event that names none is not counted',
    `viewers` Int64 COMMENT 'distinct viewers of viewer events',
    `views` Int64 COMMENT 'distinct views, by their first enter',
    `watch_ms` Int64 COMMENT 'Σ watch time in ms, foreground only',
    `effective_views_10s` Int64 COMMENT 'views with more than 10 000 ms of watch in all, in the window of the enter',
    `effective_views_60s` Int64 COMMENT 'views with more than 60 000 ms of watch in all, in the window of the enter',
    `effective_views_300s` Int64 COMMENT 'views with 300 000 ms of watch or more in all, in the window of the enter',
    `bounces` Int64 COMMENT 'closed views under 10 000 ms of watch without an interaction (product_exposure apart), in the window of the enter',
    `online` Int64 COMMENT 'views online at the end of the 10 s pane; longer windows: the peak over their panes',
    `interactions_like` Int64 COMMENT 'Σ count of likes',
    `interactions_comment` Int64 COMMENT 'Σ count of comments',
    `interactions_share` Int64 COMMENT 'Σ count of shares',
    `interactions_follow` Int64 COMMENT 'Σ count of follows',
    `interactions_gift` Int64 COMMENT 'Σ count of gifts',
    `interactions_fan_club_join` Int64 COMMENT 'Σ count of fan club joins',
    `interactions_cart_view` Int64 COMMENT 'Σ count of cart views',
    `interactions_product_click` Int64 COMMENT 'Σ count of product clicks (the same as product_clicks)',
    `interactions_favorite` Int64 COMMENT 'Σ count of favorites',
    `interactions_coupon_claim` Int64 COMMENT 'Σ count of coupon claims',
    `interactions_poll_or_lottery` Int64 COMMENT 'Σ count of polls and lotteries',
    `interactions_dislike_or_report` Int64 COMMENT 'Σ count of dislikes and reports',
    `interactions_product_exposure` Int64 COMMENT 'Σ count of product exposures (the same as product_exposures)',
    `interactions_rating` Int64 COMMENT 'Σ count of ratings; their number is ratings',
    `interaction_events` Int64 COMMENT 'interaction events, product_exposure and rating apart',
    `interactors` Int64 COMMENT 'distinct viewers with a like, comment, share or follow',
    `engagers` Int64 COMMENT 'distinct viewers with any interaction but product_exposure and rating',
    `product_exposures` Int64 COMMENT 'Σ count of product exposures',
    `product_clicks` Int64 COMMENT 'Σ count of product clicks',
    `product_clickers` Int64 COMMENT 'distinct viewers with a product click',
    `ratings` Int64 COMMENT 'rating events',
    `rating_sum` Int64 COMMENT 'Σ rating of rating events',
    `orders_created` Int64 COMMENT 'orders with a created, by its event time',
    `orders_paid` Int64 COMMENT 'orders with a paid, by its event time',
    `buyers` Int64 COMMENT 'distinct buyers of the paid orders',
    `new_buyers` Int64 COMMENT 'buyers whose first paid order on the platform is in this window and room',
    `items_sold` Int64 COMMENT 'Σ qty of the lines of paid',
    `orders_cancelled` Int64 COMMENT 'orders with a cancelled and no paid, by the event time of cancelled',
    `orders_refunded` Int64 COMMENT 'distinct orders with a refund, by refund date',
    `orders_refunded_by_order` Int64 COMMENT 'orders with a refund, in the window of their paid'
)
AS
SELECT defaultValueOfTypeName('Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS grain, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS window_start, defaultValueOfTypeName('LowCardinality(String)') AS platform, defaultValueOfTypeName('String') AS room_id, defaultValueOfTypeName('String') AS live_session_id, defaultValueOfTypeName('LowCardinality(String)') AS status, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS updated_at, defaultValueOfTypeName('Int64') AS beyond_horizon, defaultValueOfTypeName('Int64') AS events, defaultValueOfTypeName('Int64') AS viewers, defaultValueOfTypeName('Int64') AS views, defaultValueOfTypeName('Int64') AS watch_ms, defaultValueOfTypeName('Int64') AS effective_views_10s, defaultValueOfTypeName('Int64') AS effective_views_60s, defaultValueOfTypeName('Int64') AS effective_views_300s, defaultValueOfTypeName('Int64') AS bounces, defaultValueOfTypeName('Int64') AS online, defaultValueOfTypeName('Int64') AS interactions_like, defaultValueOfTypeName('Int64') AS interactions_comment, defaultValueOfTypeName('Int64') AS interactions_share, defaultValueOfTypeName('Int64') AS interactions_follow, defaultValueOfTypeName('Int64') AS interactions_gift, defaultValueOfTypeName('Int64') AS interactions_fan_club_join, defaultValueOfTypeName('Int64') AS interactions_cart_view, defaultValueOfTypeName('Int64') AS interactions_product_click, defaultValueOfTypeName('Int64') AS interactions_favorite, defaultValueOfTypeName('Int64') AS interactions_coupon_claim, defaultValueOfTypeName('Int64') AS interactions_poll_or_lottery, defaultValueOfTypeName('Int64') AS interactions_dislike_or_report, defaultValueOfTypeName('Int64') AS interactions_product_exposure, defaultValueOfTypeName('Int64') AS interactions_rating, defaultValueOfTypeName('Int64') AS interaction_events, defaultValueOfTypeName('Int64') AS interactors, defaultValueOfTypeName('Int64') AS engagers, defaultValueOfTypeName('Int64') AS product_exposures, defaultValueOfTypeName('Int64') AS product_clicks, defaultValueOfTypeName('Int64') AS product_clickers, defaultValueOfTypeName('Int64') AS ratings, defaultValueOfTypeName('Int64') AS rating_sum, defaultValueOfTypeName('Int64') AS orders_created, defaultValueOfTypeName('Int64') AS orders_paid, defaultValueOfTypeName('Int64') AS buyers, defaultValueOfTypeName('Int64') AS new_buyers, defaultValueOfTypeName('Int64') AS items_sold, defaultValueOfTypeName('Int64') AS orders_cancelled, defaultValueOfTypeName('Int64') AS orders_refunded, defaultValueOfTypeName('Int64') AS orders_refunded_by_order
FROM system.one
WHERE (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).1 < toDateTime64(0, 3, 'UTC')
UNION ALL
SELECT
    r.row_grain AS grain,
    r.hour AS window_start,
    r.platform AS platform,
    r.room_id AS room_id,
    r.live_session_id AS live_session_id,
    multiIf(r.hour + toIntervalHour(1) > (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).3, 'provisional', max(if(r.grain = '1h', bitAnd(r.state, 2), 0)) != 0, 'corrected', 'final') AS status,
    max((bitAnd(r.state, 16) = 0, r.updated_at)).2 AS updated_at,
    sum(r.beyond_horizon) AS beyond_horizon,
    sum(r.events) AS events,
    sum(if(r.grain = '1m', r.viewers_in_hour, r.viewers)) AS viewers,
    sum(r.views) AS views,
    sum(r.watch_ms) AS watch_ms,
    sum(r.effective_views_10s) AS effective_views_10s,
    sum(r.effective_views_60s) AS effective_views_60s,
    sum(r.effective_views_300s) AS effective_views_300s,
    sum(r.bounces) AS bounces,
    sum(r.online) AS online,
    sum(r.interactions_like) AS interactions_like,
    sum(r.interactions_comment) AS interactions_comment,
    sum(r.interactions_share) AS interactions_share,
    sum(r.interactions_follow) AS interactions_follow,
    sum(r.interactions_gift) AS interactions_gift,
    sum(r.interactions_fan_club_join) AS interactions_fan_club_join,
    sum(r.interactions_cart_view) AS interactions_cart_view,
    sum(r.interactions_product_click) AS interactions_product_click,
    sum(r.interactions_favorite) AS interactions_favorite,
    sum(r.interactions_coupon_claim) AS interactions_coupon_claim,
    sum(r.interactions_poll_or_lottery) AS interactions_poll_or_lottery,
    sum(r.interactions_dislike_or_report) AS interactions_dislike_or_report,
    sum(r.interactions_product_exposure) AS interactions_product_exposure,
    sum(r.interactions_rating) AS interactions_rating,
    sum(r.interaction_events) AS interaction_events,
    sum(if(r.grain = '1m', r.interactors_in_hour, r.interactors)) AS interactors,
    sum(if(r.grain = '1m', r.engagers_in_hour, r.engagers)) AS engagers,
    sum(r.interactions_product_exposure) AS product_exposures,
    sum(r.interactions_product_click) AS product_clicks,
    sum(if(r.grain = '1m', r.product_clickers_in_hour, r.product_clickers)) AS product_clickers,
    sum(r.ratings) AS ratings,
    sum(r.rating_sum) AS rating_sum,
    sum(r.orders_created) AS orders_created,
    sum(r.orders_paid) AS orders_paid,
    sum(if(r.grain = '1m', r.buyers_in_hour, r.buyers)) AS buyers,
    sum(r.new_buyers) AS new_buyers,
    sum(r.items_sold) AS items_sold,
    sum(r.orders_cancelled) AS orders_cancelled,
    sum(if(r.grain = '1m', r.orders_refunded_in_hour, r.orders_refunded)) AS orders_refunded,
    sum(r.orders_refunded_by_order) AS orders_refunded_by_order
FROM (SELECT CAST('1h', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, CAST(r.window_start, 'DateTime64(3, \'UTC\')') AS hour, r.* FROM livemeter.room_rows AS r FINAL WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1h' AND (r.window_start < (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).2 OR r.part = 65534)
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1
UNION ALL
SELECT CAST('1h', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, CAST(toStartOfHour(r.window_start, 'UTC'), 'DateTime64(3, \'UTC\')') AS hour, r.* FROM livemeter.room_rows AS r FINAL WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1m' AND bitAnd(r.state, 1) != 0 AND r.window_start >= (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).2 AND r.part != 65534
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1) AS r
GROUP BY r.row_grain, r.hour, r.platform, r.room_id, r.live_session_id
COMMENT 'The grain 1h of room_measures (47bc6e61bab9)';

CREATE OR REPLACE VIEW livemeter.room_measures_1d
(
    `grain` Enum8('10s' = 0, '1m' = 1, '1h' = 2, '1d' = 3, 'session' = 4) COMMENT 'Length of the window: 10s, 1m, 1h in UTC; 1d in the shop\'s zone; session is the whole live session',
    `window_start` DateTime64(3, 'UTC') COMMENT 'Start of the half-open window of event time; of a session the earliest event of the row: join sessions without it',
    `platform` LowCardinality(String) COMMENT 'Platform of the room',
    `room_id` String COMMENT 'Room; \'\' for orders that belong to none',
    `live_session_id` String COMMENT 'Live session of the room; \'\' where the event names none',
    `status` LowCardinality(String) COMMENT 'provisional: the watermark of some partition has not passed the window\'s end and the lateness (a session: the gap after its last event); final: that of all has; corrected: final, and an event came after that',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the newest event of this window was received; where only whole-view measures or online changed: the newest event that changed them',
    `beyond_horizon` Int64 COMMENT 'events later than the horizon: in sums and counts, not in distinct viewers or online',
    `events` Int64 COMMENT 'accepted events of all types. Each is in the room that it names; an order that names none is in the room of its click (\'\' without one), a cost event that names none is not counted',
    `viewers` Int64 COMMENT 'distinct viewers of viewer events',
    `views` Int64 COMMENT 'distinct views, by their first enter',
    `watch_ms` Int64 COMMENT 'Σ watch time in ms, foreground only',
    `effective_views_10s` Int64 COMMENT 'views with more than 10 000 ms of watch in all, in the window of the enter',
    `effective_views_60s` Int64 COMMENT 'views with more than 60 000 ms of watch in all, in the window of the enter',
    `effective_views_300s` Int64 COMMENT 'views with 300 000 ms of watch or more in all, in the window of the enter',
    `bounces` Int64 COMMENT 'closed views under 10 000 ms of watch without an interaction (product_exposure apart), in the window of the enter',
    `online` Int64 COMMENT 'views online at the end of the 10 s pane; longer windows: the peak over their panes',
    `interactions_like` Int64 COMMENT 'Σ count of likes',
    `interactions_comment` Int64 COMMENT 'Σ count of comments',
    `interactions_share` Int64 COMMENT 'Σ count of shares',
    `interactions_follow` Int64 COMMENT 'Σ count of follows',
    `interactions_gift` Int64 COMMENT 'Σ count of gifts',
    `interactions_fan_club_join` Int64 COMMENT 'Σ count of fan club joins',
    `interactions_cart_view` Int64 COMMENT 'Σ count of cart views',
    `interactions_product_click` Int64 COMMENT 'Σ count of product clicks (the same as product_clicks)',
    `interactions_favorite` Int64 COMMENT 'Σ count of favorites',
    `interactions_coupon_claim` Int64 COMMENT 'Σ count of coupon claims',
    `interactions_poll_or_lottery` Int64 COMMENT 'Σ count of polls and lotteries',
    `interactions_dislike_or_report` Int64 COMMENT 'Σ count of dislikes and reports',
    `interactions_product_exposure` Int64 COMMENT 'Σ count of product exposures (the same as product_exposures)',
    `interactions_rating` Int64 COMMENT 'Σ count of ratings; their number is ratings',
    `interaction_events` Int64 COMMENT 'interaction events, product_exposure and rating apart',
    `interactors` Int64 COMMENT 'distinct viewers with a like, comment, share or follow',
    `engagers` Int64 COMMENT 'distinct viewers with any interaction but product_exposure and rating',
    `product_exposures` Int64 COMMENT 'Σ count of product exposures',
    `product_clicks` Int64 COMMENT 'Σ count of product clicks',
    `product_clickers` Int64 COMMENT 'distinct viewers with a product click',
    `ratings` Int64 COMMENT 'rating events',
    `rating_sum` Int64 COMMENT 'Σ rating of rating events',
    `orders_created` Int64 COMMENT 'orders with a created, by its event time',
    `orders_paid` Int64 COMMENT 'orders with a paid, by its event time',
    `buyers` Int64 COMMENT 'distinct buyers of the paid orders',
    `new_buyers` Int64 COMMENT 'buyers whose first paid order on the platform is in this window and room',
    `items_sold` Int64 COMMENT 'Σ qty of the lines of paid',
    `orders_cancelled` Int64 COMMENT 'orders with a cancelled and no paid, by the event time of cancelled',
    `orders_refunded` Int64 COMMENT 'distinct orders with a refund, by refund date',
    `orders_refunded_by_order` Int64 COMMENT 'orders with a refund, in the window of their paid'
)
AS
SELECT defaultValueOfTypeName('Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS grain, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS window_start, defaultValueOfTypeName('LowCardinality(String)') AS platform, defaultValueOfTypeName('String') AS room_id, defaultValueOfTypeName('String') AS live_session_id, defaultValueOfTypeName('LowCardinality(String)') AS status, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS updated_at, defaultValueOfTypeName('Int64') AS beyond_horizon, defaultValueOfTypeName('Int64') AS events, defaultValueOfTypeName('Int64') AS viewers, defaultValueOfTypeName('Int64') AS views, defaultValueOfTypeName('Int64') AS watch_ms, defaultValueOfTypeName('Int64') AS effective_views_10s, defaultValueOfTypeName('Int64') AS effective_views_60s, defaultValueOfTypeName('Int64') AS effective_views_300s, defaultValueOfTypeName('Int64') AS bounces, defaultValueOfTypeName('Int64') AS online, defaultValueOfTypeName('Int64') AS interactions_like, defaultValueOfTypeName('Int64') AS interactions_comment, defaultValueOfTypeName('Int64') AS interactions_share, defaultValueOfTypeName('Int64') AS interactions_follow, defaultValueOfTypeName('Int64') AS interactions_gift, defaultValueOfTypeName('Int64') AS interactions_fan_club_join, defaultValueOfTypeName('Int64') AS interactions_cart_view, defaultValueOfTypeName('Int64') AS interactions_product_click, defaultValueOfTypeName('Int64') AS interactions_favorite, defaultValueOfTypeName('Int64') AS interactions_coupon_claim, defaultValueOfTypeName('Int64') AS interactions_poll_or_lottery, defaultValueOfTypeName('Int64') AS interactions_dislike_or_report, defaultValueOfTypeName('Int64') AS interactions_product_exposure, defaultValueOfTypeName('Int64') AS interactions_rating, defaultValueOfTypeName('Int64') AS interaction_events, defaultValueOfTypeName('Int64') AS interactors, defaultValueOfTypeName('Int64') AS engagers, defaultValueOfTypeName('Int64') AS product_exposures, defaultValueOfTypeName('Int64') AS product_clicks, defaultValueOfTypeName('Int64') AS product_clickers, defaultValueOfTypeName('Int64') AS ratings, defaultValueOfTypeName('Int64') AS rating_sum, defaultValueOfTypeName('Int64') AS orders_created, defaultValueOfTypeName('Int64') AS orders_paid, defaultValueOfTypeName('Int64') AS buyers, defaultValueOfTypeName('Int64') AS new_buyers, defaultValueOfTypeName('Int64') AS items_sold, defaultValueOfTypeName('Int64') AS orders_cancelled, defaultValueOfTypeName('Int64') AS orders_refunded, defaultValueOfTypeName('Int64') AS orders_refunded_by_order
FROM system.one
WHERE (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).1 < toDateTime64(0, 3, 'UTC')
UNION ALL
SELECT
    r.row_grain AS grain,
    CAST(toStartOfDay(r.window_start, 'Asia/Shanghai'), 'DateTime64(3, \'UTC\')') AS window_start,
    r.platform AS platform,
    r.room_id AS room_id,
    r.live_session_id AS live_session_id,
    multiIf(toStartOfDay(toStartOfDay(r.window_start, 'Asia/Shanghai') + toIntervalHour(36), 'Asia/Shanghai') > (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).3, 'provisional', max(if(r.grain = '1h', bitAnd(r.state, 8), 0)) != 0, 'corrected', 'final') AS status,
    max((bitAnd(r.state, 16) = 0, r.updated_at)).2 AS updated_at,
    sum(r.beyond_horizon) AS beyond_horizon,
    sum(r.events) AS events,
    sum(r.viewers_in_day) AS viewers,
    sum(r.views) AS views,
    sum(r.watch_ms) AS watch_ms,
    sum(r.effective_views_10s) AS effective_views_10s,
    sum(r.effective_views_60s) AS effective_views_60s,
    sum(r.effective_views_300s) AS effective_views_300s,
    sum(r.bounces) AS bounces,
    sum(r.online) AS online,
    sum(r.interactions_like) AS interactions_like,
    sum(r.interactions_comment) AS interactions_comment,
    sum(r.interactions_share) AS interactions_share,
    sum(r.interactions_follow) AS interactions_follow,
    sum(r.interactions_gift) AS interactions_gift,
    sum(r.interactions_fan_club_join) AS interactions_fan_club_join,
    sum(r.interactions_cart_view) AS interactions_cart_view,
    sum(r.interactions_product_click) AS interactions_product_click,
    sum(r.interactions_favorite) AS interactions_favorite,
    sum(r.interactions_coupon_claim) AS interactions_coupon_claim,
    sum(r.interactions_poll_or_lottery) AS interactions_poll_or_lottery,
    sum(r.interactions_dislike_or_report) AS interactions_dislike_or_report,
    sum(r.interactions_product_exposure) AS interactions_product_exposure,
    sum(r.interactions_rating) AS interactions_rating,
    sum(r.interaction_events) AS interaction_events,
    sum(r.interactors_in_day) AS interactors,
    sum(r.engagers_in_day) AS engagers,
    sum(r.interactions_product_exposure) AS product_exposures,
    sum(r.interactions_product_click) AS product_clicks,
    sum(r.product_clickers_in_day) AS product_clickers,
    sum(r.ratings) AS ratings,
    sum(r.rating_sum) AS rating_sum,
    sum(r.orders_created) AS orders_created,
    sum(r.orders_paid) AS orders_paid,
    sum(r.buyers_in_day) AS buyers,
    sum(r.new_buyers) AS new_buyers,
    sum(r.items_sold) AS items_sold,
    sum(r.orders_cancelled) AS orders_cancelled,
    sum(r.orders_refunded_in_day) AS orders_refunded,
    sum(r.orders_refunded_by_order) AS orders_refunded_by_order
FROM (SELECT CAST('1d', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, r.* FROM livemeter.room_rows AS r FINAL WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND (r.part != 65534 AND (r.grain = '1h' AND r.window_start < (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).2 OR r.grain = '1m' AND bitAnd(r.state, 1) != 0 AND r.window_start >= (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).2) OR r.grain = '1d')
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1) AS r
GROUP BY r.row_grain, toStartOfDay(r.window_start, 'Asia/Shanghai'), r.platform, r.room_id, r.live_session_id
COMMENT 'The grain 1d of room_measures (714483b3c293)';

CREATE OR REPLACE VIEW livemeter.room_measures_session
(
    `grain` Enum8('10s' = 0, '1m' = 1, '1h' = 2, '1d' = 3, 'session' = 4) COMMENT 'Length of the window: 10s, 1m, 1h in UTC; 1d in the shop\'s zone; session is the whole live session',
    `window_start` DateTime64(3, 'UTC') COMMENT 'Start of the half-open window of event time; of a session the earliest event of the row: join sessions without it',
    `platform` LowCardinality(String) COMMENT 'Platform of the room',
    `room_id` String COMMENT 'Room; \'\' for orders that belong to none',
    `live_session_id` String COMMENT 'Live session of the room; \'\' where the event names none',
    `status` LowCardinality(String) COMMENT 'provisional: the watermark of some partition has not passed the window\'s end and the lateness (a session: the gap after its last event); final: that of all has; corrected: final, and an event came after that',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the newest event of this window was received; where only whole-view measures or online changed: the newest event that changed them',
    `beyond_horizon` Int64 COMMENT 'events later than the horizon: in sums and counts, not in distinct viewers or online',
    `events` Int64 COMMENT 'accepted events of all types. Each is in the room that it names; an order that names none is in the room of its click (\'\' without one), a cost event that names none is not counted',
    `viewers` Int64 COMMENT 'distinct viewers of viewer events',
    `views` Int64 COMMENT 'distinct views, by their first enter',
    `watch_ms` Int64 COMMENT 'Σ watch time in ms, foreground only',
    `effective_views_10s` Int64 COMMENT 'views with more than 10 000 ms of watch in all, in the window of the enter',
    `effective_views_60s` Int64 COMMENT 'views with more than 60 000 ms of watch in all, in the window of the enter',
    `effective_views_300s` Int64 COMMENT 'views with 300 000 ms of watch or more in all, in the window of the enter',
    `bounces` Int64 COMMENT 'closed views under 10 000 ms of watch without an interaction (product_exposure apart), in the window of the enter',
    `online` Int64 COMMENT 'views online at the end of the 10 s pane; longer windows: the peak over their panes',
    `interactions_like` Int64 COMMENT 'Σ count of likes',
    `interactions_comment` Int64 COMMENT 'Σ count of comments',
    `interactions_share` Int64 COMMENT 'Σ count of shares',
    `interactions_follow` Int64 COMMENT 'Σ count of follows',
    `interactions_gift` Int64 COMMENT 'Σ count of gifts',
    `interactions_fan_club_join` Int64 COMMENT 'Σ count of fan club joins',
    `interactions_cart_view` Int64 COMMENT 'Σ count of cart views',
    `interactions_product_click` Int64 COMMENT 'Σ count of product clicks (the same as product_clicks)',
    `interactions_favorite` Int64 COMMENT 'Σ count of favorites',
    `interactions_coupon_claim` Int64 COMMENT 'Σ count of coupon claims',
    `interactions_poll_or_lottery` Int64 COMMENT 'Σ count of polls and lotteries',
    `interactions_dislike_or_report` Int64 COMMENT 'Σ count of dislikes and reports',
    `interactions_product_exposure` Int64 COMMENT 'Σ count of product exposures (the same as product_exposures)',
    `interactions_rating` Int64 COMMENT 'Σ count of ratings; their number is ratings',
    `interaction_events` Int64 COMMENT 'interaction events, product_exposure and rating apart',
    `interactors` Int64 COMMENT 'distinct viewers with a like, comment, share or follow',
    `engagers` Int64 COMMENT 'distinct viewers with any interaction but product_exposure and rating',
    `product_exposures` Int64 COMMENT 'Σ count of product exposures',
    `product_clicks` Int64 COMMENT 'Σ count of product clicks',
    `product_clickers` Int64 COMMENT 'distinct viewers with a product click',
    `ratings` Int64 COMMENT 'rating events',
    `rating_sum` Int64 COMMENT 'Σ rating of rating events',
    `orders_created` Int64 COMMENT 'orders with a created, by its event time',
    `orders_paid` Int64 COMMENT 'orders with a paid, by its event time',
    `buyers` Int64 COMMENT 'distinct buyers of the paid orders',
    `new_buyers` Int64 COMMENT 'buyers whose first paid order on the platform is in this window and room',
    `items_sold` Int64 COMMENT 'Σ qty of the lines of paid',
    `orders_cancelled` Int64 COMMENT 'orders with a cancelled and no paid, by the event time of cancelled',
    `orders_refunded` Int64 COMMENT 'distinct orders with a refund, by refund date',
    `orders_refunded_by_order` Int64 COMMENT 'orders with a refund, in the window of their paid'
)
AS
SELECT defaultValueOfTypeName('Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS grain, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS window_start, defaultValueOfTypeName('LowCardinality(String)') AS platform, defaultValueOfTypeName('String') AS room_id, defaultValueOfTypeName('String') AS live_session_id, defaultValueOfTypeName('LowCardinality(String)') AS status, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS updated_at, defaultValueOfTypeName('Int64') AS beyond_horizon, defaultValueOfTypeName('Int64') AS events, defaultValueOfTypeName('Int64') AS viewers, defaultValueOfTypeName('Int64') AS views, defaultValueOfTypeName('Int64') AS watch_ms, defaultValueOfTypeName('Int64') AS effective_views_10s, defaultValueOfTypeName('Int64') AS effective_views_60s, defaultValueOfTypeName('Int64') AS effective_views_300s, defaultValueOfTypeName('Int64') AS bounces, defaultValueOfTypeName('Int64') AS online, defaultValueOfTypeName('Int64') AS interactions_like, defaultValueOfTypeName('Int64') AS interactions_comment, defaultValueOfTypeName('Int64') AS interactions_share, defaultValueOfTypeName('Int64') AS interactions_follow, defaultValueOfTypeName('Int64') AS interactions_gift, defaultValueOfTypeName('Int64') AS interactions_fan_club_join, defaultValueOfTypeName('Int64') AS interactions_cart_view, defaultValueOfTypeName('Int64') AS interactions_product_click, defaultValueOfTypeName('Int64') AS interactions_favorite, defaultValueOfTypeName('Int64') AS interactions_coupon_claim, defaultValueOfTypeName('Int64') AS interactions_poll_or_lottery, defaultValueOfTypeName('Int64') AS interactions_dislike_or_report, defaultValueOfTypeName('Int64') AS interactions_product_exposure, defaultValueOfTypeName('Int64') AS interactions_rating, defaultValueOfTypeName('Int64') AS interaction_events, defaultValueOfTypeName('Int64') AS interactors, defaultValueOfTypeName('Int64') AS engagers, defaultValueOfTypeName('Int64') AS product_exposures, defaultValueOfTypeName('Int64') AS product_clicks, defaultValueOfTypeName('Int64') AS product_clickers, defaultValueOfTypeName('Int64') AS ratings, defaultValueOfTypeName('Int64') AS rating_sum, defaultValueOfTypeName('Int64') AS orders_created, defaultValueOfTypeName('Int64') AS orders_paid, defaultValueOfTypeName('Int64') AS buyers, defaultValueOfTypeName('Int64') AS new_buyers, defaultValueOfTypeName('Int64') AS items_sold, defaultValueOfTypeName('Int64') AS orders_cancelled, defaultValueOfTypeName('Int64') AS orders_refunded, defaultValueOfTypeName('Int64') AS orders_refunded_by_order
FROM system.one
WHERE (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).1 < toDateTime64(0, 3, 'UTC')
UNION ALL
SELECT
    r.row_grain AS grain,
    min(r.first_event) AS window_start,
    r.platform AS platform,
    r.room_id AS room_id,
    r.live_session_id AS live_session_id,
    multiIf(arrayExists(t -> arrayExists(k ->
        (arrayExists(j -> j.1 < k.1, t) AND NOT arrayExists(j -> j.1 < k.1 AND j.2 > k.1, t))
        OR (k.3 > 0 AND NOT arrayExists(j -> j.1 <= k.3 AND j.2 > k.3, t)), t), [arrayConcat(arrayFlatten(arrayMap(x -> arrayMap(i -> (x[i], x[i + 1], x[i + 2]), range(1, length(x), 3)), [groupArrayArrayIf(r.runs, r.grain = '1h')])), arrayZip(minMapIf([toUnixTimestamp(toStartOfHour(r.window_start, 'UTC')) * 65536 + r.part], [r.runs[1]], r.grain = '1m' AND notEmpty(r.runs)).2, maxMapIf([toUnixTimestamp(toStartOfHour(r.window_start, 'UTC')) * 65536 + r.part], [r.runs[2]], r.grain = '1m' AND notEmpty(r.runs)).2, maxMapIf([toUnixTimestamp(toStartOfHour(r.window_start, 'UTC')) * 65536 + r.part], [r.runs[3]], r.grain = '1m' AND notEmpty(r.runs)).2))]), 'corrected', arrayMax(j -> j.2, arrayConcat(arrayFlatten(arrayMap(x -> arrayMap(i -> (x[i], x[i + 1], x[i + 2]), range(1, length(x), 3)), [groupArrayArrayIf(r.runs, r.grain = '1h')])), arrayZip(minMapIf([toUnixTimestamp(toStartOfHour(r.window_start, 'UTC')) * 65536 + r.part], [r.runs[1]], r.grain = '1m' AND notEmpty(r.runs)).2, maxMapIf([toUnixTimestamp(toStartOfHour(r.window_start, 'UTC')) * 65536 + r.part], [r.runs[2]], r.grain = '1m' AND notEmpty(r.runs)).2, maxMapIf([toUnixTimestamp(toStartOfHour(r.window_start, 'UTC')) * 65536 + r.part], [r.runs[3]], r.grain = '1m' AND notEmpty(r.runs)).2))) > toUnixTimestamp64Milli((SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).1), 'provisional', 'final') AS status,
    max((bitAnd(r.state, 16) = 0, r.updated_at)).2 AS updated_at,
    sum(r.beyond_horizon) AS beyond_horizon,
    sum(r.events) AS events,
    sum(r.viewers_in_session) AS viewers,
    sum(r.views) AS views,
    sum(r.watch_ms) AS watch_ms,
    sum(r.effective_views_10s) AS effective_views_10s,
    sum(r.effective_views_60s) AS effective_views_60s,
    sum(r.effective_views_300s) AS effective_views_300s,
    sum(r.bounces) AS bounces,
    sum(r.online) AS online,
    sum(r.interactions_like) AS interactions_like,
    sum(r.interactions_comment) AS interactions_comment,
    sum(r.interactions_share) AS interactions_share,
    sum(r.interactions_follow) AS interactions_follow,
    sum(r.interactions_gift) AS interactions_gift,
    sum(r.interactions_fan_club_join) AS interactions_fan_club_join,
    sum(r.interactions_cart_view) AS interactions_cart_view,
    sum(r.interactions_product_click) AS interactions_product_click,
    sum(r.interactions_favorite) AS interactions_favorite,
    sum(r.interactions_coupon_claim) AS interactions_coupon_claim,
    sum(r.interactions_poll_or_lottery) AS interactions_poll_or_lottery,
    sum(r.interactions_dislike_or_report) AS interactions_dislike_or_report,
    sum(r.interactions_product_exposure) AS interactions_product_exposure,
    sum(r.interactions_rating) AS interactions_rating,
    sum(r.interaction_events) AS interaction_events,
    sum(r.interactors_in_session) AS interactors,
    sum(r.engagers_in_session) AS engagers,
    sum(r.interactions_product_exposure) AS product_exposures,
    sum(r.interactions_product_click) AS product_clicks,
    sum(r.product_clickers_in_session) AS product_clickers,
    sum(r.ratings) AS ratings,
    sum(r.rating_sum) AS rating_sum,
    sum(r.orders_created) AS orders_created,
    sum(r.orders_paid) AS orders_paid,
    sum(r.buyers_in_session) AS buyers,
    sum(r.new_buyers) AS new_buyers,
    sum(r.items_sold) AS items_sold,
    sum(r.orders_cancelled) AS orders_cancelled,
    sum(r.orders_refunded_in_session) AS orders_refunded,
    sum(r.orders_refunded_by_order) AS orders_refunded_by_order
FROM (SELECT CAST('session', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, r.* FROM livemeter.room_rows AS r FINAL WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND (r.part != 65534 AND (r.grain = '1h' AND r.window_start < (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).2 OR r.grain = '1m' AND bitAnd(r.state, 1) != 0 AND r.window_start >= (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).2) OR r.grain = 'session')
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1) AS r
GROUP BY r.row_grain, r.platform, r.room_id, r.live_session_id
COMMENT 'The grain session of room_measures (cf54d0c239fb)';

CREATE OR REPLACE VIEW livemeter.room_measures
(
    `grain` Enum8('10s' = 0, '1m' = 1, '1h' = 2, '1d' = 3, 'session' = 4) COMMENT 'Length of the window: 10s, 1m, 1h in UTC; 1d in the shop\'s zone; session is the whole live session',
    `window_start` DateTime64(3, 'UTC') COMMENT 'Start of the half-open window of event time; of a session the earliest event of the row: join sessions without it',
    `platform` LowCardinality(String) COMMENT 'Platform of the room',
    `room_id` String COMMENT 'Room; \'\' for orders that belong to none',
    `live_session_id` String COMMENT 'Live session of the room; \'\' where the event names none',
    `status` LowCardinality(String) COMMENT 'provisional: the watermark of some partition has not passed the window\'s end and the lateness (a session: the gap after its last event); final: that of all has; corrected: final, and an event came after that',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the newest event of this window was received; where only whole-view measures or online changed: the newest event that changed them',
    `beyond_horizon` Int64 COMMENT 'events later than the horizon: in sums and counts, not in distinct viewers or online',
    `events` Int64 COMMENT 'accepted events of all types. Each is in the room that it names; an order that names none is in the room of its click (\'\' without one), a cost event that names none is not counted',
    `viewers` Int64 COMMENT 'distinct viewers of viewer events',
    `views` Int64 COMMENT 'distinct views, by their first enter',
    `watch_ms` Int64 COMMENT 'Σ watch time in ms, foreground only',
    `effective_views_10s` Int64 COMMENT 'views with more than 10 000 ms of watch in all, in the window of the enter',
    `effective_views_60s` Int64 COMMENT 'views with more than 60 000 ms of watch in all, in the window of the enter',
    `effective_views_300s` Int64 COMMENT 'views with 300 000 ms of watch or more in all, in the window of the enter',
    `bounces` Int64 COMMENT 'closed views under 10 000 ms of watch without an interaction (product_exposure apart), in the window of the enter',
    `online` Int64 COMMENT 'views online at the end of the 10 s pane; longer windows: the peak over their panes',
    `interactions_like` Int64 COMMENT 'Σ count of likes',
    `interactions_comment` Int64 COMMENT 'Σ count of comments',
    `interactions_share` Int64 COMMENT 'Σ count of shares',
    `interactions_follow` Int64 COMMENT 'Σ count of follows',
    `interactions_gift` Int64 COMMENT 'Σ count of gifts',
    `interactions_fan_club_join` Int64 COMMENT 'Σ count of fan club joins',
    `interactions_cart_view` Int64 COMMENT 'Σ count of cart views',
    `interactions_product_click` Int64 COMMENT 'Σ count of product clicks (the same as product_clicks)',
    `interactions_favorite` Int64 COMMENT 'Σ count of favorites',
    `interactions_coupon_claim` Int64 COMMENT 'Σ count of coupon claims',
    `interactions_poll_or_lottery` Int64 COMMENT 'Σ count of polls and lotteries',
    `interactions_dislike_or_report` Int64 COMMENT 'Σ count of dislikes and reports',
    `interactions_product_exposure` Int64 COMMENT 'Σ count of product exposures (the same as product_exposures)',
    `interactions_rating` Int64 COMMENT 'Σ count of ratings; their number is ratings',
    `interaction_events` Int64 COMMENT 'interaction events, product_exposure and rating apart',
    `interactors` Int64 COMMENT 'distinct viewers with a like, comment, share or follow',
    `engagers` Int64 COMMENT 'distinct viewers with any interaction but product_exposure and rating',
    `product_exposures` Int64 COMMENT 'Σ count of product exposures',
    `product_clicks` Int64 COMMENT 'Σ count of product clicks',
    `product_clickers` Int64 COMMENT 'distinct viewers with a product click',
    `ratings` Int64 COMMENT 'rating events',
    `rating_sum` Int64 COMMENT 'Σ rating of rating events',
    `orders_created` Int64 COMMENT 'orders with a created, by its event time',
    `orders_paid` Int64 COMMENT 'orders with a paid, by its event time',
    `buyers` Int64 COMMENT 'distinct buyers of the paid orders',
    `new_buyers` Int64 COMMENT 'buyers whose first paid order on the platform is in this window and room',
    `items_sold` Int64 COMMENT 'Σ qty of the lines of paid',
    `orders_cancelled` Int64 COMMENT 'orders with a cancelled and no paid, by the event time of cancelled',
    `orders_refunded` Int64 COMMENT 'distinct orders with a refund, by refund date',
    `orders_refunded_by_order` Int64 COMMENT 'orders with a refund, in the window of their paid'
)
AS
SELECT CAST(substring(_table, 15), 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS grain, window_start, platform, room_id, live_session_id, status, updated_at, beyond_horizon, events, viewers, views, watch_ms, effective_views_10s, effective_views_60s, effective_views_300s, bounces, online, interactions_like, interactions_comment, interactions_share, interactions_follow, interactions_gift, interactions_fan_club_join, interactions_cart_view, interactions_product_click, interactions_favorite, interactions_coupon_claim, interactions_poll_or_lottery, interactions_dislike_or_report, interactions_product_exposure, interactions_rating, interaction_events, interactors, engagers, product_exposures, product_clicks, product_clickers, ratings, rating_sum, orders_created, orders_paid, buyers, new_buyers, items_sold, orders_cancelled, orders_refunded, orders_refunded_by_order
FROM merge('livemeter', '^room_measures_(10s|1m|1h|1d|session)$')
WHERE hasColumnInTable('livemeter', 'room_measures_10s', 'grain') AND hasColumnInTable('livemeter', 'room_measures_1m', 'grain') AND hasColumnInTable('livemeter', 'room_measures_1h', 'grain') AND hasColumnInTable('livemeter', 'room_measures_1d', 'grain') AND hasColumnInTable('livemeter', 'room_measures_session', 'grain')
COMMENT 'Measures of each room, window by window (8f06d03b2588)';

CREATE OR REPLACE VIEW livemeter.sku_measures_10s
(
    `grain` Enum8('10s' = 0, '1m' = 1, '1h' = 2, '1d' = 3, 'session' = 4) COMMENT 'Length of the window: 10s, 1m, 1h in UTC; 1d in the shop\'s zone; session is the whole live session',
    `window_start` DateTime64(3, 'UTC') COMMENT 'Start of the half-open window of event time; of a session the earliest event of the row: join sessions without it',
    `platform` LowCardinality(String) COMMENT 'Platform of the room',
    `room_id` String COMMENT 'Room; \'\' for orders that belong to none',
    `live_session_id` String COMMENT 'Live session of the room; \'\' where the event names none',
    `sku_id` String COMMENT 'Product named by the event or the order line',
    `status` LowCardinality(String) COMMENT 'provisional: the watermark of some partition has not passed the window\'s end and the lateness (a session: the gap after its last event); final: that of all has; corrected: final, and an event came after that',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the newest event of this window was received; where only whole-view measures or online changed: the newest event that changed them',
    `beyond_horizon` Int64 COMMENT 'events later than the horizon: in sums and counts, not in distinct viewers or online',
    `events` Int64 COMMENT 'accepted events of all types. Each is in the room that it names; an order that names none is in the room of its click (\'\' without one), a cost event that names none is not counted',
    `interactions_like` Int64 COMMENT 'Σ count of likes',
    `interactions_comment` Int64 COMMENT 'Σ count of comments',
    `interactions_share` Int64 COMMENT 'Σ count of shares',
    `interactions_follow` Int64 COMMENT 'Σ count of follows',
    `interactions_gift` Int64 COMMENT 'Σ count of gifts',
    `interactions_fan_club_join` Int64 COMMENT 'Σ count of fan club joins',
    `interactions_cart_view` Int64 COMMENT 'Σ count of cart views',
    `interactions_product_click` Int64 COMMENT 'Σ count of product clicks (the same as product_clicks)',
    `interactions_favorite` Int64 COMMENT 'Σ count of favorites',
    `interactions_coupon_claim` Int64 COMMENT 'Σ count of coupon claims',
    `interactions_poll_or_lottery` Int64 COMMENT 'Σ count of polls and lotteries',
    `interactions_dislike_or_report` Int64 COMMENT 'Σ count of dislikes and reports',
    `interactions_product_exposure` Int64 COMMENT 'Σ count of product exposures (the same as product_exposures)',
    `interactions_rating` Int64 COMMENT 'Σ count of ratings; their number is ratings',
    `interaction_events` Int64 COMMENT 'interaction events, product_exposure and rating apart',
    `interactors` Int64 COMMENT 'distinct viewers with a like, comment, share or follow',
    `engagers` Int64 COMMENT 'distinct viewers with any interaction but product_exposure and rating',
    `product_exposures` Int64 COMMENT 'Σ count of product exposures',
    `product_clicks` Int64 COMMENT 'Σ count of product clicks',
    `product_clickers` Int64 COMMENT 'distinct viewers with a product click',
    `ratings` Int64 COMMENT 'rating events',
    `rating_sum` Int64 COMMENT 'Σ rating of rating events',
    `orders_created` Int64 COMMENT 'orders with a created, by its event time',
    `orders_paid` Int64 COMMENT 'orders with a paid, by its event time',
    `buyers` Int64 COMMENT 'distinct buyers of the paid orders',
    `new_buyers` Int64 COMMENT 'buyers whose first paid order on the platform is in this window and room',
    `items_sold` Int64 COMMENT 'Σ qty of the lines of paid',
    `orders_cancelled` Int64 COMMENT 'orders with a cancelled and no paid, by the event time of cancelled',
    `orders_refunded` Int64 COMMENT 'distinct orders with a refund, by refund date',
    `orders_refunded_by_order` Int64 COMMENT 'orders with a refund, in the window of their paid'
)
AS
SELECT defaultValueOfTypeName('Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS grain, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS window_start, defaultValueOfTypeName('LowCardinality(String)') AS platform, defaultValueOfTypeName('String') AS room_id, defaultValueOfTypeName('String') AS live_session_id, defaultValueOfTypeName('String') AS sku_id, defaultValueOfTypeName('LowCardinality(String)') AS status, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS updated_at, defaultValueOfTypeName('Int64') AS beyond_horizon, defaultValueOfTypeName('Int64') AS events, defaultValueOfTypeName('Int64') AS interactions_like, defaultValueOfTypeName('Int64') AS interactions_comment, defaultValueOfTypeName('Int64') AS interactions_share, defaultValueOfTypeName('Int64') AS interactions_follow, defaultValueOfTypeName('Int64') AS interactions_gift, defaultValueOfTypeName('Int64') AS interactions_fan_club_join, defaultValueOfTypeName('Int64') AS interactions_cart_view, defaultValueOfTypeName('Int64') AS interactions_product_click, defaultValueOfTypeName('Int64') AS interactions_favorite, defaultValueOfTypeName('Int64') AS interactions_coupon_claim, defaultValueOfTypeName('Int64') AS interactions_poll_or_lottery, defaultValueOfTypeName('Int64') AS interactions_dislike_or_report, defaultValueOfTypeName('Int64') AS interactions_product_exposure, defaultValueOfTypeName('Int64') AS interactions_rating, defaultValueOfTypeName('Int64') AS interaction_events, defaultValueOfTypeName('Int64') AS interactors, defaultValueOfTypeName('Int64') AS engagers, defaultValueOfTypeName('Int64') AS product_exposures, defaultValueOfTypeName('Int64') AS product_clicks, defaultValueOfTypeName('Int64') AS product_clickers, defaultValueOfTypeName('Int64') AS ratings, defaultValueOfTypeName('Int64') AS rating_sum, defaultValueOfTypeName('Int64') AS orders_created, defaultValueOfTypeName('Int64') AS orders_paid, defaultValueOfTypeName('Int64') AS buyers, defaultValueOfTypeName('Int64') AS new_buyers, defaultValueOfTypeName('Int64') AS items_sold, defaultValueOfTypeName('Int64') AS orders_cancelled, defaultValueOfTypeName('Int64') AS orders_refunded, defaultValueOfTypeName('Int64') AS orders_refunded_by_order
FROM system.one
WHERE (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).1 < toDateTime64(0, 3, 'UTC')
UNION ALL
SELECT
    r.row_grain AS grain,
    r.window_start AS window_start,
    r.platform AS platform,
    r.room_id AS room_id,
    r.live_session_id AS live_session_id,
    r.sku_id AS sku_id,
    multiIf(r.window_start + toIntervalSecond(10) > (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).3, 'provisional', max(r.pane_value[indexOf(r.pane_at, r.pane + 126)]) > 0, 'corrected', 'final') AS status,
    fromUnixTimestamp64Milli(if(max(r.pane_value[indexOf(r.pane_at, r.pane + 127)]) > 0, max(r.pane_value[indexOf(r.pane_at, r.pane + 127)]), -min(r.pane_value[indexOf(r.pane_at, r.pane + 127)])), 'UTC') AS updated_at,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 2)]) AS beyond_horizon,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 0)]) AS events,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 16)]) AS interactions_like,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 17)]) AS interactions_comment,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 18)]) AS interactions_share,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 19)]) AS interactions_follow,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 20)]) AS interactions_gift,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 21)]) AS interactions_fan_club_join,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 22)]) AS interactions_cart_view,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 23)]) AS interactions_product_click,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 24)]) AS interactions_favorite,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 25)]) AS interactions_coupon_claim,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 26)]) AS interactions_poll_or_lottery,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 27)]) AS interactions_dislike_or_report,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 28)]) AS interactions_product_exposure,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 29)]) AS interactions_rating,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 30)]) AS interaction_events,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 32)]) AS interactors,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 40)]) AS engagers,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 28)]) AS product_exposures,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 23)]) AS product_clicks,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 48)]) AS product_clickers,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 37)]) AS ratings,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 31)]) AS rating_sum,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 56)]) AS orders_created,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 57)]) AS orders_paid,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 64)]) AS buyers,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 60)]) AS new_buyers,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 58)]) AS items_sold,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 59)]) AS orders_cancelled,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 72)]) AS orders_refunded,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 61)]) AS orders_refunded_by_order
FROM (SELECT CAST('10s', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, r.window_start + toIntervalSecond(0) AS window_start, 0 AS pane, r.platform, r.room_id, r.live_session_id, r.sku_id, r.pane_at, r.pane_value
FROM livemeter.sku_rows AS r FINAL
WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1m' AND has(r.pane_at, toUInt16(127))
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1
UNION ALL
SELECT CAST('10s', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, r.window_start + toIntervalSecond(10) AS window_start, 128 AS pane, r.platform, r.room_id, r.live_session_id, r.sku_id, r.pane_at, r.pane_value
FROM livemeter.sku_rows AS r FINAL
WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1m' AND has(r.pane_at, toUInt16(255))
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1
UNION ALL
SELECT CAST('10s', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, r.window_start + toIntervalSecond(20) AS window_start, 256 AS pane, r.platform, r.room_id, r.live_session_id, r.sku_id, r.pane_at, r.pane_value
FROM livemeter.sku_rows AS r FINAL
WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1m' AND has(r.pane_at, toUInt16(383))
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1
UNION ALL
SELECT CAST('10s', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, r.window_start + toIntervalSecond(30) AS window_start, 384 AS pane, r.platform, r.room_id, r.live_session_id, r.sku_id, r.pane_at, r.pane_value
FROM livemeter.sku_rows AS r FINAL
WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1m' AND has(r.pane_at, toUInt16(511))
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1
UNION ALL
SELECT CAST('10s', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, r.window_start + toIntervalSecond(40) AS window_start, 512 AS pane, r.platform, r.room_id, r.live_session_id, r.sku_id, r.pane_at, r.pane_value
FROM livemeter.sku_rows AS r FINAL
WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1m' AND has(r.pane_at, toUInt16(639))
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1
UNION ALL
SELECT CAST('10s', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, r.window_start + toIntervalSecond(50) AS window_start, 640 AS pane, r.platform, r.room_id, r.live_session_id, r.sku_id, r.pane_at, r.pane_value
FROM livemeter.sku_rows AS r FINAL
WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1m' AND has(r.pane_at, toUInt16(767))
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1) AS r
GROUP BY r.row_grain, r.window_start, r.platform, r.room_id, r.live_session_id, r.sku_id
COMMENT 'The grain 10s of sku_measures (6a9f65e40478)';

CREATE OR REPLACE VIEW livemeter.sku_measures_1m
(
    `grain` Enum8('10s' = 0, '1m' = 1, '1h' = 2, '1d' = 3, 'session' = 4) COMMENT 'Length of the window: 10s, 1m, 1h in UTC; 1d in the shop\'s zone; session is the whole live session',
    `window_start` DateTime64(3, 'UTC') COMMENT 'Start of the half-open window of event time; of a session the earliest event of the row: join sessions without it',
    `platform` LowCardinality(String) COMMENT 'Platform of the room',
    `room_id` String COMMENT 'Room; \'\' for orders that belong to none',
    `live_session_id` String COMMENT 'Live session of the room; \'\' where the event names none',
    `sku_id` String COMMENT 'Product named by the event or the order line',
    `status` LowCardinality(String) COMMENT 'provisional: the watermark of some partition has not passed the window\'s end and the lateness (a session: the gap after its last event); final: that of all has; corrected: final, and an event came after that',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the newest event of this window was received; where only whole-view measures or online changed: the newest event that changed them',
    `beyond_horizon` Int64 COMMENT 'events later than the horizon: in sums and counts, not in distinct viewers or online',
    `events` Int64 COMMENT 'accepted events of all types. Each is in the room that it names; an order that names none is in the room of its click (\'\' without one), a cost event that names none is not counted',
    `interactions_like` Int64 COMMENT 'Σ count of likes',
    `interactions_comment` Int64 COMMENT 'Σ count of comments',
    `interactions_share` Int64 COMMENT 'Σ count of shares',
    `interactions_follow` Int64 COMMENT 'Σ count of follows',
    `interactions_gift` Int64 COMMENT 'Σ count of gifts',
    `interactions_fan_club_join` Int64 COMMENT 'Σ count of fan club joins',
    `interactions_cart_view` Int64 COMMENT 'Σ count of cart views',
    `interactions_product_click` Int64 COMMENT 'Σ count of product clicks (the same as product_clicks)',
    `interactions_favorite` Int64 COMMENT 'Σ count of favorites',
    `interactions_coupon_claim` Int64 COMMENT 'Σ count of coupon claims',
    `interactions_poll_or_lottery` Int64 COMMENT 'Σ count of polls and lotteries',
    `interactions_dislike_or_report` Int64 COMMENT 'Σ count of dislikes and reports',
    `interactions_product_exposure` Int64 COMMENT 'Σ count of product exposures (the same as product_exposures)',
    `interactions_rating` Int64 COMMENT 'Σ count of ratings; their number is ratings',
    `interaction_events` Int64 COMMENT 'interaction events, product_exposure and rating apart',
    `interactors` Int64 COMMENT 'distinct viewers with a like, comment, share or follow',
    `engagers` Int64 COMMENT 'distinct viewers with any interaction but product_exposure and rating',
    `product_exposures` Int64 COMMENT 'Σ count of product exposures',
    `product_clicks` Int64 COMMENT 'Σ count of product clicks',
    `product_clickers` Int64 COMMENT 'distinct viewers with a product click',
    `ratings` Int64 COMMENT 'rating events',
    `rating_sum` Int64 COMMENT 'Σ rating of rating events',
    `orders_created` Int64 COMMENT 'orders with a created, by its event time',
    `orders_paid` Int64 COMMENT 'orders with a paid, by its event time',
    `buyers` Int64 COMMENT 'distinct buyers of the paid orders',
    `new_buyers` Int64 COMMENT 'buyers whose first paid order on the platform is in this window and room',
    `items_sold` Int64 COMMENT 'Σ qty of the lines of paid',
    `orders_cancelled` Int64 COMMENT 'orders with a cancelled and no paid, by the event time of cancelled',
    `orders_refunded` Int64 COMMENT 'distinct orders with a refund, by refund date',
    `orders_refunded_by_order` Int64 COMMENT 'orders with a refund, in the window of their paid'
)
AS
SELECT defaultValueOfTypeName('Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS grain, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS window_start, defaultValueOfTypeName('LowCardinality(String)') AS platform, defaultValueOfTypeName('String') AS room_id, defaultValueOfTypeName('String') AS live_session_id, defaultValueOfTypeName('String') AS sku_id, defaultValueOfTypeName('LowCardinality(String)') AS status, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS updated_at, defaultValueOfTypeName('Int64') AS beyond_horizon, defaultValueOfTypeName('Int64') AS events, defaultValueOfTypeName('Int64') AS interactions_like, defaultValueOfTypeName('Int64') AS interactions_comment, defaultValueOfTypeName('Int64') AS interactions_share, defaultValueOfTypeName('Int64') AS interactions_follow, defaultValueOfTypeName('Int64') AS interactions_gift, defaultValueOfTypeName('Int64') AS interactions_fan_club_join, defaultValueOfTypeName('Int64') AS interactions_cart_view, defaultValueOfTypeName('Int64') AS interactions_product_click, defaultValueOfTypeName('Int64') AS interactions_favorite, defaultValueOfTypeName('Int64') AS interactions_coupon_claim, defaultValueOfTypeName('Int64') AS interactions_poll_or_lottery, defaultValueOfTypeName('Int64') AS interactions_dislike_or_report, defaultValueOfTypeName('Int64') AS interactions_product_exposure, defaultValueOfTypeName('Int64') AS interactions_rating, defaultValueOfTypeName('Int64') AS interaction_events, defaultValueOfTypeName('Int64') AS interactors, defaultValueOfTypeName('Int64') AS engagers, defaultValueOfTypeName('Int64') AS product_exposures, defaultValueOfTypeName('Int64') AS product_clicks, defaultValueOfTypeName('Int64') AS product_clickers, defaultValueOfTypeName('Int64') AS ratings, defaultValueOfTypeName('Int64') AS rating_sum, defaultValueOfTypeName('Int64') AS orders_created, defaultValueOfTypeName('Int64') AS orders_paid, defaultValueOfTypeName('Int64') AS buyers, defaultValueOfTypeName('Int64') AS new_buyers, defaultValueOfTypeName('Int64') AS items_sold, defaultValueOfTypeName('Int64') AS orders_cancelled, defaultValueOfTypeName('Int64') AS orders_refunded, defaultValueOfTypeName('Int64') AS orders_refunded_by_order
FROM system.one
WHERE (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).1 < toDateTime64(0, 3, 'UTC')
UNION ALL
SELECT
    r.row_grain AS grain,
    r.window_start AS window_start,
    r.platform AS platform,
    r.room_id AS room_id,
    r.live_session_id AS live_session_id,
    r.sku_id AS sku_id,
    multiIf(r.window_start + toIntervalMinute(1) > (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).3, 'provisional', max(bitAnd(r.state, 2)) != 0, 'corrected', 'final') AS status,
    max((bitAnd(r.state, 16) = 0, r.updated_at)).2 AS updated_at,
    sum(r.beyond_horizon) AS beyond_horizon,
    sum(r.events) AS events,
    sum(r.interactions_like) AS interactions_like,
    sum(r.interactions_comment) AS interactions_comment,
    sum(r.interactions_share) AS interactions_share,
    sum(r.interactions_follow) AS interactions_follow,
    sum(r.interactions_gift) AS interactions_gift,
    sum(r.interactions_fan_club_join) AS interactions_fan_club_join,
    sum(r.interactions_cart_view) AS interactions_cart_view,
    sum(r.interactions_product_click) AS interactions_product_click,
    sum(r.interactions_favorite) AS interactions_favorite,
    sum(r.interactions_coupon_claim) AS interactions_coupon_claim,
    sum(r.interactions_poll_or_lottery) AS interactions_poll_or_lottery,
    sum(r.interactions_dislike_or_report) AS interactions_dislike_or_report,
    sum(r.interactions_product_exposure) AS interactions_product_exposure,
    sum(r.interactions_rating) AS interactions_rating,
    sum(r.interaction_events) AS interaction_events,
    sum(r.interactors) AS interactors,
    sum(r.engagers) AS engagers,
    sum(r.interactions_product_exposure) AS product_exposures,
    sum(r.interactions_product_click) AS product_clicks,
    sum(r.product_clickers) AS product_clickers,
    sum(r.ratings) AS ratings,
    sum(r.rating_sum) AS rating_sum,
    sum(r.orders_created) AS orders_created,
    sum(r.orders_paid) AS orders_paid,
    sum(r.buyers) AS buyers,
    sum(r.new_buyers) AS new_buyers,
    sum(r.items_sold) AS items_sold,
    sum(r.orders_cancelled) AS orders_cancelled,
    sum(r.orders_refunded) AS orders_refunded,
    sum(r.orders_refunded_by_order) AS orders_refunded_by_order
FROM (SELECT r.grain AS row_grain, r.* FROM livemeter.sku_rows AS r FINAL WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1m'
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1) AS r
GROUP BY r.row_grain, r.window_start, r.platform, r.room_id, r.live_session_id, r.sku_id
COMMENT 'The grain 1m of sku_measures (47bdead19f4d)';

CREATE OR REPLACE VIEW livemeter.sku_measures_1h
(
    `grain` Enum8('10s' = 0, '1m' = 1, '1h' = 2, '1d' = 3, 'session' = 4) COMMENT 'Length of the window: 10s, 1m, 1h in UTC; 1d in the shop\'s zone; session is the whole live session',
    `window_start` DateTime64(3, 'UTC') COMMENT 'Start of the half-open window of event time; of a session the earliest event of the row: join sessions without it',
    `platform` LowCardinality(String) COMMENT 'Platform of the room',
    `room_id` String COMMENT 'Room; \'\' for orders that belong to none',
    `live_session_id` String COMMENT 'Live session of the room; \'\' where the event names none',
    `sku_id` String COMMENT 'Product named by the event or the order line',
    `status` LowCardinality(String) COMMENT 'provisional: the watermark of some partition has not passed the window\'s end and the lateness (a session: the gap after its last event); final: that of all has; corrected: final, and an event came after that',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the newest event of this window was received; where only whole-view measures or online changed: the newest event that changed them',
    `beyond_horizon` Int64 COMMENT 'events later than the horizon: in sums and counts, not in distinct viewers or online',
    `events` Int64 COMMENT 'accepted events of all types. Each is in the room that it names; an order that names none is in the room of its click (\'\' without one), a cost event that names none is not counted',
    `interactions_like` Int64 COMMENT 'Σ count of likes',
    `interactions_comment` Int64 COMMENT 'Σ count of comments',
    `interactions_share` Int64 COMMENT 'Σ count of shares',
    `interactions_follow` Int64 COMMENT 'Σ count of follows',
    `interactions_gift` Int64 COMMENT 'Σ count of gifts',
    `interactions_fan_club_join` Int64 COMMENT 'Σ count of fan club joins',
    `interactions_cart_view` Int64 COMMENT 'Σ count of cart views',
    `interactions_product_click` Int64 COMMENT 'Σ count of product clicks (the same as product_clicks)',
    `interactions_favorite` Int64 COMMENT 'Σ count of favorites',
    `interactions_coupon_claim` Int64 COMMENT 'Σ count of coupon claims',
    `interactions_poll_or_lottery` Int64 COMMENT 'Σ count of polls and lotteries',
    `interactions_dislike_or_report` Int64 COMMENT 'Σ count of dislikes and reports',
    `interactions_product_exposure` Int64 COMMENT 'Σ count of product exposures (the same as product_exposures)',
    `interactions_rating` Int64 COMMENT 'Σ count of ratings; their number is ratings',
    `interaction_events` Int64 COMMENT 'interaction events, product_exposure and rating apart',
    `interactors` Int64 COMMENT 'distinct viewers with a like, comment, share or follow',
    `engagers` Int64 COMMENT 'distinct viewers with any interaction but product_exposure and rating',
    `product_exposures` Int64 COMMENT 'Σ count of product exposures',
    `product_clicks` Int64 COMMENT 'Σ count of product clicks',
    `product_clickers` Int64 COMMENT 'distinct viewers with a product click',
    `ratings` Int64 COMMENT 'rating events',
    `rating_sum` Int64 COMMENT 'Σ rating of rating events',
    `orders_created` Int64 COMMENT 'orders with a created, by its event time',
    `orders_paid` Int64 COMMENT 'orders with a paid, by its event time',
    `buyers` Int64 COMMENT 'distinct buyers of the paid orders',
    `new_buyers` Int64 COMMENT 'buyers whose first paid order on the platform is in this window and room',
    `items_sold` Int64 COMMENT 'Σ qty of the lines of paid',
    `orders_cancelled` Int64 COMMENT 'orders with a cancelled and no paid, by the event time of cancelled',
    `orders_refunded` Int64 COMMENT 'distinct orders with a refund, by refund date',
    `orders_refunded_by_order` Int64 COMMENT 'orders with a refund, in the window of their paid'
)
AS
SELECT defaultValueOfTypeName('Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS grain, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS window_start, defaultValueOfTypeName('LowCardinality(String)') AS platform, defaultValueOfTypeName('String') AS room_id, defaultValueOfTypeName('String') AS live_session_id, defaultValueOfTypeName('String') AS sku_id, defaultValueOfTypeName('LowCardinality(String)') AS status, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS updated_at, defaultValueOfTypeName('Int64') AS beyond_horizon, defaultValueOfTypeName('Int64') AS events, defaultValueOfTypeName('Int64') AS interactions_like, defaultValueOfTypeName('Int64') AS interactions_comment, defaultValueOfTypeName('Int64') AS interactions_share, defaultValueOfTypeName('Int64') AS interactions_follow, defaultValueOfTypeName('Int64') AS interactions_gift, defaultValueOfTypeName('Int64') AS interactions_fan_club_join, defaultValueOfTypeName('Int64') AS interactions_cart_view, defaultValueOfTypeName('Int64') AS interactions_product_click, defaultValueOfTypeName('Int64') AS interactions_favorite, defaultValueOfTypeName('Int64') AS interactions_coupon_claim, defaultValueOfTypeName('Int64') AS interactions_poll_or_lottery, defaultValueOfTypeName('Int64') AS interactions_dislike_or_report, defaultValueOfTypeName('Int64') AS interactions_product_exposure, defaultValueOfTypeName('Int64') AS interactions_rating, defaultValueOfTypeName('Int64') AS interaction_events, defaultValueOfTypeName('Int64') AS interactors, defaultValueOfTypeName('Int64') AS engagers, defaultValueOfTypeName('Int64') AS product_exposures, defaultValueOfTypeName('Int64') AS product_clicks, defaultValueOfTypeName('Int64') AS product_clickers, defaultValueOfTypeName('Int64') AS ratings, defaultValueOfTypeName('Int64') AS rating_sum, defaultValueOfTypeName('Int64') AS orders_created, defaultValueOfTypeName('Int64') AS orders_paid, defaultValueOfTypeName('Int64') AS buyers, defaultValueOfTypeName('Int64') AS new_buyers, defaultValueOfTypeName('Int64') AS items_sold, defaultValueOfTypeName('Int64') AS orders_cancelled, defaultValueOfTypeName('Int64') AS orders_refunded, defaultValueOfTypeName('Int64') AS orders_refunded_by_order
FROM system.one
WHERE (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).1 < toDateTime64(0, 3, 'UTC')
UNION ALL
SELECT
    r.row_grain AS grain,
    r.hour AS window_start,
    r.platform AS platform,
    r.room_id AS room_id,
    r.live_session_id AS live_session_id,
    r.sku_id AS sku_id,
    multiIf(r.hour + toIntervalHour(1) > (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).3, 'provisional', max(if(r.grain = '1h', bitAnd(r.state, 2), 0)) != 0, 'corrected', 'final') AS status,
    max((bitAnd(r.state, 16) = 0, r.updated_at)).2 AS updated_at,
    sum(r.beyond_horizon) AS beyond_horizon,
    sum(r.events) AS events,
    sum(r.interactions_like) AS interactions_like,
    sum(r.interactions_comment) AS interactions_comment,
    sum(r.interactions_share) AS interactions_share,
    sum(r.interactions_follow) AS interactions_follow,
    sum(r.interactions_gift) AS interactions_gift,
    sum(r.interactions_fan_club_join) AS interactions_fan_club_join,
    sum(r.interactions_cart_view) AS interactions_cart_view,
    sum(r.interactions_product_click) AS interactions_product_click,
    sum(r.interactions_favorite) AS interactions_favorite,
    sum(r.interactions_coupon_claim) AS interactions_coupon_claim,
    sum(r.interactions_poll_or_lottery) AS interactions_poll_or_lottery,
    sum(r.interactions_dislike_or_report) AS interactions_dislike_or_report,
    sum(r.interactions_product_exposure) AS interactions_product_exposure,
    sum(r.interactions_rating) AS interactions_rating,
    sum(r.interaction_events) AS interaction_events,
    sum(if(r.grain = '1m', r.interactors_in_hour, r.interactors)) AS interactors,
    sum(if(r.grain = '1m', r.engagers_in_hour, r.engagers)) AS engagers,
    sum(r.interactions_product_exposure) AS product_exposures,
    sum(r.interactions_product_click) AS product_clicks,
    sum(if(r.grain = '1m', r.product_clickers_in_hour, r.product_clickers)) AS product_clickers,
    sum(r.ratings) AS ratings,
    sum(r.rating_sum) AS rating_sum,
    sum(r.orders_created) AS orders_created,
    sum(r.orders_paid) AS orders_paid,
    sum(if(r.grain = '1m', r.buyers_in_hour, r.buyers)) AS buyers,
    sum(r.new_buyers) AS new_buyers,
    sum(r.items_sold) AS items_sold,
    sum(r.orders_cancelled) AS orders_cancelled,
    sum(if(r.grain = '1m', r.orders_refunded_in_hour, r.orders_refunded)) AS orders_refunded,
    sum(r.orders_refunded_by_order) AS orders_refunded_by_order
FROM (SELECT CAST('1h', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, CAST(r.window_start, 'DateTime64(3, \'UTC\')') AS hour, r.* FROM livemeter.sku_rows AS r FINAL WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1h' AND (r.window_start < (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).2 OR r.part = 65534)
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1
UNION ALL
SELECT CAST('1h', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, CAST(toStartOfHour(r.window_start, 'UTC'), 'DateTime64(3, \'UTC\')') AS hour, r.* FROM livemeter.sku_rows AS r FINAL WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1m' AND bitAnd(r.state, 1) != 0 AND r.window_start >= (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).2 AND r.part != 65534
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1) AS r
GROUP BY r.row_grain, r.hour, r.platform, r.room_id, r.live_session_id, r.sku_id
COMMENT 'The grain 1h of sku_measures (4bfcf48a175e)';

CREATE OR REPLACE VIEW livemeter.sku_measures_1d
(
    `grain` Enum8('10s' = 0, '1m' = 1, '1h' = 2, '1d' = 3, 'session' = 4) COMMENT 'Length of the window: 10s, 1m, 1h in UTC; 1d in the shop\'s zone; session is the whole live session',
    `window_start` DateTime64(3, 'UTC') COMMENT 'Start of the half-open window of event time; of a session the earliest event of the row: join sessions without it',
    `platform` LowCardinality(String) COMMENT 'Platform of the room',
    `room_id` String COMMENT 'Room; \'\' for orders that belong to none',
    `live_session_id` String COMMENT 'Live session of the room; \'\' where the event names none',
    `sku_id` String COMMENT 'Product named by the event or the order line',
    `status` LowCardinality(String) COMMENT 'provisional: the watermark of some partition has not passed the window\'s end and the lateness (a session: the gap after its last event); final: that of all has; corrected: final, and an event came after that',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the newest event of this window was received; where only whole-view measures or online changed: the newest event that changed them',
    `beyond_horizon` Int64 COMMENT 'events later than the horizon: in sums and counts, not in distinct viewers or online',
    `events` Int64 COMMENT 'accepted events of all types. Each is in the room that it names; an order that names none is in the room of its click (\'\' without one), a cost event that names none is not counted',
    `interactions_like` Int64 COMMENT 'Σ count of likes',
    `interactions_comment` Int64 COMMENT 'Σ count of comments',
    `interactions_share` Int64 COMMENT 'Σ count of shares',
    `interactions_follow` Int64 COMMENT 'Σ count of follows',
    `interactions_gift` Int64 COMMENT 'Σ count of gifts',
    `interactions_fan_club_join` Int64 COMMENT 'Σ count of fan club joins',
    `interactions_cart_view` Int64 COMMENT 'Σ count of cart views',
    `interactions_product_click` Int64 COMMENT 'Σ count of product clicks (the same as product_clicks)',
    `interactions_favorite` Int64 COMMENT 'Σ count of favorites',
    `interactions_coupon_claim` Int64 COMMENT 'Σ count of coupon claims',
    `interactions_poll_or_lottery` Int64 COMMENT 'Σ count of polls and lotteries',
    `interactions_dislike_or_report` Int64 COMMENT 'Σ count of dislikes and reports',
    `interactions_product_exposure` Int64 COMMENT 'Σ count of product exposures (the same as product_exposures)',
    `interactions_rating` Int64 COMMENT 'Σ count of ratings; their number is ratings',
    `interaction_events` Int64 COMMENT 'interaction events, product_exposure and rating apart',
    `interactors` Int64 COMMENT 'distinct viewers with a like, comment, share or follow',
    `engagers` Int64 COMMENT 'distinct viewers with any interaction but product_exposure and rating',
    `product_exposures` Int64 COMMENT 'Σ count of product exposures',
    `product_clicks` Int64 COMMENT 'Σ count of product clicks',
    `product_clickers` Int64 COMMENT 'distinct viewers with a product click',
    `ratings` Int64 COMMENT 'rating events',
    `rating_sum` Int64 COMMENT 'Σ rating of rating events',
    `orders_created` Int64 COMMENT 'orders with a created, by its event time',
    `orders_paid` Int64 COMMENT 'orders with a paid, by its event time',
    `buyers` Int64 COMMENT 'distinct buyers of the paid orders',
    `new_buyers` Int64 COMMENT 'buyers whose first paid order on the platform is in this window and room',
    `items_sold` Int64 COMMENT 'Σ qty of the lines of paid',
    `orders_cancelled` Int64 COMMENT 'orders with a cancelled and no paid, by the event time of cancelled',
    `orders_refunded` Int64 COMMENT 'distinct orders with a refund, by refund date',
    `orders_refunded_by_order` Int64 COMMENT 'orders with a refund, in the window of their paid'
)
AS
SELECT defaultValueOfTypeName('Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS grain, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS window_start, defaultValueOfTypeName('LowCardinality(String)') AS platform, defaultValueOfTypeName('String') AS room_id, defaultValueOfTypeName('String') AS live_session_id, defaultValueOfTypeName('String') AS sku_id, defaultValueOfTypeName('LowCardinality(String)') AS status, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS updated_at, defaultValueOfTypeName('Int64') AS beyond_horizon, defaultValueOfTypeName('Int64') AS events, defaultValueOfTypeName('Int64') AS interactions_like, defaultValueOfTypeName('Int64') AS interactions_comment, defaultValueOfTypeName('Int64') AS interactions_share, defaultValueOfTypeName('Int64') AS interactions_follow, defaultValueOfTypeName('Int64') AS interactions_gift, defaultValueOfTypeName('Int64') AS interactions_fan_club_join, defaultValueOfTypeName('Int64') AS interactions_cart_view, defaultValueOfTypeName('Int64') AS interactions_product_click, defaultValueOfTypeName('Int64') AS interactions_favorite, defaultValueOfTypeName('Int64') AS interactions_coupon_claim, defaultValueOfTypeName('Int64') AS interactions_poll_or_lottery, defaultValueOfTypeName('Int64') AS interactions_dislike_or_report, defaultValueOfTypeName('Int64') AS interactions_product_exposure, defaultValueOfTypeName('Int64') AS interactions_rating, defaultValueOfTypeName('Int64') AS interaction_events, defaultValueOfTypeName('Int64') AS interactors, defaultValueOfTypeName('Int64') AS engagers, defaultValueOfTypeName('Int64') AS product_exposures, defaultValueOfTypeName('Int64') AS product_clicks, defaultValueOfTypeName('Int64') AS product_clickers, defaultValueOfTypeName('Int64') AS ratings, defaultValueOfTypeName('Int64') AS rating_sum, defaultValueOfTypeName('Int64') AS orders_created, defaultValueOfTypeName('Int64') AS orders_paid, defaultValueOfTypeName('Int64') AS buyers, defaultValueOfTypeName('Int64') AS new_buyers, defaultValueOfTypeName('Int64') AS items_sold, defaultValueOfTypeName('Int64') AS orders_cancelled, defaultValueOfTypeName('Int64') AS orders_refunded, defaultValueOfTypeName('Int64') AS orders_refunded_by_order
FROM system.one
WHERE (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).1 < toDateTime64(0, 3, 'UTC')
UNION ALL
SELECT
    r.row_grain AS grain,
    CAST(toStartOfDay(r.window_start, 'Asia/Shanghai'), 'DateTime64(3, \'UTC\')') AS window_start,
    r.platform AS platform,
    r.room_id AS room_id,
    r.live_session_id AS live_session_id,
    r.sku_id AS sku_id,
    multiIf(toStartOfDay(toStartOfDay(r.window_start, 'Asia/Shanghai') + toIntervalHour(36), 'Asia/Shanghai') > (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).3, 'provisional', max(if(r.grain = '1h', bitAnd(r.state, 8), 0)) != 0, 'corrected', 'final') AS status,
    max((bitAnd(r.state, 16) = 0, r.updated_at)).2 AS updated_at,
    sum(r.beyond_horizon) AS beyond_horizon,
    sum(r.events) AS events,
    sum(r.interactions_like) AS interactions_like,
    sum(r.interactions_comment) AS interactions_comment,
    sum(r.interactions_share) AS interactions_share,
    sum(r.interactions_follow) AS interactions_follow,
    sum(r.interactions_gift) AS interactions_gift,
    sum(r.interactions_fan_club_join) AS interactions_fan_club_join,
    sum(r.interactions_cart_view) AS interactions_cart_view,
    sum(r.interactions_product_click) AS interactions_product_click,
    sum(r.interactions_favorite) AS interactions_favorite,
    sum(r.interactions_coupon_claim) AS interactions_coupon_claim,
    sum(r.interactions_poll_or_lottery) AS interactions_poll_or_lottery,
    sum(r.interactions_dislike_or_report) AS interactions_dislike_or_report,
    sum(r.interactions_product_exposure) AS interactions_product_exposure,
    sum(r.interactions_rating) AS interactions_rating,
    sum(r.interaction_events) AS interaction_events,
    sum(r.interactors_in_day) AS interactors,
    sum(r.engagers_in_day) AS engagers,
    sum(r.interactions_product_exposure) AS product_exposures,
    sum(r.interactions_product_click) AS product_clicks,
    sum(r.product_clickers_in_day) AS product_clickers,
    sum(r.ratings) AS ratings,
    sum(r.rating_sum) AS rating_sum,
    sum(r.orders_created) AS orders_created,
    sum(r.orders_paid) AS orders_paid,
    sum(r.buyers_in_day) AS buyers,
    sum(r.new_buyers) AS new_buyers,
    sum(r.items_sold) AS items_sold,
    sum(r.orders_cancelled) AS orders_cancelled,
    sum(r.orders_refunded_in_day) AS orders_refunded,
    sum(r.orders_refunded_by_order) AS orders_refunded_by_order
FROM (SELECT CAST('1d', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, r.* FROM livemeter.sku_rows AS r FINAL WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND (r.part != 65534 AND (r.grain = '1h' AND r.window_start < (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).2 OR r.grain = '1m' AND bitAnd(r.state, 1) != 0 AND r.window_start >= (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).2) OR r.grain = '1d')
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1) AS r
GROUP BY r.row_grain, toStartOfDay(r.window_start, 'Asia/Shanghai'), r.platform, r.room_id, r.live_session_id, r.sku_id
COMMENT 'The grain 1d of sku_measures (4eee59c9becd)';

CREATE OR REPLACE VIEW livemeter.sku_measures_session
(
    `grain` Enum8('10s' = 0, '1m' = 1, '1h' = 2, '1d' = 3, 'session' = 4) COMMENT 'Length of the window: 10s, 1m, 1h in UTC; 1d in the shop\'s zone; session is the whole live session',
    `window_start` DateTime64(3, 'UTC') COMMENT 'Start of the half-open window of event time; of a session the earliest event of the row: join sessions without it',
    `platform` LowCardinality(String) COMMENT 'Platform of the room',
    `room_id` String COMMENT 'Room; \'\' for orders that belong to none',
    `live_session_id` String COMMENT 'Live session of the room; \'\' where the event names none',
    `sku_id` String COMMENT 'Product named by the event or the order line',
    `status` LowCardinality(String) COMMENT 'provisional: the watermark of some partition has not passed the window\'s end and the lateness (a session: the gap after its last event); final: that of all has; corrected: final, and an event came after that',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the newest event of this window was received; where only whole-view measures or online changed: the newest event that changed them',
    `beyond_horizon` Int64 COMMENT 'events later than the horizon: in sums and counts, not in distinct viewers or online',
    `events` Int64 COMMENT 'accepted events of all types. Each is in the room that it names; an order that names none is in the room of its click (\'\' without one), a cost event that names none is not counted',
    `interactions_like` Int64 COMMENT 'Σ count of likes',
    `interactions_comment` Int64 COMMENT 'Σ count of comments',
    `interactions_share` Int64 COMMENT 'Σ count of shares',
    `interactions_follow` Int64 COMMENT 'Σ count of follows',
    `interactions_gift` Int64 COMMENT 'Σ count of gifts',
    `interactions_fan_club_join` Int64 COMMENT 'Σ count of fan club joins',
    `interactions_cart_view` Int64 COMMENT 'Σ count of cart views',
    `interactions_product_click` Int64 COMMENT 'Σ count of product clicks (the same as product_clicks)',
    `interactions_favorite` Int64 COMMENT 'Σ count of favorites',
    `interactions_coupon_claim` Int64 COMMENT 'Σ count of coupon claims',
    `interactions_poll_or_lottery` Int64 COMMENT 'Σ count of polls and lotteries',
    `interactions_dislike_or_report` Int64 COMMENT 'Σ count of dislikes and reports',
    `interactions_product_exposure` Int64 COMMENT 'Σ count of product exposures (the same as product_exposures)',
    `interactions_rating` Int64 COMMENT 'Σ count of ratings; their number is ratings',
    `interaction_events` Int64 COMMENT 'interaction events, product_exposure and rating apart',
    `interactors` Int64 COMMENT 'distinct viewers with a like, comment, share or follow',
    `engagers` Int64 COMMENT 'distinct viewers with any interaction but product_exposure and rating',
    `product_exposures` Int64 COMMENT 'Σ count of product exposures',
    `product_clicks` Int64 COMMENT 'Σ count of product clicks',
    `product_clickers` Int64 COMMENT 'distinct viewers with a product click',
    `ratings` Int64 COMMENT 'rating events',
    `rating_sum` Int64 COMMENT 'Σ rating of rating events',
    `orders_created` Int64 COMMENT 'orders with a created, by its event time',
    `orders_paid` Int64 COMMENT 'orders with a paid, by its event time',
    `buyers` Int64 COMMENT 'distinct buyers of the paid orders',
    `new_buyers` Int64 COMMENT 'buyers whose first paid order on the platform is in this window and room',
    `items_sold` Int64 COMMENT 'Σ qty of the lines of paid',
    `orders_cancelled` Int64 COMMENT 'orders with a cancelled and no paid, by the event time of cancelled',
    `orders_refunded` Int64 COMMENT 'distinct orders with a refund, by refund date',
    `orders_refunded_by_order` Int64 COMMENT 'orders with a refund, in the window of their paid'
)
AS
SELECT defaultValueOfTypeName('Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS grain, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS window_start, defaultValueOfTypeName('LowCardinality(String)') AS platform, defaultValueOfTypeName('String') AS room_id, defaultValueOfTypeName('String') AS live_session_id, defaultValueOfTypeName('String') AS sku_id, defaultValueOfTypeName('LowCardinality(String)') AS status, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS updated_at, defaultValueOfTypeName('Int64') AS beyond_horizon, defaultValueOfTypeName('Int64') AS events, defaultValueOfTypeName('Int64') AS interactions_like, defaultValueOfTypeName('Int64') AS interactions_comment, defaultValueOfTypeName('Int64') AS interactions_share, defaultValueOfTypeName('Int64') AS interactions_follow, defaultValueOfTypeName('Int64') AS interactions_gift, defaultValueOfTypeName('Int64') AS interactions_fan_club_join, defaultValueOfTypeName('Int64') AS interactions_cart_view, defaultValueOfTypeName('Int64') AS interactions_product_click, defaultValueOfTypeName('Int64') AS interactions_favorite, defaultValueOfTypeName('Int64') AS interactions_coupon_claim, defaultValueOfTypeName('Int64') AS interactions_poll_or_lottery, defaultValueOfTypeName('Int64') AS interactions_dislike_or_report, defaultValueOfTypeName('Int64') AS interactions_product_exposure, defaultValueOfTypeName('Int64') AS interactions_rating, defaultValueOfTypeName('Int64') AS interaction_events, defaultValueOfTypeName('Int64') AS interactors, defaultValueOfTypeName('Int64') AS engagers, defaultValueOfTypeName('Int64') AS product_exposures, defaultValueOfTypeName('Int64') AS product_clicks, defaultValueOfTypeName('Int64') AS product_clickers, defaultValueOfTypeName('Int64') AS ratings, defaultValueOfTypeName('Int64') AS rating_sum, defaultValueOfTypeName('Int64') AS orders_created, defaultValueOfTypeName('Int64') AS orders_paid, defaultValueOfTypeName('Int64') AS buyers, defaultValueOfTypeName('Int64') AS new_buyers, defaultValueOfTypeName('Int64') AS items_sold, defaultValueOfTypeName('Int64') AS orders_cancelled, defaultValueOfTypeName('Int64') AS orders_refunded, defaultValueOfTypeName('Int64') AS orders_refunded_by_order
FROM system.one
WHERE (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).1 < toDateTime64(0, 3, 'UTC')
UNION ALL
SELECT
    r.row_grain AS grain,
    min(r.first_event) AS window_start,
    r.platform AS platform,
    r.room_id AS room_id,
    r.live_session_id AS live_session_id,
    r.sku_id AS sku_id,
    multiIf(arrayExists(t -> arrayExists(k ->
        (arrayExists(j -> j.1 < k.1, t) AND NOT arrayExists(j -> j.1 < k.1 AND j.2 > k.1, t))
        OR (k.3 > 0 AND NOT arrayExists(j -> j.1 <= k.3 AND j.2 > k.3, t)), t), [arrayConcat(arrayFlatten(arrayMap(x -> arrayMap(i -> (x[i], x[i + 1], x[i + 2]), range(1, length(x), 3)), [groupArrayArrayIf(r.runs, r.grain = '1h')])), arrayZip(minMapIf([toUnixTimestamp(toStartOfHour(r.window_start, 'UTC')) * 65536 + r.part], [r.runs[1]], r.grain = '1m' AND notEmpty(r.runs)).2, maxMapIf([toUnixTimestamp(toStartOfHour(r.window_start, 'UTC')) * 65536 + r.part], [r.runs[2]], r.grain = '1m' AND notEmpty(r.runs)).2, maxMapIf([toUnixTimestamp(toStartOfHour(r.window_start, 'UTC')) * 65536 + r.part], [r.runs[3]], r.grain = '1m' AND notEmpty(r.runs)).2))]), 'corrected', arrayMax(j -> j.2, arrayConcat(arrayFlatten(arrayMap(x -> arrayMap(i -> (x[i], x[i + 1], x[i + 2]), range(1, length(x), 3)), [groupArrayArrayIf(r.runs, r.grain = '1h')])), arrayZip(minMapIf([toUnixTimestamp(toStartOfHour(r.window_start, 'UTC')) * 65536 + r.part], [r.runs[1]], r.grain = '1m' AND notEmpty(r.runs)).2, maxMapIf([toUnixTimestamp(toStartOfHour(r.window_start, 'UTC')) * 65536 + r.part], [r.runs[2]], r.grain = '1m' AND notEmpty(r.runs)).2, maxMapIf([toUnixTimestamp(toStartOfHour(r.window_start, 'UTC')) * 65536 + r.part], [r.runs[3]], r.grain = '1m' AND notEmpty(r.runs)).2))) > toUnixTimestamp64Milli((SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).1), 'provisional', 'final') AS status,
    max((bitAnd(r.state, 16) = 0, r.updated_at)).2 AS updated_at,
    sum(r.beyond_horizon) AS beyond_horizon,
    sum(r.events) AS events,
    sum(r.interactions_like) AS interactions_like,
    sum(r.interactions_comment) AS interactions_comment,
    sum(r.interactions_share) AS interactions_share,
    sum(r.interactions_follow) AS interactions_follow,
    sum(r.interactions_gift) AS interactions_gift,
    sum(r.interactions_fan_club_join) AS interactions_fan_club_join,
    sum(r.interactions_cart_view) AS interactions_cart_view,
    sum(r.interactions_product_click) AS interactions_product_click,
    sum(r.interactions_favorite) AS interactions_favorite,
    sum(r.interactions_coupon_claim) AS interactions_coupon_claim,
    sum(r.interactions_poll_or_lottery) AS interactions_poll_or_lottery,
    sum(r.interactions_dislike_or_report) AS interactions_dislike_or_report,
    sum(r.interactions_product_exposure) AS interactions_product_exposure,
    sum(r.interactions_rating) AS interactions_rating,
    sum(r.interaction_events) AS interaction_events,
    sum(r.interactors_in_session) AS interactors,
    sum(r.engagers_in_session) AS engagers,
    sum(r.interactions_product_exposure) AS product_exposures,
    sum(r.interactions_product_click) AS product_clicks,
    sum(r.product_clickers_in_session) AS product_clickers,
    sum(r.ratings) AS ratings,
    sum(r.rating_sum) AS rating_sum,
    sum(r.orders_created) AS orders_created,
    sum(r.orders_paid) AS orders_paid,
    sum(r.buyers_in_session) AS buyers,
    sum(r.new_buyers) AS new_buyers,
    sum(r.items_sold) AS items_sold,
    sum(r.orders_cancelled) AS orders_cancelled,
    sum(r.orders_refunded_in_session) AS orders_refunded,
    sum(r.orders_refunded_by_order) AS orders_refunded_by_order
FROM (SELECT CAST('session', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, r.* FROM livemeter.sku_rows AS r FINAL WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND (r.part != 65534 AND (r.grain = '1h' AND r.window_start < (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).2 OR r.grain = '1m' AND bitAnd(r.state, 1) != 0 AND r.window_start >= (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).2) OR r.grain = 'session')
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1) AS r
GROUP BY r.row_grain, r.platform, r.room_id, r.live_session_id, r.sku_id
COMMENT 'The grain session of sku_measures (fc422209ec2e)';

CREATE OR REPLACE VIEW livemeter.sku_measures
(
    `grain` Enum8('10s' = 0, '1m' = 1, '1h' = 2, '1d' = 3, 'session' = 4) COMMENT 'Length of the window: 10s, 1m, 1h in UTC; 1d in the shop\'s zone; session is the whole live session',
    `window_start` DateTime64(3, 'UTC') COMMENT 'Start of the half-open window of event time; of a session the earliest event of the row: join sessions without it',
    `platform` LowCardinality(String) COMMENT 'Platform of the room',
    `room_id` String COMMENT 'Room; \'\' for orders that belong to none',
    `live_session_id` String COMMENT 'Live session of the room; \'\' where the event names none',
    `sku_id` String COMMENT 'Product named by the event or the order line',
    `status` LowCardinality(String) COMMENT 'provisional: the watermark of some partition has not passed the window\'s end and the lateness (a session: the gap after its last event); final: that of all has; corrected: final, and an event came after that',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the newest event of this window was received; where only whole-view measures or online changed: the newest event that changed them',
    `beyond_horizon` Int64 COMMENT 'events later than the horizon: in sums and counts, not in distinct viewers or online',
    `events` Int64 COMMENT 'accepted events of all types. Each is in the room that it names; an order that names none is in the room of its click (\'\' without one), a cost event that names none is not counted',
    `interactions_like` Int64 COMMENT 'Σ count of likes',
    `interactions_comment` Int64 COMMENT 'Σ count of comments',
    `interactions_share` Int64 COMMENT 'Σ count of shares',
    `interactions_follow` Int64 COMMENT 'Σ count of follows',
    `interactions_gift` Int64 COMMENT 'Σ count of gifts',
    `interactions_fan_club_join` Int64 COMMENT 'Σ count of fan club joins',
    `interactions_cart_view` Int64 COMMENT 'Σ count of cart views',
    `interactions_product_click` Int64 COMMENT 'Σ count of product clicks (the same as product_clicks)',
    `interactions_favorite` Int64 COMMENT 'Σ count of favorites',
    `interactions_coupon_claim` Int64 COMMENT 'Σ count of coupon claims',
    `interactions_poll_or_lottery` Int64 COMMENT 'Σ count of polls and lotteries',
    `interactions_dislike_or_report` Int64 COMMENT 'Σ count of dislikes and reports',
    `interactions_product_exposure` Int64 COMMENT 'Σ count of product exposures (the same as product_exposures)',
    `interactions_rating` Int64 COMMENT 'Σ count of ratings; their number is ratings',
    `interaction_events` Int64 COMMENT 'interaction events, product_exposure and rating apart',
    `interactors` Int64 COMMENT 'distinct viewers with a like, comment, share or follow',
    `engagers` Int64 COMMENT 'distinct viewers with any interaction but product_exposure and rating',
    `product_exposures` Int64 COMMENT 'Σ count of product exposures',
    `product_clicks` Int64 COMMENT 'Σ count of product clicks',
    `product_clickers` Int64 COMMENT 'distinct viewers with a product click',
    `ratings` Int64 COMMENT 'rating events',
    `rating_sum` Int64 COMMENT 'Σ rating of rating events',
    `orders_created` Int64 COMMENT 'orders with a created, by its event time',
    `orders_paid` Int64 COMMENT 'orders with a paid, by its event time',
    `buyers` Int64 COMMENT 'distinct buyers of the paid orders',
    `new_buyers` Int64 COMMENT 'buyers whose first paid order on the platform is in this window and room',
    `items_sold` Int64 COMMENT 'Σ qty of the lines of paid',
    `orders_cancelled` Int64 COMMENT 'orders with a cancelled and no paid, by the event time of cancelled',
    `orders_refunded` Int64 COMMENT 'distinct orders with a refund, by refund date',
    `orders_refunded_by_order` Int64 COMMENT 'orders with a refund, in the window of their paid'
)
AS
SELECT CAST(substring(_table, 14), 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS grain, window_start, platform, room_id, live_session_id, sku_id, status, updated_at, beyond_horizon, events, interactions_like, interactions_comment, interactions_share, interactions_follow, interactions_gift, interactions_fan_club_join, interactions_cart_view, interactions_product_click, interactions_favorite, interactions_coupon_claim, interactions_poll_or_lottery, interactions_dislike_or_report, interactions_product_exposure, interactions_rating, interaction_events, interactors, engagers, product_exposures, product_clicks, product_clickers, ratings, rating_sum, orders_created, orders_paid, buyers, new_buyers, items_sold, orders_cancelled, orders_refunded, orders_refunded_by_order
FROM merge('livemeter', '^sku_measures_(10s|1m|1h|1d|session)$')
WHERE hasColumnInTable('livemeter', 'sku_measures_10s', 'grain') AND hasColumnInTable('livemeter', 'sku_measures_1m', 'grain') AND hasColumnInTable('livemeter', 'sku_measures_1h', 'grain') AND hasColumnInTable('livemeter', 'sku_measures_1d', 'grain') AND hasColumnInTable('livemeter', 'sku_measures_session', 'grain')
COMMENT 'Measures of each product in a room (e1f0d22c1544)';

CREATE OR REPLACE VIEW livemeter.source_measures_10s
(
    `grain` Enum8('10s' = 0, '1m' = 1, '1h' = 2, '1d' = 3, 'session' = 4) COMMENT 'Length of the window: 10s, 1m, 1h in UTC; 1d in the shop\'s zone; session is the whole live session',
    `window_start` DateTime64(3, 'UTC') COMMENT 'Start of the half-open window of event time; of a session the earliest event of the row: join sessions without it',
    `platform` LowCardinality(String) COMMENT 'Platform of the room',
    `room_id` String COMMENT 'Room; \'\' for orders that belong to none',
    `live_session_id` String COMMENT 'Live session of the room; \'\' where the event names none',
    `entry_source` String COMMENT 'entry_source of the view\'s first enter, \'\' without one',
    `campaign_id` String COMMENT 'campaign_id of the touch of the view\'s first enter, \'\' without one',
    `status` LowCardinality(String) COMMENT 'provisional: the watermark of some partition has not passed the window\'s end and the lateness (a session: the gap after its last event); final: that of all has; corrected: final, and an event came after that',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the newest event of this window was received; where only whole-view measures or online changed: the newest event that changed them',
    `beyond_horizon` Int64 COMMENT 'events later than the horizon: in sums and counts, not in distinct viewers or online',
    `viewers` Int64 COMMENT 'distinct viewers of viewer events',
    `views` Int64 COMMENT 'distinct views, by their first enter',
    `watch_ms` Int64 COMMENT 'Σ watch time in ms of the whole views that entered in this window',
    `effective_views_10s` Int64 COMMENT 'views with more than 10 000 ms of watch in all, in the window of the enter',
    `effective_views_60s` Int64 COMMENT 'views with more than 60 000 ms of watch in all, in the window of the enter',
    `effective_views_300s` Int64 COMMENT 'views with 300 000 ms of watch or more in all, in the window of the enter',
    `bounces` Int64 COMMENT 'closed views under 10 000 ms of watch without an interaction (product_exposure apart), in the window of the enter'
)
AS
SELECT defaultValueOfTypeName('Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS grain, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS window_start, defaultValueOfTypeName('LowCardinality(String)') AS platform, defaultValueOfTypeName('String') AS room_id, defaultValueOfTypeName('String') AS live_session_id, defaultValueOfTypeName('String') AS entry_source, defaultValueOfTypeName('String') AS campaign_id, defaultValueOfTypeName('LowCardinality(String)') AS status, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS updated_at, defaultValueOfTypeName('Int64') AS beyond_horizon, defaultValueOfTypeName('Int64') AS viewers, defaultValueOfTypeName('Int64') AS views, defaultValueOfTypeName('Int64') AS watch_ms, defaultValueOfTypeName('Int64') AS effective_views_10s, defaultValueOfTypeName('Int64') AS effective_views_60s, defaultValueOfTypeName('Int64') AS effective_views_300s, defaultValueOfTypeName('Int64') AS bounces
FROM system.one
WHERE (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).1 < toDateTime64(0, 3, 'UTC')
UNION ALL
SELECT
    r.row_grain AS grain,
    r.window_start AS window_start,
    r.platform AS platform,
    r.room_id AS room_id,
    r.live_session_id AS live_session_id,
    r.entry_source AS entry_source,
    r.campaign_id AS campaign_id,
    multiIf(r.window_start + toIntervalSecond(10) > (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).3, 'provisional', max(r.pane_value[indexOf(r.pane_at, r.pane + 126)]) > 0, 'corrected', 'final') AS status,
    fromUnixTimestamp64Milli(if(max(r.pane_value[indexOf(r.pane_at, r.pane + 127)]) > 0, max(r.pane_value[indexOf(r.pane_at, r.pane + 127)]), -min(r.pane_value[indexOf(r.pane_at, r.pane + 127)])), 'UTC') AS updated_at,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 2)]) AS beyond_horizon,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 3)]) AS viewers,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 8)]) AS views,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 1)]) AS watch_ms,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 9)]) AS effective_views_10s,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 10)]) AS effective_views_60s,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 11)]) AS effective_views_300s,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 12)]) AS bounces
FROM (SELECT CAST('10s', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, r.window_start + toIntervalSecond(0) AS window_start, 0 AS pane, r.platform, r.room_id, r.live_session_id, r.entry_source, r.campaign_id, r.pane_at, r.pane_value
FROM livemeter.source_rows AS r FINAL
WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1m' AND has(r.pane_at, toUInt16(127))
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1
UNION ALL
SELECT CAST('10s', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, r.window_start + toIntervalSecond(10) AS window_start, 128 AS pane, r.platform, r.room_id, r.live_session_id, r.entry_source, r.campaign_id, r.pane_at, r.pane_value
FROM livemeter.source_rows AS r FINAL
WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1m' AND has(r.pane_at, toUInt16(255))
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1
UNION ALL
SELECT CAST('10s', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, r.window_start + toIntervalSecond(20) AS window_start, 256 AS pane, r.platform, r.room_id, r.live_session_id, r.entry_source, r.campaign_id, r.pane_at, r.pane_value
FROM livemeter.source_rows AS r FINAL
WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1m' AND has(r.pane_at, toUInt16(383))
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1
UNION ALL
SELECT CAST('10s', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, r.window_start + toIntervalSecond(30) AS window_start, 384 AS pane, r.platform, r.room_id, r.live_session_id, r.entry_source, r.campaign_id, r.pane_at, r.pane_value
FROM livemeter.source_rows AS r FINAL
WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1m' AND has(r.pane_at, toUInt16(511))
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1
UNION ALL
SELECT CAST('10s', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, r.window_start + toIntervalSecond(40) AS window_start, 512 AS pane, r.platform, r.room_id, r.live_session_id, r.entry_source, r.campaign_id, r.pane_at, r.pane_value
FROM livemeter.source_rows AS r FINAL
WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1m' AND has(r.pane_at, toUInt16(639))
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1
UNION ALL
SELECT CAST('10s', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, r.window_start + toIntervalSecond(50) AS window_start, 640 AS pane, r.platform, r.room_id, r.live_session_id, r.entry_source, r.campaign_id, r.pane_at, r.pane_value
FROM livemeter.source_rows AS r FINAL
WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1m' AND has(r.pane_at, toUInt16(767))
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1) AS r
GROUP BY r.row_grain, r.window_start, r.platform, r.room_id, r.live_session_id, r.entry_source, r.campaign_id
COMMENT 'The grain 10s of source_measures (ff89f5a8739c)';

CREATE OR REPLACE VIEW livemeter.source_measures_1m
(
    `grain` Enum8('10s' = 0, '1m' = 1, '1h' = 2, '1d' = 3, 'session' = 4) COMMENT 'Length of the window: 10s, 1m, 1h in UTC; 1d in the shop\'s zone; session is the whole live session',
    `window_start` DateTime64(3, 'UTC') COMMENT 'Start of the half-open window of event time; of a session the earliest event of the row: join sessions without it',
    `platform` LowCardinality(String) COMMENT 'Platform of the room',
    `room_id` String COMMENT 'Room; \'\' for orders that belong to none',
    `live_session_id` String COMMENT 'Live session of the room; \'\' where the event names none',
    `entry_source` String COMMENT 'entry_source of the view\'s first enter, \'\' without one',
    `campaign_id` String COMMENT 'campaign_id of the touch of the view\'s first enter, \'\' without one',
    `status` LowCardinality(String) COMMENT 'provisional: the watermark of some partition has not passed the window\'s end and the lateness (a session: the gap after its last event); final: that of all has; corrected: final, and an event came after that',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the newest event of this window was received; where only whole-view measures or online changed: the newest event that changed them',
    `beyond_horizon` Int64 COMMENT 'events later than the horizon: in sums and counts, not in distinct viewers or online',
    `viewers` Int64 COMMENT 'distinct viewers of viewer events',
    `views` Int64 COMMENT 'distinct views, by their first enter',
    `watch_ms` Int64 COMMENT 'Σ watch time in ms of the whole views that entered in this window',
    `effective_views_10s` Int64 COMMENT 'views with more than 10 000 ms of watch in all, in the window of the enter',
    `effective_views_60s` Int64 COMMENT 'views with more than 60 000 ms of watch in all, in the window of the enter',
    `effective_views_300s` Int64 COMMENT 'views with 300 000 ms of watch or more in all, in the window of the enter',
    `bounces` Int64 COMMENT 'closed views under 10 000 ms of watch without an interaction (product_exposure apart), in the window of the enter'
)
AS
SELECT defaultValueOfTypeName('Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS grain, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS window_start, defaultValueOfTypeName('LowCardinality(String)') AS platform, defaultValueOfTypeName('String') AS room_id, defaultValueOfTypeName('String') AS live_session_id, defaultValueOfTypeName('String') AS entry_source, defaultValueOfTypeName('String') AS campaign_id, defaultValueOfTypeName('LowCardinality(String)') AS status, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS updated_at, defaultValueOfTypeName('Int64') AS beyond_horizon, defaultValueOfTypeName('Int64') AS viewers, defaultValueOfTypeName('Int64') AS views, defaultValueOfTypeName('Int64') AS watch_ms, defaultValueOfTypeName('Int64') AS effective_views_10s, defaultValueOfTypeName('Int64') AS effective_views_60s, defaultValueOfTypeName('Int64') AS effective_views_300s, defaultValueOfTypeName('Int64') AS bounces
FROM system.one
WHERE (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).1 < toDateTime64(0, 3, 'UTC')
UNION ALL
SELECT
    r.row_grain AS grain,
    r.window_start AS window_start,
    r.platform AS platform,
    r.room_id AS room_id,
    r.live_session_id AS live_session_id,
    r.entry_source AS entry_source,
    r.campaign_id AS campaign_id,
    multiIf(r.window_start + toIntervalMinute(1) > (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).3, 'provisional', max(bitAnd(r.state, 2)) != 0, 'corrected', 'final') AS status,
    max((bitAnd(r.state, 16) = 0, r.updated_at)).2 AS updated_at,
    sum(r.beyond_horizon) AS beyond_horizon,
    sum(r.viewers) AS viewers,
    sum(r.views) AS views,
    sum(r.watch_ms) AS watch_ms,
    sum(r.effective_views_10s) AS effective_views_10s,
    sum(r.effective_views_60s) AS effective_views_60s,
    sum(r.effective_views_300s) AS effective_views_300s,
    sum(r.bounces) AS bounces
FROM (SELECT r.grain AS row_grain, r.* FROM livemeter.source_rows AS r FINAL WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1m'
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1) AS r
GROUP BY r.row_grain, r.window_start, r.platform, r.room_id, r.live_session_id, r.entry_source, r.campaign_id
COMMENT 'The grain 1m of source_measures (2b0c869d392a)';

CREATE OR REPLACE VIEW livemeter.source_measures_1h
(
    `grain` Enum8('10s' = 0, '1m' = 1, '1h' = 2, '1d' = 3, 'session' = 4) COMMENT 'Length of the window: 10s, 1m, 1h in UTC; 1d in the shop\'s zone; session is the whole live session',
    `window_start` DateTime64(3, 'UTC') COMMENT 'Start of the half-open window of event time; of a session the earliest event of the row: join sessions without it',
    `platform` LowCardinality(String) COMMENT 'Platform of the room',
    `room_id` String COMMENT 'Room; \'\' for orders that belong to none',
    `live_session_id` String COMMENT 'Live session of the room; \'\' where the event names none',
    `entry_source` String COMMENT 'entry_source of the view\'s first enter, \'\' without one',
    `campaign_id` String COMMENT 'campaign_id of the touch of the view\'s first enter, \'\' without one',
    `status` LowCardinality(String) COMMENT 'provisional: the watermark of some partition has not passed the window\'s end and the lateness (a session: the gap after its last event); final: that of all has; corrected: final, and an event came after that',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the newest event of this window was received; where only whole-view measures or online changed: the newest event that changed them',
    `beyond_horizon` Int64 COMMENT 'events later than the horizon: in sums and counts, not in distinct viewers or online',
    `viewers` Int64 COMMENT 'distinct viewers of viewer events',
    `views` Int64 COMMENT 'distinct views, by their first enter',
    `watch_ms` Int64 COMMENT 'Σ watch time in ms of the whole views that entered in this window',
    `effective_views_10s` Int64 COMMENT 'views with more than 10 000 ms of watch in all, in the window of the enter',
    `effective_views_60s` Int64 COMMENT 'views with more than 60 000 ms of watch in all, in the window of the enter',
    `effective_views_300s` Int64 COMMENT 'views with 300 000 ms of watch or more in all, in the window of the enter',
    `bounces` Int64 COMMENT 'closed views under 10 000 ms of watch without an interaction (product_exposure apart), in the window of the enter'
)
AS
SELECT defaultValueOfTypeName('Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS grain, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS window_start, defaultValueOfTypeName('LowCardinality(String)') AS platform, defaultValueOfTypeName('String') AS room_id, defaultValueOfTypeName('String') AS live_session_id, defaultValueOfTypeName('String') AS entry_source, defaultValueOfTypeName('String') AS campaign_id, defaultValueOfTypeName('LowCardinality(String)') AS status, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS updated_at, defaultValueOfTypeName('Int64') AS beyond_horizon, defaultValueOfTypeName('Int64') AS viewers, defaultValueOfTypeName('Int64') AS views, defaultValueOfTypeName('Int64') AS watch_ms, defaultValueOfTypeName('Int64') AS effective_views_10s, defaultValueOfTypeName('Int64') AS effective_views_60s, defaultValueOfTypeName('Int64') AS effective_views_300s, defaultValueOfTypeName('Int64') AS bounces
FROM system.one
WHERE (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).1 < toDateTime64(0, 3, 'UTC')
UNION ALL
SELECT
    r.row_grain AS grain,
    r.hour AS window_start,
    r.platform AS platform,
    r.room_id AS room_id,
    r.live_session_id AS live_session_id,
    r.entry_source AS entry_source,
    r.campaign_id AS campaign_id,
    multiIf(r.hour + toIntervalHour(1) > (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).3, 'provisional', max(if(r.grain = '1h', bitAnd(r.state, 2), 0)) != 0, 'corrected', 'final') AS status,
    max((bitAnd(r.state, 16) = 0, r.updated_at)).2 AS updated_at,
    sum(r.beyond_horizon) AS beyond_horizon,
    sum(if(r.grain = '1m', r.viewers_in_hour, r.viewers)) AS viewers,
    sum(r.views) AS views,
    sum(r.watch_ms) AS watch_ms,
    sum(r.effective_views_10s) AS effective_views_10s,
    sum(r.effective_views_60s) AS effective_views_60s,
    sum(r.effective_views_300s) AS effective_views_300s,
    sum(r.bounces) AS bounces
FROM (SELECT CAST('1h', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, CAST(r.window_start, 'DateTime64(3, \'UTC\')') AS hour, r.* FROM livemeter.source_rows AS r FINAL WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1h' AND (r.window_start < (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).2 OR r.part = 65534)
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1
UNION ALL
SELECT CAST('1h', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, CAST(toStartOfHour(r.window_start, 'UTC'), 'DateTime64(3, \'UTC\')') AS hour, r.* FROM livemeter.source_rows AS r FINAL WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1m' AND bitAnd(r.state, 1) != 0 AND r.window_start >= (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).2 AND r.part != 65534
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1) AS r
GROUP BY r.row_grain, r.hour, r.platform, r.room_id, r.live_session_id, r.entry_source, r.campaign_id
COMMENT 'The grain 1h of source_measures (2fa25b9e0440)';

CREATE OR REPLACE VIEW livemeter.source_measures_1d
(
    `grain` Enum8('10s' = 0, '1m' = 1, '1h' = 2, '1d' = 3, 'session' = 4) COMMENT 'Length of the window: 10s, 1m, 1h in UTC; 1d in the shop\'s zone; session is the whole live session',
    `window_start` DateTime64(3, 'UTC') COMMENT 'Start of the half-open window of event time; of a session the earliest event of the row: join sessions without it',
    `platform` LowCardinality(String) COMMENT 'Platform of the room',
    `room_id` String COMMENT 'Room; \'\' for orders that belong to none',
    `live_session_id` String COMMENT 'Live session of the room; \'\' where the event names none',
    `entry_source` String COMMENT 'entry_source of the view\'s first enter, \'\' without one',
    `campaign_id` String COMMENT 'campaign_id of the touch of the view\'s first enter, \'\' without one',
    `status` LowCardinality(String) COMMENT 'provisional: the watermark of some partition has not passed the window\'s end and the lateness (a session: the gap after its last event); final: that of all has; corrected: final, and an event came after that',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the newest event of this window was received; where only whole-view measures or online changed: the newest event that changed them',
    `beyond_horizon` Int64 COMMENT 'events later than the horizon: in sums and counts, not in distinct viewers or online',
    `viewers` Int64 COMMENT 'distinct viewers of viewer events',
    `views` Int64 COMMENT 'distinct views, by their first enter',
    `watch_ms` Int64 COMMENT 'Σ watch time in ms of the whole views that entered in this window',
    `effective_views_10s` Int64 COMMENT 'views with more than 10 000 ms of watch in all, in the window of the enter',
    `effective_views_60s` Int64 COMMENT 'views with more than 60 000 ms of watch in all, in the window of the enter',
    `effective_views_300s` Int64 COMMENT 'views with 300 000 ms of watch or more in all, in the window of the enter',
    `bounces` Int64 COMMENT 'closed views under 10 000 ms of watch without an interaction (product_exposure apart), in the window of the enter'
)
AS
SELECT defaultValueOfTypeName('Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS grain, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS window_start, defaultValueOfTypeName('LowCardinality(String)') AS platform, defaultValueOfTypeName('String') AS room_id, defaultValueOfTypeName('String') AS live_session_id, defaultValueOfTypeName('String') AS entry_source, defaultValueOfTypeName('String') AS campaign_id, defaultValueOfTypeName('LowCardinality(String)') AS status, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS updated_at, defaultValueOfTypeName('Int64') AS beyond_horizon, defaultValueOfTypeName('Int64') AS viewers, defaultValueOfTypeName('Int64') AS views, defaultValueOfTypeName('Int64') AS watch_ms, defaultValueOfTypeName('Int64') AS effective_views_10s, defaultValueOfTypeName('Int64') AS effective_views_60s, defaultValueOfTypeName('Int64') AS effective_views_300s, defaultValueOfTypeName('Int64') AS bounces
FROM system.one
WHERE (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).1 < toDateTime64(0, 3, 'UTC')
UNION ALL
SELECT
    r.row_grain AS grain,
    CAST(toStartOfDay(r.window_start, 'Asia/Shanghai'), 'DateTime64(3, \'UTC\')') AS window_start,
    r.platform AS platform,
    r.room_id AS room_id,
    r.live_session_id AS live_session_id,
    r.entry_source AS entry_source,
    r.campaign_id AS campaign_id,
    multiIf(toStartOfDay(toStartOfDay(r.window_start, 'Asia/Shanghai') + toIntervalHour(36), 'Asia/Shanghai') > (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).3, 'provisional', max(if(r.grain = '1h', bitAnd(r.state, 8), 0)) != 0, 'corrected', 'final') AS status,
    max((bitAnd(r.state, 16) = 0, r.updated_at)).2 AS updated_at,
    sum(r.beyond_horizon) AS beyond_horizon,
    sum(r.viewers_in_day) AS viewers,
    sum(r.views) AS views,
    sum(r.watch_ms) AS watch_ms,
    sum(r.effective_views_10s) AS effective_views_10s,
    sum(r.effective_views_60s) AS effective_views_60s,
    sum(r.effective_views_300s) AS effective_views_300s,
    sum(r.bounces) AS bounces
FROM (SELECT CAST('1d', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, r.* FROM livemeter.source_rows AS r FINAL WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND (r.part != 65534 AND (r.grain = '1h' AND r.window_start < (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).2 OR r.grain = '1m' AND bitAnd(r.state, 1) != 0 AND r.window_start >= (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).2) OR r.grain = '1d')
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1) AS r
GROUP BY r.row_grain, toStartOfDay(r.window_start, 'Asia/Shanghai'), r.platform, r.room_id, r.live_session_id, r.entry_source, r.campaign_id
COMMENT 'The grain 1d of source_measures (13405b8ec033)';

CREATE OR REPLACE VIEW livemeter.source_measures_session
(
    `grain` Enum8('10s' = 0, '1m' = 1, '1h' = 2, '1d' = 3, 'session' = 4) COMMENT 'Length of the window: 10s, 1m, 1h in UTC; 1d in the shop\'s zone; session is the whole live session',
    `window_start` DateTime64(3, 'UTC') COMMENT 'Start of the half-open window of event time; of a session the earliest event of the row: join sessions without it',
    `platform` LowCardinality(String) COMMENT 'Platform of the room',
    `room_id` String COMMENT 'Room; \'\' for orders that belong to none',
    `live_session_id` String COMMENT 'Live session of the room; \'\' where the event names none',
    `entry_source` String COMMENT 'entry_source of the view\'s first enter, \'\' without one',
    `campaign_id` String COMMENT 'campaign_id of the touch of the view\'s first enter, \'\' without one',
    `status` LowCardinality(String) COMMENT 'provisional: the watermark of some partition has not passed the window\'s end and the lateness (a session: the gap after its last event); final: that of all has; corrected: final, and an event came after that',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the newest event of this window was received; where only whole-view measures or online changed: the newest event that changed them',
    `beyond_horizon` Int64 COMMENT 'events later than the horizon: in sums and counts, not in distinct viewers or online',
    `viewers` Int64 COMMENT 'distinct viewers of viewer events',
    `views` Int64 COMMENT 'distinct views, by their first enter',
    `watch_ms` Int64 COMMENT 'Σ watch time in ms of the whole views that entered in this window',
    `effective_views_10s` Int64 COMMENT 'views with more than 10 000 ms of watch in all, in the window of the enter',
    `effective_views_60s` Int64 COMMENT 'views with more than 60 000 ms of watch in all, in the window of the enter',
    `effective_views_300s` Int64 COMMENT 'views with 300 000 ms of watch or more in all, in the window of the enter',
    `bounces` Int64 COMMENT 'closed views under 10 000 ms of watch without an interaction (product_exposure apart), in the window of the enter'
)
AS
SELECT defaultValueOfTypeName('Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS grain, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS window_start, defaultValueOfTypeName('LowCardinality(String)') AS platform, defaultValueOfTypeName('String') AS room_id, defaultValueOfTypeName('String') AS live_session_id, defaultValueOfTypeName('String') AS entry_source, defaultValueOfTypeName('String') AS campaign_id, defaultValueOfTypeName('LowCardinality(String)') AS status, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS updated_at, defaultValueOfTypeName('Int64') AS beyond_horizon, defaultValueOfTypeName('Int64') AS viewers, defaultValueOfTypeName('Int64') AS views, defaultValueOfTypeName('Int64') AS watch_ms, defaultValueOfTypeName('Int64') AS effective_views_10s, defaultValueOfTypeName('Int64') AS effective_views_60s, defaultValueOfTypeName('Int64') AS effective_views_300s, defaultValueOfTypeName('Int64') AS bounces
FROM system.one
WHERE (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).1 < toDateTime64(0, 3, 'UTC')
UNION ALL
SELECT
    r.row_grain AS grain,
    min(r.first_event) AS window_start,
    r.platform AS platform,
    r.room_id AS room_id,
    r.live_session_id AS live_session_id,
    r.entry_source AS entry_source,
    r.campaign_id AS campaign_id,
    multiIf(arrayExists(t -> arrayExists(k ->
        (arrayExists(j -> j.1 < k.1, t) AND NOT arrayExists(j -> j.1 < k.1 AND j.2 > k.1, t))
        OR (k.3 > 0 AND NOT arrayExists(j -> j.1 <= k.3 AND j.2 > k.3, t)), t), [arrayConcat(arrayFlatten(arrayMap(x -> arrayMap(i -> (x[i], x[i + 1], x[i + 2]), range(1, length(x), 3)), [groupArrayArrayIf(r.runs, r.grain = '1h')])), arrayZip(minMapIf([toUnixTimestamp(toStartOfHour(r.window_start, 'UTC')) * 65536 + r.part], [r.runs[1]], r.grain = '1m' AND notEmpty(r.runs)).2, maxMapIf([toUnixTimestamp(toStartOfHour(r.window_start, 'UTC')) * 65536 + r.part], [r.runs[2]], r.grain = '1m' AND notEmpty(r.runs)).2, maxMapIf([toUnixTimestamp(toStartOfHour(r.window_start, 'UTC')) * 65536 + r.part], [r.runs[3]], r.grain = '1m' AND notEmpty(r.runs)).2))]), 'corrected', arrayMax(j -> j.2, arrayConcat(arrayFlatten(arrayMap(x -> arrayMap(i -> (x[i], x[i + 1], x[i + 2]), range(1, length(x), 3)), [groupArrayArrayIf(r.runs, r.grain = '1h')])), arrayZip(minMapIf([toUnixTimestamp(toStartOfHour(r.window_start, 'UTC')) * 65536 + r.part], [r.runs[1]], r.grain = '1m' AND notEmpty(r.runs)).2, maxMapIf([toUnixTimestamp(toStartOfHour(r.window_start, 'UTC')) * 65536 + r.part], [r.runs[2]], r.grain = '1m' AND notEmpty(r.runs)).2, maxMapIf([toUnixTimestamp(toStartOfHour(r.window_start, 'UTC')) * 65536 + r.part], [r.runs[3]], r.grain = '1m' AND notEmpty(r.runs)).2))) > toUnixTimestamp64Milli((SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).1), 'provisional', 'final') AS status,
    max((bitAnd(r.state, 16) = 0, r.updated_at)).2 AS updated_at,
    sum(r.beyond_horizon) AS beyond_horizon,
    sum(r.viewers_in_session) AS viewers,
    sum(r.views) AS views,
    sum(r.watch_ms) AS watch_ms,
    sum(r.effective_views_10s) AS effective_views_10s,
    sum(r.effective_views_60s) AS effective_views_60s,
    sum(r.effective_views_300s) AS effective_views_300s,
    sum(r.bounces) AS bounces
FROM (SELECT CAST('session', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, r.* FROM livemeter.source_rows AS r FINAL WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND (r.part != 65534 AND (r.grain = '1h' AND r.window_start < (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).2 OR r.grain = '1m' AND bitAnd(r.state, 1) != 0 AND r.window_start >= (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).2) OR r.grain = 'session')
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1) AS r
GROUP BY r.row_grain, r.platform, r.room_id, r.live_session_id, r.entry_source, r.campaign_id
COMMENT 'The grain session of source_measures (557c7e7ba69b)';

CREATE OR REPLACE VIEW livemeter.source_measures
(
    `grain` Enum8('10s' = 0, '1m' = 1, '1h' = 2, '1d' = 3, 'session' = 4) COMMENT 'Length of the window: 10s, 1m, 1h in UTC; 1d in the shop\'s zone; session is the whole live session',
    `window_start` DateTime64(3, 'UTC') COMMENT 'Start of the half-open window of event time; of a session the earliest event of the row: join sessions without it',
    `platform` LowCardinality(String) COMMENT 'Platform of the room',
    `room_id` String COMMENT 'Room; \'\' for orders that belong to none',
    `live_session_id` String COMMENT 'Live session of the room; \'\' where the event names none',
    `entry_source` String COMMENT 'entry_source of the view\'s first enter, \'\' without one',
    `campaign_id` String COMMENT 'campaign_id of the touch of the view\'s first enter, \'\' without one',
    `status` LowCardinality(String) COMMENT 'provisional: the watermark of some partition has not passed the window\'s end and the lateness (a session: the gap after its last event); final: that of all has; corrected: final, and an event came after that',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the newest event of this window was received; where only whole-view measures or online changed: the newest event that changed them',
    `beyond_horizon` Int64 COMMENT 'events later than the horizon: in sums and counts, not in distinct viewers or online',
    `viewers` Int64 COMMENT 'distinct viewers of viewer events',
    `views` Int64 COMMENT 'distinct views, by their first enter',
    `watch_ms` Int64 COMMENT 'Σ watch time in ms of the whole views that entered in this window',
    `effective_views_10s` Int64 COMMENT 'views with more than 10 000 ms of watch in all, in the window of the enter',
    `effective_views_60s` Int64 COMMENT 'views with more than 60 000 ms of watch in all, in the window of the enter',
    `effective_views_300s` Int64 COMMENT 'views with 300 000 ms of watch or more in all, in the window of the enter',
    `bounces` Int64 COMMENT 'closed views under 10 000 ms of watch without an interaction (product_exposure apart), in the window of the enter'
)
AS
SELECT CAST(substring(_table, 17), 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS grain, window_start, platform, room_id, live_session_id, entry_source, campaign_id, status, updated_at, beyond_horizon, viewers, views, watch_ms, effective_views_10s, effective_views_60s, effective_views_300s, bounces
FROM merge('livemeter', '^source_measures_(10s|1m|1h|1d|session)$')
WHERE hasColumnInTable('livemeter', 'source_measures_10s', 'grain') AND hasColumnInTable('livemeter', 'source_measures_1m', 'grain') AND hasColumnInTable('livemeter', 'source_measures_1h', 'grain') AND hasColumnInTable('livemeter', 'source_measures_1d', 'grain') AND hasColumnInTable('livemeter', 'source_measures_session', 'grain')
COMMENT 'Measures of whole views by entry source and campaign, in the window of their enter; what a view without an enter does is in no row (ec044cc676f3)';

CREATE OR REPLACE VIEW livemeter.variant_measures_10s
(
    `grain` Enum8('10s' = 0, '1m' = 1, '1h' = 2, '1d' = 3, 'session' = 4) COMMENT 'Length of the window: 10s, 1m, 1h in UTC; 1d in the shop\'s zone; session is the whole live session',
    `window_start` DateTime64(3, 'UTC') COMMENT 'Start of the half-open window of event time; of a session the earliest event of the row: join sessions without it',
    `platform` LowCardinality(String) COMMENT 'Platform of the room',
    `room_id` String COMMENT 'Room; \'\' for orders that belong to none',
    `live_session_id` String COMMENT 'Live session of the room; \'\' where the event names none',
    `experiment_id` String COMMENT 'Experiment named by the event, for whole views by their enter',
    `variant` String COMMENT 'Variant of the experiment',
    `status` LowCardinality(String) COMMENT 'provisional: the watermark of some partition has not passed the window\'s end and the lateness (a session: the gap after its last event); final: that of all has; corrected: final, and an event came after that',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the newest event of this window was received; where only whole-view measures or online changed: the newest event that changed them',
    `beyond_horizon` Int64 COMMENT 'events later than the horizon: in sums and counts, not in distinct viewers or online',
    `events` Int64 COMMENT 'accepted events of all types. Each is in the room that it names; an order that names none is in the room of its click (\'\' without one), a cost event that names none is not counted',
    `viewers` Int64 COMMENT 'distinct viewers of viewer events',
    `views` Int64 COMMENT 'distinct views, by their first enter',
    `watch_ms` Int64 COMMENT 'Σ watch time in ms, foreground only',
    `effective_views_10s` Int64 COMMENT 'views with more than 10 000 ms of watch in all, in the window of the enter',
    `effective_views_60s` Int64 COMMENT 'views with more than 60 000 ms of watch in all, in the window of the enter',
    `effective_views_300s` Int64 COMMENT 'views with 300 000 ms of watch or more in all, in the window of the enter',
    `bounces` Int64 COMMENT 'closed views under 10 000 ms of watch without an interaction (product_exposure apart), in the window of the enter',
    `online` Int64 COMMENT 'views online at the end of the 10 s pane; longer windows: the peak over their panes',
    `interactions_like` Int64 COMMENT 'Σ count of likes',
    `interactions_comment` Int64 COMMENT 'Σ count of comments',
    `interactions_share` Int64 COMMENT 'Σ count of shares',
    `interactions_follow` Int64 COMMENT 'Σ count of follows',
    `interactions_gift` Int64 COMMENT 'Σ count of gifts',
    `interactions_fan_club_join` Int64 COMMENT 'Σ count of fan club joins',
    `interactions_cart_view` Int64 COMMENT 'Σ count of cart views',
    `interactions_product_click` Int64 COMMENT 'Σ count of product clicks (the same as product_clicks)',
    `interactions_favorite` Int64 COMMENT 'Σ count of favorites',
    `interactions_coupon_claim` Int64 COMMENT 'Σ count of coupon claims',
    `interactions_poll_or_lottery` Int64 COMMENT 'Σ count of polls and lotteries',
    `interactions_dislike_or_report` Int64 COMMENT 'Σ count of dislikes and reports',
    `interactions_product_exposure` Int64 COMMENT 'Σ count of product exposures (the same as product_exposures)',
    `interactions_rating` Int64 COMMENT 'Σ count of ratings; their number is ratings',
    `interaction_events` Int64 COMMENT 'interaction events, product_exposure and rating apart',
    `interactors` Int64 COMMENT 'distinct viewers with a like, comment, share or follow',
    `engagers` Int64 COMMENT 'distinct viewers with any interaction but product_exposure and rating',
    `product_exposures` Int64 COMMENT 'Σ count of product exposures',
    `product_clicks` Int64 COMMENT 'Σ count of product clicks',
    `product_clickers` Int64 COMMENT 'distinct viewers with a product click',
    `ratings` Int64 COMMENT 'rating events',
    `rating_sum` Int64 COMMENT 'Σ rating of rating events',
    `orders_created` Int64 COMMENT 'orders with a created, by its event time',
    `orders_paid` Int64 COMMENT 'orders with a paid, by its event time',
    `buyers` Int64 COMMENT 'distinct buyers of the paid orders',
    `new_buyers` Int64 COMMENT 'buyers whose first paid order on the platform is in this window and room',
    `items_sold` Int64 COMMENT 'Σ qty of the lines of paid',
    `orders_cancelled` Int64 COMMENT 'orders with a cancelled and no paid, by the event time of cancelled',
    `orders_refunded` Int64 COMMENT 'distinct orders with a refund, by refund date',
    `orders_refunded_by_order` Int64 COMMENT 'orders with a refund, in the window of their paid'
)
AS
SELECT defaultValueOfTypeName('Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS grain, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS window_start, defaultValueOfTypeName('LowCardinality(String)') AS platform, defaultValueOfTypeName('String') AS room_id, defaultValueOfTypeName('String') AS live_session_id, defaultValueOfTypeName('String') AS experiment_id, defaultValueOfTypeName('String') AS variant, defaultValueOfTypeName('LowCardinality(String)') AS status, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS updated_at, defaultValueOfTypeName('Int64') AS beyond_horizon, defaultValueOfTypeName('Int64') AS events, defaultValueOfTypeName('Int64') AS viewers, defaultValueOfTypeName('Int64') AS views, defaultValueOfTypeName('Int64') AS watch_ms, defaultValueOfTypeName('Int64') AS effective_views_10s, defaultValueOfTypeName('Int64') AS effective_views_60s, defaultValueOfTypeName('Int64') AS effective_views_300s, defaultValueOfTypeName('Int64') AS bounces, defaultValueOfTypeName('Int64') AS online, defaultValueOfTypeName('Int64') AS interactions_like, defaultValueOfTypeName('Int64') AS interactions_comment, defaultValueOfTypeName('Int64') AS interactions_share, defaultValueOfTypeName('Int64') AS interactions_follow, defaultValueOfTypeName('Int64') AS interactions_gift, defaultValueOfTypeName('Int64') AS interactions_fan_club_join, defaultValueOfTypeName('Int64') AS interactions_cart_view, defaultValueOfTypeName('Int64') AS interactions_product_click, defaultValueOfTypeName('Int64') AS interactions_favorite, defaultValueOfTypeName('Int64') AS interactions_coupon_claim, defaultValueOfTypeName('Int64') AS interactions_poll_or_lottery, defaultValueOfTypeName('Int64') AS interactions_dislike_or_report, defaultValueOfTypeName('Int64') AS interactions_product_exposure, defaultValueOfTypeName('Int64') AS interactions_rating, defaultValueOfTypeName('Int64') AS interaction_events, defaultValueOfTypeName('Int64') AS interactors, defaultValueOfTypeName('Int64') AS engagers, defaultValueOfTypeName('Int64') AS product_exposures, defaultValueOfTypeName('Int64') AS product_clicks, defaultValueOfTypeName('Int64') AS product_clickers, defaultValueOfTypeName('Int64') AS ratings, defaultValueOfTypeName('Int64') AS rating_sum, defaultValueOfTypeName('Int64') AS orders_created, defaultValueOfTypeName('Int64') AS orders_paid, defaultValueOfTypeName('Int64') AS buyers, defaultValueOfTypeName('Int64') AS new_buyers, defaultValueOfTypeName('Int64') AS items_sold, defaultValueOfTypeName('Int64') AS orders_cancelled, defaultValueOfTypeName('Int64') AS orders_refunded, defaultValueOfTypeName('Int64') AS orders_refunded_by_order
FROM system.one
WHERE (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).1 < toDateTime64(0, 3, 'UTC')
UNION ALL
SELECT
    r.row_grain AS grain,
    r.window_start AS window_start,
    r.platform AS platform,
    r.room_id AS room_id,
    r.live_session_id AS live_session_id,
    r.experiment_id AS experiment_id,
    r.variant AS variant,
    multiIf(r.window_start + toIntervalSecond(10) > (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).3, 'provisional', max(r.pane_value[indexOf(r.pane_at, r.pane + 126)]) > 0, 'corrected', 'final') AS status,
    fromUnixTimestamp64Milli(if(max(r.pane_value[indexOf(r.pane_at, r.pane + 127)]) > 0, max(r.pane_value[indexOf(r.pane_at, r.pane + 127)]), -min(r.pane_value[indexOf(r.pane_at, r.pane + 127)])), 'UTC') AS updated_at,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 2)]) AS beyond_horizon,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 0)]) AS events,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 3)]) AS viewers,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 8)]) AS views,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 1)]) AS watch_ms,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 9)]) AS effective_views_10s,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 10)]) AS effective_views_60s,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 11)]) AS effective_views_300s,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 12)]) AS bounces,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 13)]) AS online,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 16)]) AS interactions_like,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 17)]) AS interactions_comment,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 18)]) AS interactions_share,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 19)]) AS interactions_follow,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 20)]) AS interactions_gift,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 21)]) AS interactions_fan_club_join,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 22)]) AS interactions_cart_view,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 23)]) AS interactions_product_click,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 24)]) AS interactions_favorite,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 25)]) AS interactions_coupon_claim,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 26)]) AS interactions_poll_or_lottery,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 27)]) AS interactions_dislike_or_report,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 28)]) AS interactions_product_exposure,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 29)]) AS interactions_rating,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 30)]) AS interaction_events,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 32)]) AS interactors,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 40)]) AS engagers,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 28)]) AS product_exposures,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 23)]) AS product_clicks,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 48)]) AS product_clickers,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 37)]) AS ratings,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 31)]) AS rating_sum,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 56)]) AS orders_created,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 57)]) AS orders_paid,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 64)]) AS buyers,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 60)]) AS new_buyers,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 58)]) AS items_sold,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 59)]) AS orders_cancelled,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 72)]) AS orders_refunded,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 61)]) AS orders_refunded_by_order
FROM (SELECT CAST('10s', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, r.window_start + toIntervalSecond(0) AS window_start, 0 AS pane, r.platform, r.room_id, r.live_session_id, r.experiment_id, r.variant, r.pane_at, r.pane_value
FROM livemeter.variant_rows AS r FINAL
WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1m' AND has(r.pane_at, toUInt16(127))
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1
UNION ALL
SELECT CAST('10s', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, r.window_start + toIntervalSecond(10) AS window_start, 128 AS pane, r.platform, r.room_id, r.live_session_id, r.experiment_id, r.variant, r.pane_at, r.pane_value
FROM livemeter.variant_rows AS r FINAL
WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1m' AND has(r.pane_at, toUInt16(255))
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1
UNION ALL
SELECT CAST('10s', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, r.window_start + toIntervalSecond(20) AS window_start, 256 AS pane, r.platform, r.room_id, r.live_session_id, r.experiment_id, r.variant, r.pane_at, r.pane_value
FROM livemeter.variant_rows AS r FINAL
WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1m' AND has(r.pane_at, toUInt16(383))
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1
UNION ALL
SELECT CAST('10s', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, r.window_start + toIntervalSecond(30) AS window_start, 384 AS pane, r.platform, r.room_id, r.live_session_id, r.experiment_id, r.variant, r.pane_at, r.pane_value
FROM livemeter.variant_rows AS r FINAL
WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1m' AND has(r.pane_at, toUInt16(511))
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1
UNION ALL
SELECT CAST('10s', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, r.window_start + toIntervalSecond(40) AS window_start, 512 AS pane, r.platform, r.room_id, r.live_session_id, r.experiment_id, r.variant, r.pane_at, r.pane_value
FROM livemeter.variant_rows AS r FINAL
WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1m' AND has(r.pane_at, toUInt16(639))
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1
UNION ALL
SELECT CAST('10s', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, r.window_start + toIntervalSecond(50) AS window_start, 640 AS pane, r.platform, r.room_id, r.live_session_id, r.experiment_id, r.variant, r.pane_at, r.pane_value
FROM livemeter.variant_rows AS r FINAL
WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1m' AND has(r.pane_at, toUInt16(767))
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1) AS r
GROUP BY r.row_grain, r.window_start, r.platform, r.room_id, r.live_session_id, r.experiment_id, r.variant
COMMENT 'The grain 10s of variant_measures (38af593971c6)';

CREATE OR REPLACE VIEW livemeter.variant_measures_1m
(
    `grain` Enum8('10s' = 0, '1m' = 1, '1h' = 2, '1d' = 3, 'session' = 4) COMMENT 'Length of the window: 10s, 1m, 1h in UTC; 1d in the shop\'s zone; session is the whole live session',
    `window_start` DateTime64(3, 'UTC') COMMENT 'Start of the half-open window of event time; of a session the earliest event of the row: join sessions without it',
    `platform` LowCardinality(String) COMMENT 'Platform of the room',
    `room_id` String COMMENT 'Room; \'\' for orders that belong to none',
    `live_session_id` String COMMENT 'Live session of the room; \'\' where the event names none',
    `experiment_id` String COMMENT 'Experiment named by the event, for whole views by their enter',
    `variant` String COMMENT 'Variant of the experiment',
    `status` LowCardinality(String) COMMENT 'provisional: the watermark of some partition has not passed the window\'s end and the lateness (a session: the gap after its last event); final: that of all has; corrected: final, and an event came after that',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the newest event of this window was received; where only whole-view measures or online changed: the newest event that changed them',
    `beyond_horizon` Int64 COMMENT 'events later than the horizon: in sums and counts, not in distinct viewers or online',
    `events` Int64 COMMENT 'accepted events of all types. Each is in the room that it names; an order that names none is in the room of its click (\'\' without one), a cost event that names none is not counted',
    `viewers` Int64 COMMENT 'distinct viewers of viewer events',
    `views` Int64 COMMENT 'distinct views, by their first enter',
    `watch_ms` Int64 COMMENT 'Σ watch time in ms, foreground only',
    `effective_views_10s` Int64 COMMENT 'views with more than 10 000 ms of watch in all, in the window of the enter',
    `effective_views_60s` Int64 COMMENT 'views with more than 60 000 ms of watch in all, in the window of the enter',
    `effective_views_300s` Int64 COMMENT 'views with 300 000 ms of watch or more in all, in the window of the enter',
    `bounces` Int64 COMMENT 'closed views under 10 000 ms of watch without an interaction (product_exposure apart), in the window of the enter',
    `online` Int64 COMMENT 'views online at the end of the 10 s pane; longer windows: the peak over their panes',
    `interactions_like` Int64 COMMENT 'Σ count of likes',
    `interactions_comment` Int64 COMMENT 'Σ count of comments',
    `interactions_share` Int64 COMMENT 'Σ count of shares',
    `interactions_follow` Int64 COMMENT 'Σ count of follows',
    `interactions_gift` Int64 COMMENT 'Σ count of gifts',
    `interactions_fan_club_join` Int64 COMMENT 'Σ count of fan club joins',
    `interactions_cart_view` Int64 COMMENT 'Σ count of cart views',
    `interactions_product_click` Int64 COMMENT 'Σ count of product clicks (the same as product_clicks)',
    `interactions_favorite` Int64 COMMENT 'Σ count of favorites',
    `interactions_coupon_claim` Int64 COMMENT 'Σ count of coupon claims',
    `interactions_poll_or_lottery` Int64 COMMENT 'Σ count of polls and lotteries',
    `interactions_dislike_or_report` Int64 COMMENT 'Σ count of dislikes and reports',
    `interactions_product_exposure` Int64 COMMENT 'Σ count of product exposures (the same as product_exposures)',
    `interactions_rating` Int64 COMMENT 'Σ count of ratings; their number is ratings',
    `interaction_events` Int64 COMMENT 'interaction events, product_exposure and rating apart',
    `interactors` Int64 COMMENT 'distinct viewers with a like, comment, share or follow',
    `engagers` Int64 COMMENT 'distinct viewers with any interaction but product_exposure and rating',
    `product_exposures` Int64 COMMENT 'Σ count of product exposures',
    `product_clicks` Int64 COMMENT 'Σ count of product clicks',
    `product_clickers` Int64 COMMENT 'distinct viewers with a product click',
    `ratings` Int64 COMMENT 'rating events',
    `rating_sum` Int64 COMMENT 'Σ rating of rating events',
    `orders_created` Int64 COMMENT 'orders with a created, by its event time',
    `orders_paid` Int64 COMMENT 'orders with a paid, by its event time',
    `buyers` Int64 COMMENT 'distinct buyers of the paid orders',
    `new_buyers` Int64 COMMENT 'buyers whose first paid order on the platform is in this window and room',
    `items_sold` Int64 COMMENT 'Σ qty of the lines of paid',
    `orders_cancelled` Int64 COMMENT 'orders with a cancelled and no paid, by the event time of cancelled',
    `orders_refunded` Int64 COMMENT 'distinct orders with a refund, by refund date',
    `orders_refunded_by_order` Int64 COMMENT 'orders with a refund, in the window of their paid'
)
AS
SELECT defaultValueOfTypeName('Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS grain, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS window_start, defaultValueOfTypeName('LowCardinality(String)') AS platform, defaultValueOfTypeName('String') AS room_id, defaultValueOfTypeName('String') AS live_session_id, defaultValueOfTypeName('String') AS experiment_id, defaultValueOfTypeName('String') AS variant, defaultValueOfTypeName('LowCardinality(String)') AS status, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS updated_at, defaultValueOfTypeName('Int64') AS beyond_horizon, defaultValueOfTypeName('Int64') AS events, defaultValueOfTypeName('Int64') AS viewers, defaultValueOfTypeName('Int64') AS views, defaultValueOfTypeName('Int64') AS watch_ms, defaultValueOfTypeName('Int64') AS effective_views_10s, defaultValueOfTypeName('Int64') AS effective_views_60s, defaultValueOfTypeName('Int64') AS effective_views_300s, defaultValueOfTypeName('Int64') AS bounces, defaultValueOfTypeName('Int64') AS online, defaultValueOfTypeName('Int64') AS interactions_like, defaultValueOfTypeName('Int64') AS interactions_comment, defaultValueOfTypeName('Int64') AS interactions_share, defaultValueOfTypeName('Int64') AS interactions_follow, defaultValueOfTypeName('Int64') AS interactions_gift, defaultValueOfTypeName('Int64') AS interactions_fan_club_join, defaultValueOfTypeName('Int64') AS interactions_cart_view, defaultValueOfTypeName('Int64') AS interactions_product_click, defaultValueOfTypeName('Int64') AS interactions_favorite, defaultValueOfTypeName('Int64') AS interactions_coupon_claim, defaultValueOfTypeName('Int64') AS interactions_poll_or_lottery, defaultValueOfTypeName('Int64') AS interactions_dislike_or_report, defaultValueOfTypeName('Int64') AS interactions_product_exposure, defaultValueOfTypeName('Int64') AS interactions_rating, defaultValueOfTypeName('Int64') AS interaction_events, defaultValueOfTypeName('Int64') AS interactors, defaultValueOfTypeName('Int64') AS engagers, defaultValueOfTypeName('Int64') AS product_exposures, defaultValueOfTypeName('Int64') AS product_clicks, defaultValueOfTypeName('Int64') AS product_clickers, defaultValueOfTypeName('Int64') AS ratings, defaultValueOfTypeName('Int64') AS rating_sum, defaultValueOfTypeName('Int64') AS orders_created, defaultValueOfTypeName('Int64') AS orders_paid, defaultValueOfTypeName('Int64') AS buyers, defaultValueOfTypeName('Int64') AS new_buyers, defaultValueOfTypeName('Int64') AS items_sold, defaultValueOfTypeName('Int64') AS orders_cancelled, defaultValueOfTypeName('Int64') AS orders_refunded, defaultValueOfTypeName('Int64') AS orders_refunded_by_order
FROM system.one
WHERE (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).1 < toDateTime64(0, 3, 'UTC')
UNION ALL
SELECT
    r.row_grain AS grain,
    r.window_start AS window_start,
    r.platform AS platform,
    r.room_id AS room_id,
    r.live_session_id AS live_session_id,
    r.experiment_id AS experiment_id,
    r.variant AS variant,
    multiIf(r.window_start + toIntervalMinute(1) > (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).3, 'provisional', max(bitAnd(r.state, 2)) != 0, 'corrected', 'final') AS status,
    max((bitAnd(r.state, 16) = 0, r.updated_at)).2 AS updated_at,
    sum(r.beyond_horizon) AS beyond_horizon,
    sum(r.events) AS events,
    sum(r.viewers) AS viewers,
    sum(r.views) AS views,
    sum(r.watch_ms) AS watch_ms,
    sum(r.effective_views_10s) AS effective_views_10s,
    sum(r.effective_views_60s) AS effective_views_60s,
    sum(r.effective_views_300s) AS effective_views_300s,
    sum(r.bounces) AS bounces,
    sum(r.online) AS online,
    sum(r.interactions_like) AS interactions_like,
    sum(r.interactions_comment) AS interactions_comment,
    sum(r.interactions_share) AS interactions_share,
    sum(r.interactions_follow) AS interactions_follow,
    sum(r.interactions_gift) AS interactions_gift,
    sum(r.interactions_fan_club_join) AS interactions_fan_club_join,
    sum(r.interactions_cart_view) AS interactions_cart_view,
    sum(r.interactions_product_click) AS interactions_product_click,
    sum(r.interactions_favorite) AS interactions_favorite,
    sum(r.interactions_coupon_claim) AS interactions_coupon_claim,
    sum(r.interactions_poll_or_lottery) AS interactions_poll_or_lottery,
    sum(r.interactions_dislike_or_report) AS interactions_dislike_or_report,
    sum(r.interactions_product_exposure) AS interactions_product_exposure,
    sum(r.interactions_rating) AS interactions_rating,
    sum(r.interaction_events) AS interaction_events,
    sum(r.interactors) AS interactors,
    sum(r.engagers) AS engagers,
    sum(r.interactions_product_exposure) AS product_exposures,
    sum(r.interactions_product_click) AS product_clicks,
    sum(r.product_clickers) AS product_clickers,
    sum(r.ratings) AS ratings,
    sum(r.rating_sum) AS rating_sum,
    sum(r.orders_created) AS orders_created,
    sum(r.orders_paid) AS orders_paid,
    sum(r.buyers) AS buyers,
    sum(r.new_buyers) AS new_buyers,
    sum(r.items_sold) AS items_sold,
    sum(r.orders_cancelled) AS orders_cancelled,
    sum(r.orders_refunded) AS orders_refunded,
    sum(r.orders_refunded_by_order) AS orders_refunded_by_order
FROM (SELECT r.grain AS row_grain, r.* FROM livemeter.variant_rows AS r FINAL WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1m'
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1) AS r
GROUP BY r.row_grain, r.window_start, r.platform, r.room_id, r.live_session_id, r.experiment_id, r.variant
COMMENT 'The grain 1m of variant_measures (7dc3fa6253e2)';

CREATE OR REPLACE VIEW livemeter.variant_measures_1h
(
    `grain` Enum8('10s' = 0, '1m' = 1, '1h' = 2, '1d' = 3, 'session' = 4) COMMENT 'Length of the window: 10s, 1m, 1h in UTC; 1d in the shop\'s zone; session is the whole live session',
    `window_start` DateTime64(3, 'UTC') COMMENT 'Start of the half-open window of event time; of a session the earliest event of the row: join sessions without it',
    `platform` LowCardinality(String) COMMENT 'Platform of the room',
    `room_id` String COMMENT 'Room; \'\' for orders that belong to none',
    `live_session_id` String COMMENT 'Live session of the room; \'\' where the event names none',
    `experiment_id` String COMMENT 'Experiment named by the event, for whole views by their enter',
    `variant` String COMMENT 'Variant of the experiment',
    `status` LowCardinality(String) COMMENT 'provisional: the watermark of some partition has not passed the window\'s end and the lateness (a session: the gap after its last event); final: that of all has; corrected: final, and an event came after that',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the newest event of this window was received; where only whole-view measures or online changed: the newest event that changed them',
    `beyond_horizon` Int64 COMMENT 'events later than the horizon: in sums and counts, not in distinct viewers or online',
    `events` Int64 COMMENT 'accepted events of all types. Each is in the room that it names; an order that names none is in the room of its click (\'\' without one), a cost event that names none is not counted',
    `viewers` Int64 COMMENT 'distinct viewers of viewer events',
    `views` Int64 COMMENT 'distinct views, by their first enter',
    `watch_ms` Int64 COMMENT 'Σ watch time in ms, foreground only',
    `effective_views_10s` Int64 COMMENT 'views with more than 10 000 ms of watch in all, in the window of the enter',
    `effective_views_60s` Int64 COMMENT 'views with more than 60 000 ms of watch in all, in the window of the enter',
    `effective_views_300s` Int64 COMMENT 'views with 300 000 ms of watch or more in all, in the window of the enter',
    `bounces` Int64 COMMENT 'closed views under 10 000 ms of watch without an interaction (product_exposure apart), in the window of the enter',
    `online` Int64 COMMENT 'views online at the end of the 10 s pane; longer windows: the peak over their panes',
    `interactions_like` Int64 COMMENT 'Σ count of likes',
    `interactions_comment` Int64 COMMENT 'Σ count of comments',
    `interactions_share` Int64 COMMENT 'Σ count of shares',
    `interactions_follow` Int64 COMMENT 'Σ count of follows',
    `interactions_gift` Int64 COMMENT 'Σ count of gifts',
    `interactions_fan_club_join` Int64 COMMENT 'Σ count of fan club joins',
    `interactions_cart_view` Int64 COMMENT 'Σ count of cart views',
    `interactions_product_click` Int64 COMMENT 'Σ count of product clicks (the same as product_clicks)',
    `interactions_favorite` Int64 COMMENT 'Σ count of favorites',
    `interactions_coupon_claim` Int64 COMMENT 'Σ count of coupon claims',
    `interactions_poll_or_lottery` Int64 COMMENT 'Σ count of polls and lotteries',
    `interactions_dislike_or_report` Int64 COMMENT 'Σ count of dislikes and reports',
    `interactions_product_exposure` Int64 COMMENT 'Σ count of product exposures (the same as product_exposures)',
    `interactions_rating` Int64 COMMENT 'Σ count of ratings; their number is ratings',
    `interaction_events` Int64 COMMENT 'interaction events, product_exposure and rating apart',
    `interactors` Int64 COMMENT 'distinct viewers with a like, comment, share or follow',
    `engagers` Int64 COMMENT 'distinct viewers with any interaction but product_exposure and rating',
    `product_exposures` Int64 COMMENT 'Σ count of product exposures',
    `product_clicks` Int64 COMMENT 'Σ count of product clicks',
    `product_clickers` Int64 COMMENT 'distinct viewers with a product click',
    `ratings` Int64 COMMENT 'rating events',
    `rating_sum` Int64 COMMENT 'Σ rating of rating events',
    `orders_created` Int64 COMMENT 'orders with a created, by its event time',
    `orders_paid` Int64 COMMENT 'orders with a paid, by its event time',
    `buyers` Int64 COMMENT 'distinct buyers of the paid orders',
    `new_buyers` Int64 COMMENT 'buyers whose first paid order on the platform is in this window and room',
    `items_sold` Int64 COMMENT 'Σ qty of the lines of paid',
    `orders_cancelled` Int64 COMMENT 'orders with a cancelled and no paid, by the event time of cancelled',
    `orders_refunded` Int64 COMMENT 'distinct orders with a refund, by refund date',
    `orders_refunded_by_order` Int64 COMMENT 'orders with a refund, in the window of their paid'
)
AS
SELECT defaultValueOfTypeName('Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS grain, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS window_start, defaultValueOfTypeName('LowCardinality(String)') AS platform, defaultValueOfTypeName('String') AS room_id, defaultValueOfTypeName('String') AS live_session_id, defaultValueOfTypeName('String') AS experiment_id, defaultValueOfTypeName('String') AS variant, defaultValueOfTypeName('LowCardinality(String)') AS status, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS updated_at, defaultValueOfTypeName('Int64') AS beyond_horizon, defaultValueOfTypeName('Int64') AS events, defaultValueOfTypeName('Int64') AS viewers, defaultValueOfTypeName('Int64') AS views, defaultValueOfTypeName('Int64') AS watch_ms, defaultValueOfTypeName('Int64') AS effective_views_10s, defaultValueOfTypeName('Int64') AS effective_views_60s, defaultValueOfTypeName('Int64') AS effective_views_300s, defaultValueOfTypeName('Int64') AS bounces, defaultValueOfTypeName('Int64') AS online, defaultValueOfTypeName('Int64') AS interactions_like, defaultValueOfTypeName('Int64') AS interactions_comment, defaultValueOfTypeName('Int64') AS interactions_share, defaultValueOfTypeName('Int64') AS interactions_follow, defaultValueOfTypeName('Int64') AS interactions_gift, defaultValueOfTypeName('Int64') AS interactions_fan_club_join, defaultValueOfTypeName('Int64') AS interactions_cart_view, defaultValueOfTypeName('Int64') AS interactions_product_click, defaultValueOfTypeName('Int64') AS interactions_favorite, defaultValueOfTypeName('Int64') AS interactions_coupon_claim, defaultValueOfTypeName('Int64') AS interactions_poll_or_lottery, defaultValueOfTypeName('Int64') AS interactions_dislike_or_report, defaultValueOfTypeName('Int64') AS interactions_product_exposure, defaultValueOfTypeName('Int64') AS interactions_rating, defaultValueOfTypeName('Int64') AS interaction_events, defaultValueOfTypeName('Int64') AS interactors, defaultValueOfTypeName('Int64') AS engagers, defaultValueOfTypeName('Int64') AS product_exposures, defaultValueOfTypeName('Int64') AS product_clicks, defaultValueOfTypeName('Int64') AS product_clickers, defaultValueOfTypeName('Int64') AS ratings, defaultValueOfTypeName('Int64') AS rating_sum, defaultValueOfTypeName('Int64') AS orders_created, defaultValueOfTypeName('Int64') AS orders_paid, defaultValueOfTypeName('Int64') AS buyers, defaultValueOfTypeName('Int64') AS new_buyers, defaultValueOfTypeName('Int64') AS items_sold, defaultValueOfTypeName('Int64') AS orders_cancelled, defaultValueOfTypeName('Int64') AS orders_refunded, defaultValueOfTypeName('Int64') AS orders_refunded_by_order
FROM system.one
WHERE (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).1 < toDateTime64(0, 3, 'UTC')
UNION ALL
SELECT
    r.row_grain AS grain,
    r.hour AS window_start,
    r.platform AS platform,
    r.room_id AS room_id,
    r.live_session_id AS live_session_id,
    r.experiment_id AS experiment_id,
    r.variant AS variant,
    multiIf(r.hour + toIntervalHour(1) > (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).3, 'provisional', max(if(r.grain = '1h', bitAnd(r.state, 2), 0)) != 0, 'corrected', 'final') AS status,
    max((bitAnd(r.state, 16) = 0, r.updated_at)).2 AS updated_at,
    sum(r.beyond_horizon) AS beyond_horizon,
    sum(r.events) AS events,
    sum(if(r.grain = '1m', r.viewers_in_hour, r.viewers)) AS viewers,
    sum(r.views) AS views,
    sum(r.watch_ms) AS watch_ms,
    sum(r.effective_views_10s) AS effective_views_10s,
    sum(r.effective_views_60s) AS effective_views_60s,
    sum(r.effective_views_300s) AS effective_views_300s,
    sum(r.bounces) AS bounces,
    sum(r.online) AS online,
    sum(r.interactions_like) AS interactions_like,
    sum(r.interactions_comment) AS interactions_comment,
    sum(r.interactions_share) AS interactions_share,
    sum(r.interactions_follow) AS interactions_follow,
    sum(r.interactions_gift) AS interactions_gift,
    sum(r.interactions_fan_club_join) AS interactions_fan_club_join,
    sum(r.interactions_cart_view) AS interactions_cart_view,
    sum(r.interactions_product_click) AS interactions_product_click,
    sum(r.interactions_favorite) AS interactions_favorite,
    sum(r.interactions_coupon_claim) AS interactions_coupon_claim,
    sum(r.interactions_poll_or_lottery) AS interactions_poll_or_lottery,
    sum(r.interactions_dislike_or_report) AS interactions_dislike_or_report,
    sum(r.interactions_product_exposure) AS interactions_product_exposure,
    sum(r.interactions_rating) AS interactions_rating,
    sum(r.interaction_events) AS interaction_events,
    sum(if(r.grain = '1m', r.interactors_in_hour, r.interactors)) AS interactors,
    sum(if(r.grain = '1m', r.engagers_in_hour, r.engagers)) AS engagers,
    sum(r.interactions_product_exposure) AS product_exposures,
    sum(r.interactions_product_click) AS product_clicks,
    sum(if(r.grain = '1m', r.product_clickers_in_hour, r.product_clickers)) AS product_clickers,
    sum(r.ratings) AS ratings,
    sum(r.rating_sum) AS rating_sum,
    sum(r.orders_created) AS orders_created,
    sum(r.orders_paid) AS orders_paid,
    sum(if(r.grain = '1m', r.buyers_in_hour, r.buyers)) AS buyers,
    sum(r.new_buyers) AS new_buyers,
    sum(r.items_sold) AS items_sold,
    sum(r.orders_cancelled) AS orders_cancelled,
    sum(if(r.grain = '1m', r.orders_refunded_in_hour, r.orders_refunded)) AS orders_refunded,
    sum(r.orders_refunded_by_order) AS orders_refunded_by_order
FROM (SELECT CAST('1h', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, CAST(r.window_start, 'DateTime64(3, \'UTC\')') AS hour, r.* FROM livemeter.variant_rows AS r FINAL WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1h' AND (r.window_start < (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).2 OR r.part = 65534)
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1
UNION ALL
SELECT CAST('1h', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, CAST(toStartOfHour(r.window_start, 'UTC'), 'DateTime64(3, \'UTC\')') AS hour, r.* FROM livemeter.variant_rows AS r FINAL WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1m' AND bitAnd(r.state, 1) != 0 AND r.window_start >= (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).2 AND r.part != 65534
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1) AS r
GROUP BY r.row_grain, r.hour, r.platform, r.room_id, r.live_session_id, r.experiment_id, r.variant
COMMENT 'The grain 1h of variant_measures (2609918d3c2b)';

CREATE OR REPLACE VIEW livemeter.variant_measures_1d
(
    `grain` Enum8('10s' = 0, '1m' = 1, '1h' = 2, '1d' = 3, 'session' = 4) COMMENT 'Length of the window: 10s, 1m, 1h in UTC; 1d in the shop\'s zone; session is the whole live session',
    `window_start` DateTime64(3, 'UTC') COMMENT 'Start of the half-open window of event time; of a session the earliest event of the row: join sessions without it',
    `platform` LowCardinality(String) COMMENT 'Platform of the room',
    `room_id` String COMMENT 'Room; \'\' for orders that belong to none',
    `live_session_id` String COMMENT 'Live session of the room; \'\' where the event names none',
    `experiment_id` String COMMENT 'Experiment named by the event, for whole views by their enter',
    `variant` String COMMENT 'Variant of the experiment',
    `status` LowCardinality(String) COMMENT 'provisional: the watermark of some partition has not passed the window\'s end and the lateness (a session: the gap after its last event); final: that of all has; corrected: final, and an event came after that',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the newest event of this window was received; where only whole-view measures or online changed: the newest event that changed them',
    `beyond_horizon` Int64 COMMENT 'events later than the horizon: in sums and counts, not in distinct viewers or online',
    `events` Int64 COMMENT 'accepted events of all types. Each is in the room that it names; an order that names none is in the room of its click (\'\' without one), a cost event that names none is not counted',
    `viewers` Int64 COMMENT 'distinct viewers of viewer events',
    `views` Int64 COMMENT 'distinct views, by their first enter',
    `watch_ms` Int64 COMMENT 'Σ watch time in ms, foreground only',
    `effective_views_10s` Int64 COMMENT 'views with more than 10 000 ms of watch in all, in the window of the enter',
    `effective_views_60s` Int64 COMMENT 'views with more than 60 000 ms of watch in all, in the window of the enter',
    `effective_views_300s` Int64 COMMENT 'views with 300 000 ms of watch or more in all, in the window of the enter',
    `bounces` Int64 COMMENT 'closed views under 10 000 ms of watch without an interaction (product_exposure apart), in the window of the enter',
    `online` Int64 COMMENT 'views online at the end of the 10 s pane; longer windows: the peak over their panes',
    `interactions_like` Int64 COMMENT 'Σ count of likes',
    `interactions_comment` Int64 COMMENT 'Σ count of comments',
    `interactions_share` Int64 COMMENT 'Σ count of shares',
    `interactions_follow` Int64 COMMENT 'Σ count of follows',
    `interactions_gift` Int64 COMMENT 'Σ count of gifts',
    `interactions_fan_club_join` Int64 COMMENT 'Σ count of fan club joins',
    `interactions_cart_view` Int64 COMMENT 'Σ count of cart views',
    `interactions_product_click` Int64 COMMENT 'Σ count of product clicks (the same as product_clicks)',
    `interactions_favorite` Int64 COMMENT 'Σ count of favorites',
    `interactions_coupon_claim` Int64 COMMENT 'Σ count of coupon claims',
    `interactions_poll_or_lottery` Int64 COMMENT 'Σ count of polls and lotteries',
    `interactions_dislike_or_report` Int64 COMMENT 'Σ count of dislikes and reports',
    `interactions_product_exposure` Int64 COMMENT 'Σ count of product exposures (the same as product_exposures)',
    `interactions_rating` Int64 COMMENT 'Σ count of ratings; their number is ratings',
    `interaction_events` Int64 COMMENT 'interaction events, product_exposure and rating apart',
    `interactors` Int64 COMMENT 'distinct viewers with a like, comment, share or follow',
    `engagers` Int64 COMMENT 'distinct viewers with any interaction but product_exposure and rating',
    `product_exposures` Int64 COMMENT 'Σ count of product exposures',
    `product_clicks` Int64 COMMENT 'Σ count of product clicks',
    `product_clickers` Int64 COMMENT 'distinct viewers with a product click',
    `ratings` Int64 COMMENT 'rating events',
    `rating_sum` Int64 COMMENT 'Σ rating of rating events',
    `orders_created` Int64 COMMENT 'orders with a created, by its event time',
    `orders_paid` Int64 COMMENT 'orders with a paid, by its event time',
    `buyers` Int64 COMMENT 'distinct buyers of the paid orders',
    `new_buyers` Int64 COMMENT 'buyers whose first paid order on the platform is in this window and room',
    `items_sold` Int64 COMMENT 'Σ qty of the lines of paid',
    `orders_cancelled` Int64 COMMENT 'orders with a cancelled and no paid, by the event time of cancelled',
    `orders_refunded` Int64 COMMENT 'distinct orders with a refund, by refund date',
    `orders_refunded_by_order` Int64 COMMENT 'orders with a refund, in the window of their paid'
)
AS
SELECT defaultValueOfTypeName('Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS grain, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS window_start, defaultValueOfTypeName('LowCardinality(String)') AS platform, defaultValueOfTypeName('String') AS room_id, defaultValueOfTypeName('String') AS live_session_id, defaultValueOfTypeName('String') AS experiment_id, defaultValueOfTypeName('String') AS variant, defaultValueOfTypeName('LowCardinality(String)') AS status, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS updated_at, defaultValueOfTypeName('Int64') AS beyond_horizon, defaultValueOfTypeName('Int64') AS events, defaultValueOfTypeName('Int64') AS viewers, defaultValueOfTypeName('Int64') AS views, defaultValueOfTypeName('Int64') AS watch_ms, defaultValueOfTypeName('Int64') AS effective_views_10s, defaultValueOfTypeName('Int64') AS effective_views_60s, defaultValueOfTypeName('Int64') AS effective_views_300s, defaultValueOfTypeName('Int64') AS bounces, defaultValueOfTypeName('Int64') AS online, defaultValueOfTypeName('Int64') AS interactions_like, defaultValueOfTypeName('Int64') AS interactions_comment, defaultValueOfTypeName('Int64') AS interactions_share, defaultValueOfTypeName('Int64') AS interactions_follow, defaultValueOfTypeName('Int64') AS interactions_gift, defaultValueOfTypeName('Int64') AS interactions_fan_club_join, defaultValueOfTypeName('Int64') AS interactions_cart_view, defaultValueOfTypeName('Int64') AS interactions_product_click, defaultValueOfTypeName('Int64') AS interactions_favorite, defaultValueOfTypeName('Int64') AS interactions_coupon_claim, defaultValueOfTypeName('Int64') AS interactions_poll_or_lottery, defaultValueOfTypeName('Int64') AS interactions_dislike_or_report, defaultValueOfTypeName('Int64') AS interactions_product_exposure, defaultValueOfTypeName('Int64') AS interactions_rating, defaultValueOfTypeName('Int64') AS interaction_events, defaultValueOfTypeName('Int64') AS interactors, defaultValueOfTypeName('Int64') AS engagers, defaultValueOfTypeName('Int64') AS product_exposures, defaultValueOfTypeName('Int64') AS product_clicks, defaultValueOfTypeName('Int64') AS product_clickers, defaultValueOfTypeName('Int64') AS ratings, defaultValueOfTypeName('Int64') AS rating_sum, defaultValueOfTypeName('Int64') AS orders_created, defaultValueOfTypeName('Int64') AS orders_paid, defaultValueOfTypeName('Int64') AS buyers, defaultValueOfTypeName('Int64') AS new_buyers, defaultValueOfTypeName('Int64') AS items_sold, defaultValueOfTypeName('Int64') AS orders_cancelled, defaultValueOfTypeName('Int64') AS orders_refunded, defaultValueOfTypeName('Int64') AS orders_refunded_by_order
FROM system.one
WHERE (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).1 < toDateTime64(0, 3, 'UTC')
UNION ALL
SELECT
    r.row_grain AS grain,
    CAST(toStartOfDay(r.window_start, 'Asia/Shanghai'), 'DateTime64(3, \'UTC\')') AS window_start,
    r.platform AS platform,
    r.room_id AS room_id,
    r.live_session_id AS live_session_id,
    r.experiment_id AS experiment_id,
    r.variant AS variant,
    multiIf(toStartOfDay(toStartOfDay(r.window_start, 'Asia/Shanghai') + toIntervalHour(36), 'Asia/Shanghai') > (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).3, 'provisional', max(if(r.grain = '1h', bitAnd(r.state, 8), 0)) != 0, 'corrected', 'final') AS status,
    max((bitAnd(r.state, 16) = 0, r.updated_at)).2 AS updated_at,
    sum(r.beyond_horizon) AS beyond_horizon,
    sum(r.events) AS events,
    sum(r.viewers_in_day) AS viewers,
    sum(r.views) AS views,
    sum(r.watch_ms) AS watch_ms,
    sum(r.effective_views_10s) AS effective_views_10s,
    sum(r.effective_views_60s) AS effective_views_60s,
    sum(r.effective_views_300s) AS effective_views_300s,
    sum(r.bounces) AS bounces,
    sum(r.online) AS online,
    sum(r.interactions_like) AS interactions_like,
    sum(r.interactions_comment) AS interactions_comment,
    sum(r.interactions_share) AS interactions_share,
    sum(r.interactions_follow) AS interactions_follow,
    sum(r.interactions_gift) AS interactions_gift,
    sum(r.interactions_fan_club_join) AS interactions_fan_club_join,
    sum(r.interactions_cart_view) AS interactions_cart_view,
    sum(r.interactions_product_click) AS interactions_product_click,
    sum(r.interactions_favorite) AS interactions_favorite,
    sum(r.interactions_coupon_claim) AS interactions_coupon_claim,
    sum(r.interactions_poll_or_lottery) AS interactions_poll_or_lottery,
    sum(r.interactions_dislike_or_report) AS interactions_dislike_or_report,
    sum(r.interactions_product_exposure) AS interactions_product_exposure,
    sum(r.interactions_rating) AS interactions_rating,
    sum(r.interaction_events) AS interaction_events,
    sum(r.interactors_in_day) AS interactors,
    sum(r.engagers_in_day) AS engagers,
    sum(r.interactions_product_exposure) AS product_exposures,
    sum(r.interactions_product_click) AS product_clicks,
    sum(r.product_clickers_in_day) AS product_clickers,
    sum(r.ratings) AS ratings,
    sum(r.rating_sum) AS rating_sum,
    sum(r.orders_created) AS orders_created,
    sum(r.orders_paid) AS orders_paid,
    sum(r.buyers_in_day) AS buyers,
    sum(r.new_buyers) AS new_buyers,
    sum(r.items_sold) AS items_sold,
    sum(r.orders_cancelled) AS orders_cancelled,
    sum(r.orders_refunded_in_day) AS orders_refunded,
    sum(r.orders_refunded_by_order) AS orders_refunded_by_order
FROM (SELECT CAST('1d', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, r.* FROM livemeter.variant_rows AS r FINAL WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND (r.part != 65534 AND (r.grain = '1h' AND r.window_start < (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).2 OR r.grain = '1m' AND bitAnd(r.state, 1) != 0 AND r.window_start >= (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).2) OR r.grain = '1d')
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1) AS r
GROUP BY r.row_grain, toStartOfDay(r.window_start, 'Asia/Shanghai'), r.platform, r.room_id, r.live_session_id, r.experiment_id, r.variant
COMMENT 'The grain 1d of variant_measures (61100098d359)';

CREATE OR REPLACE VIEW livemeter.variant_measures_session
(
    `grain` Enum8('10s' = 0, '1m' = 1, '1h' = 2, '1d' = 3, 'session' = 4) COMMENT 'Length of the window: 10s, 1m, 1h in UTC; 1d in the shop\'s zone; session is the whole live session',
    `window_start` DateTime64(3, 'UTC') COMMENT 'Start of the half-open window of event time; of a session the earliest event of the row: join sessions without it',
    `platform` LowCardinality(String) COMMENT 'Platform of the room',
    `room_id` String COMMENT 'Room; \'\' for orders that belong to none',
    `live_session_id` String COMMENT 'Live session of the room; \'\' where the event names none',
    `experiment_id` String COMMENT 'Experiment named by the event, for whole views by their enter',
    `variant` String COMMENT 'Variant of the experiment',
    `status` LowCardinality(String) COMMENT 'provisional: the watermark of some partition has not passed the window\'s end and the lateness (a session: the gap after its last event); final: that of all has; corrected: final, and an event came after that',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the newest event of this window was received; where only whole-view measures or online changed: the newest event that changed them',
    `beyond_horizon` Int64 COMMENT 'events later than the horizon: in sums and counts, not in distinct viewers or online',
    `events` Int64 COMMENT 'accepted events of all types. Each is in the room that it names; an order that names none is in the room of its click (\'\' without one), a cost event that names none is not counted',
    `viewers` Int64 COMMENT 'distinct viewers of viewer events',
    `views` Int64 COMMENT 'distinct views, by their first enter',
    `watch_ms` Int64 COMMENT 'Σ watch time in ms, foreground only',
    `effective_views_10s` Int64 COMMENT 'views with more than 10 000 ms of watch in all, in the window of the enter',
    `effective_views_60s` Int64 COMMENT 'views with more than 60 000 ms of watch in all, in the window of the enter',
    `effective_views_300s` Int64 COMMENT 'views with 300 000 ms of watch or more in all, in the window of the enter',
    `bounces` Int64 COMMENT 'closed views under 10 000 ms of watch without an interaction (product_exposure apart), in the window of the enter',
    `online` Int64 COMMENT 'views online at the end of the 10 s pane; longer windows: the peak over their panes',
    `interactions_like` Int64 COMMENT 'Σ count of likes',
    `interactions_comment` Int64 COMMENT 'Σ count of comments',
    `interactions_share` Int64 COMMENT 'Σ count of shares',
    `interactions_follow` Int64 COMMENT 'Σ count of follows',
    `interactions_gift` Int64 COMMENT 'Σ count of gifts',
    `interactions_fan_club_join` Int64 COMMENT 'Σ count of fan club joins',
    `interactions_cart_view` Int64 COMMENT 'Σ count of cart views',
    `interactions_product_click` Int64 COMMENT 'Σ count of product clicks (the same as product_clicks)',
    `interactions_favorite` Int64 COMMENT 'Σ count of favorites',
    `interactions_coupon_claim` Int64 COMMENT 'Σ count of coupon claims',
    `interactions_poll_or_lottery` Int64 COMMENT 'Σ count of polls and lotteries',
    `interactions_dislike_or_report` Int64 COMMENT 'Σ count of dislikes and reports',
    `interactions_product_exposure` Int64 COMMENT 'Σ count of product exposures (the same as product_exposures)',
    `interactions_rating` Int64 COMMENT 'Σ count of ratings; their number is ratings',
    `interaction_events` Int64 COMMENT 'interaction events, product_exposure and rating apart',
    `interactors` Int64 COMMENT 'distinct viewers with a like, comment, share or follow',
    `engagers` Int64 COMMENT 'distinct viewers with any interaction but product_exposure and rating',
    `product_exposures` Int64 COMMENT 'Σ count of product exposures',
    `product_clicks` Int64 COMMENT 'Σ count of product clicks',
    `product_clickers` Int64 COMMENT 'distinct viewers with a product click',
    `ratings` Int64 COMMENT 'rating events',
    `rating_sum` Int64 COMMENT 'Σ rating of rating events',
    `orders_created` Int64 COMMENT 'orders with a created, by its event time',
    `orders_paid` Int64 COMMENT 'orders with a paid, by its event time',
    `buyers` Int64 COMMENT 'distinct buyers of the paid orders',
    `new_buyers` Int64 COMMENT 'buyers whose first paid order on the platform is in this window and room',
    `items_sold` Int64 COMMENT 'Σ qty of the lines of paid',
    `orders_cancelled` Int64 COMMENT 'orders with a cancelled and no paid, by the event time of cancelled',
    `orders_refunded` Int64 COMMENT 'distinct orders with a refund, by refund date',
    `orders_refunded_by_order` Int64 COMMENT 'orders with a refund, in the window of their paid'
)
AS
SELECT defaultValueOfTypeName('Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS grain, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS window_start, defaultValueOfTypeName('LowCardinality(String)') AS platform, defaultValueOfTypeName('String') AS room_id, defaultValueOfTypeName('String') AS live_session_id, defaultValueOfTypeName('String') AS experiment_id, defaultValueOfTypeName('String') AS variant, defaultValueOfTypeName('LowCardinality(String)') AS status, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS updated_at, defaultValueOfTypeName('Int64') AS beyond_horizon, defaultValueOfTypeName('Int64') AS events, defaultValueOfTypeName('Int64') AS viewers, defaultValueOfTypeName('Int64') AS views, defaultValueOfTypeName('Int64') AS watch_ms, defaultValueOfTypeName('Int64') AS effective_views_10s, defaultValueOfTypeName('Int64') AS effective_views_60s, defaultValueOfTypeName('Int64') AS effective_views_300s, defaultValueOfTypeName('Int64') AS bounces, defaultValueOfTypeName('Int64') AS online, defaultValueOfTypeName('Int64') AS interactions_like, defaultValueOfTypeName('Int64') AS interactions_comment, defaultValueOfTypeName('Int64') AS interactions_share, defaultValueOfTypeName('Int64') AS interactions_follow, defaultValueOfTypeName('Int64') AS interactions_gift, defaultValueOfTypeName('Int64') AS interactions_fan_club_join, defaultValueOfTypeName('Int64') AS interactions_cart_view, defaultValueOfTypeName('Int64') AS interactions_product_click, defaultValueOfTypeName('Int64') AS interactions_favorite, defaultValueOfTypeName('Int64') AS interactions_coupon_claim, defaultValueOfTypeName('Int64') AS interactions_poll_or_lottery, defaultValueOfTypeName('Int64') AS interactions_dislike_or_report, defaultValueOfTypeName('Int64') AS interactions_product_exposure, defaultValueOfTypeName('Int64') AS interactions_rating, defaultValueOfTypeName('Int64') AS interaction_events, defaultValueOfTypeName('Int64') AS interactors, defaultValueOfTypeName('Int64') AS engagers, defaultValueOfTypeName('Int64') AS product_exposures, defaultValueOfTypeName('Int64') AS product_clicks, defaultValueOfTypeName('Int64') AS product_clickers, defaultValueOfTypeName('Int64') AS ratings, defaultValueOfTypeName('Int64') AS rating_sum, defaultValueOfTypeName('Int64') AS orders_created, defaultValueOfTypeName('Int64') AS orders_paid, defaultValueOfTypeName('Int64') AS buyers, defaultValueOfTypeName('Int64') AS new_buyers, defaultValueOfTypeName('Int64') AS items_sold, defaultValueOfTypeName('Int64') AS orders_cancelled, defaultValueOfTypeName('Int64') AS orders_refunded, defaultValueOfTypeName('Int64') AS orders_refunded_by_order
FROM system.one
WHERE (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).1 < toDateTime64(0, 3, 'UTC')
UNION ALL
SELECT
    r.row_grain AS grain,
    min(r.first_event) AS window_start,
    r.platform AS platform,
    r.room_id AS room_id,
    r.live_session_id AS live_session_id,
    r.experiment_id AS experiment_id,
    r.variant AS variant,
    multiIf(arrayExists(t -> arrayExists(k ->
        (arrayExists(j -> j.1 < k.1, t) AND NOT arrayExists(j -> j.1 < k.1 AND j.2 > k.1, t))
        OR (k.3 > 0 AND NOT arrayExists(j -> j.1 <= k.3 AND j.2 > k.3, t)), t), [arrayConcat(arrayFlatten(arrayMap(x -> arrayMap(i -> (x[i], x[i + 1], x[i + 2]), range(1, length(x), 3)), [groupArrayArrayIf(r.runs, r.grain = '1h')])), arrayZip(minMapIf([toUnixTimestamp(toStartOfHour(r.window_start, 'UTC')) * 65536 + r.part], [r.runs[1]], r.grain = '1m' AND notEmpty(r.runs)).2, maxMapIf([toUnixTimestamp(toStartOfHour(r.window_start, 'UTC')) * 65536 + r.part], [r.runs[2]], r.grain = '1m' AND notEmpty(r.runs)).2, maxMapIf([toUnixTimestamp(toStartOfHour(r.window_start, 'UTC')) * 65536 + r.part], [r.runs[3]], r.grain = '1m' AND notEmpty(r.runs)).2))]), 'corrected', arrayMax(j -> j.2, arrayConcat(arrayFlatten(arrayMap(x -> arrayMap(i -> (x[i], x[i + 1], x[i + 2]), range(1, length(x), 3)), [groupArrayArrayIf(r.runs, r.grain = '1h')])), arrayZip(minMapIf([toUnixTimestamp(toStartOfHour(r.window_start, 'UTC')) * 65536 + r.part], [r.runs[1]], r.grain = '1m' AND notEmpty(r.runs)).2, maxMapIf([toUnixTimestamp(toStartOfHour(r.window_start, 'UTC')) * 65536 + r.part], [r.runs[2]], r.grain = '1m' AND notEmpty(r.runs)).2, maxMapIf([toUnixTimestamp(toStartOfHour(r.window_start, 'UTC')) * 65536 + r.part], [r.runs[3]], r.grain = '1m' AND notEmpty(r.runs)).2))) > toUnixTimestamp64Milli((SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).1), 'provisional', 'final') AS status,
    max((bitAnd(r.state, 16) = 0, r.updated_at)).2 AS updated_at,
    sum(r.beyond_horizon) AS beyond_horizon,
    sum(r.events) AS events,
    sum(r.viewers_in_session) AS viewers,
    sum(r.views) AS views,
    sum(r.watch_ms) AS watch_ms,
    sum(r.effective_views_10s) AS effective_views_10s,
    sum(r.effective_views_60s) AS effective_views_60s,
    sum(r.effective_views_300s) AS effective_views_300s,
    sum(r.bounces) AS bounces,
    sum(r.online) AS online,
    sum(r.interactions_like) AS interactions_like,
    sum(r.interactions_comment) AS interactions_comment,
    sum(r.interactions_share) AS interactions_share,
    sum(r.interactions_follow) AS interactions_follow,
    sum(r.interactions_gift) AS interactions_gift,
    sum(r.interactions_fan_club_join) AS interactions_fan_club_join,
    sum(r.interactions_cart_view) AS interactions_cart_view,
    sum(r.interactions_product_click) AS interactions_product_click,
    sum(r.interactions_favorite) AS interactions_favorite,
    sum(r.interactions_coupon_claim) AS interactions_coupon_claim,
    sum(r.interactions_poll_or_lottery) AS interactions_poll_or_lottery,
    sum(r.interactions_dislike_or_report) AS interactions_dislike_or_report,
    sum(r.interactions_product_exposure) AS interactions_product_exposure,
    sum(r.interactions_rating) AS interactions_rating,
    sum(r.interaction_events) AS interaction_events,
    sum(r.interactors_in_session) AS interactors,
    sum(r.engagers_in_session) AS engagers,
    sum(r.interactions_product_exposure) AS product_exposures,
    sum(r.interactions_product_click) AS product_clicks,
    sum(r.product_clickers_in_session) AS product_clickers,
    sum(r.ratings) AS ratings,
    sum(r.rating_sum) AS rating_sum,
    sum(r.orders_created) AS orders_created,
    sum(r.orders_paid) AS orders_paid,
    sum(r.buyers_in_session) AS buyers,
    sum(r.new_buyers) AS new_buyers,
    sum(r.items_sold) AS items_sold,
    sum(r.orders_cancelled) AS orders_cancelled,
    sum(r.orders_refunded_in_session) AS orders_refunded,
    sum(r.orders_refunded_by_order) AS orders_refunded_by_order
FROM (SELECT CAST('session', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, r.* FROM livemeter.variant_rows AS r FINAL WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND (r.part != 65534 AND (r.grain = '1h' AND r.window_start < (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).2 OR r.grain = '1m' AND bitAnd(r.state, 1) != 0 AND r.window_start >= (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).2) OR r.grain = 'session')
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1) AS r
GROUP BY r.row_grain, r.platform, r.room_id, r.live_session_id, r.experiment_id, r.variant
COMMENT 'The grain session of variant_measures (a091afc981fa)';

CREATE OR REPLACE VIEW livemeter.variant_measures
(
    `grain` Enum8('10s' = 0, '1m' = 1, '1h' = 2, '1d' = 3, 'session' = 4) COMMENT 'Length of the window: 10s, 1m, 1h in UTC; 1d in the shop\'s zone; session is the whole live session',
    `window_start` DateTime64(3, 'UTC') COMMENT 'Start of the half-open window of event time; of a session the earliest event of the row: join sessions without it',
    `platform` LowCardinality(String) COMMENT 'Platform of the room',
    `room_id` String COMMENT 'Room; \'\' for orders that belong to none',
    `live_session_id` String COMMENT 'Live session of the room; \'\' where the event names none',
    `experiment_id` String COMMENT 'Experiment named by the event, for whole views by their enter',
    `variant` String COMMENT 'Variant of the experiment',
    `status` LowCardinality(String) COMMENT 'provisional: the watermark of some partition has not passed the window\'s end and the lateness (a session: the gap after its last event); final: that of all has; corrected: final, and an event came after that',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the newest event of this window was received; where only whole-view measures or online changed: the newest event that changed them',
    `beyond_horizon` Int64 COMMENT 'events later than the horizon: in sums and counts, not in distinct viewers or online',
    `events` Int64 COMMENT 'accepted events of all types. Each is in the room that it names; an order that names none is in the room of its click (\'\' without one), a cost event that names none is not counted',
    `viewers` Int64 COMMENT 'distinct viewers of viewer events',
    `views` Int64 COMMENT 'distinct views, by their first enter',
    `watch_ms` Int64 COMMENT 'Σ watch time in ms, foreground only',
    `effective_views_10s` Int64 COMMENT 'views with more than 10 000 ms of watch in all, in the window of the enter',
    `effective_views_60s` Int64 COMMENT 'views with more than 60 000 ms of watch in all, in the window of the enter',
    `effective_views_300s` Int64 COMMENT 'views with 300 000 ms of watch or more in all, in the window of the enter',
    `bounces` Int64 COMMENT 'closed views under 10 000 ms of watch without an interaction (product_exposure apart), in the window of the enter',
    `online` Int64 COMMENT 'views online at the end of the 10 s pane; longer windows: the peak over their panes',
    `interactions_like` Int64 COMMENT 'Σ count of likes',
    `interactions_comment` Int64 COMMENT 'Σ count of comments',
    `interactions_share` Int64 COMMENT 'Σ count of shares',
    `interactions_follow` Int64 COMMENT 'Σ count of follows',
    `interactions_gift` Int64 COMMENT 'Σ count of gifts',
    `interactions_fan_club_join` Int64 COMMENT 'Σ count of fan club joins',
    `interactions_cart_view` Int64 COMMENT 'Σ count of cart views',
    `interactions_product_click` Int64 COMMENT 'Σ count of product clicks (the same as product_clicks)',
    `interactions_favorite` Int64 COMMENT 'Σ count of favorites',
    `interactions_coupon_claim` Int64 COMMENT 'Σ count of coupon claims',
    `interactions_poll_or_lottery` Int64 COMMENT 'Σ count of polls and lotteries',
    `interactions_dislike_or_report` Int64 COMMENT 'Σ count of dislikes and reports',
    `interactions_product_exposure` Int64 COMMENT 'Σ count of product exposures (the same as product_exposures)',
    `interactions_rating` Int64 COMMENT 'Σ count of ratings; their number is ratings',
    `interaction_events` Int64 COMMENT 'interaction events, product_exposure and rating apart',
    `interactors` Int64 COMMENT 'distinct viewers with a like, comment, share or follow',
    `engagers` Int64 COMMENT 'distinct viewers with any interaction but product_exposure and rating',
    `product_exposures` Int64 COMMENT 'Σ count of product exposures',
    `product_clicks` Int64 COMMENT 'Σ count of product clicks',
    `product_clickers` Int64 COMMENT 'distinct viewers with a product click',
    `ratings` Int64 COMMENT 'rating events',
    `rating_sum` Int64 COMMENT 'Σ rating of rating events',
    `orders_created` Int64 COMMENT 'orders with a created, by its event time',
    `orders_paid` Int64 COMMENT 'orders with a paid, by its event time',
    `buyers` Int64 COMMENT 'distinct buyers of the paid orders',
    `new_buyers` Int64 COMMENT 'buyers whose first paid order on the platform is in this window and room',
    `items_sold` Int64 COMMENT 'Σ qty of the lines of paid',
    `orders_cancelled` Int64 COMMENT 'orders with a cancelled and no paid, by the event time of cancelled',
    `orders_refunded` Int64 COMMENT 'distinct orders with a refund, by refund date',
    `orders_refunded_by_order` Int64 COMMENT 'orders with a refund, in the window of their paid'
)
AS
SELECT CAST(substring(_table, 18), 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS grain, window_start, platform, room_id, live_session_id, experiment_id, variant, status, updated_at, beyond_horizon, events, viewers, views, watch_ms, effective_views_10s, effective_views_60s, effective_views_300s, bounces, online, interactions_like, interactions_comment, interactions_share, interactions_follow, interactions_gift, interactions_fan_club_join, interactions_cart_view, interactions_product_click, interactions_favorite, interactions_coupon_claim, interactions_poll_or_lottery, interactions_dislike_or_report, interactions_product_exposure, interactions_rating, interaction_events, interactors, engagers, product_exposures, product_clicks, product_clickers, ratings, rating_sum, orders_created, orders_paid, buyers, new_buyers, items_sold, orders_cancelled, orders_refunded, orders_refunded_by_order
FROM merge('livemeter', '^variant_measures_(10s|1m|1h|1d|session)$')
WHERE hasColumnInTable('livemeter', 'variant_measures_10s', 'grain') AND hasColumnInTable('livemeter', 'variant_measures_1m', 'grain') AND hasColumnInTable('livemeter', 'variant_measures_1h', 'grain') AND hasColumnInTable('livemeter', 'variant_measures_1d', 'grain') AND hasColumnInTable('livemeter', 'variant_measures_session', 'grain')
COMMENT 'Measures of each room by experiment variant (44c7e7989b0f)';

CREATE OR REPLACE VIEW livemeter.room_money_10s
(
    `grain` Enum8('10s' = 0, '1m' = 1, '1h' = 2, '1d' = 3, 'session' = 4) COMMENT 'Length of the window: 10s, 1m, 1h in UTC; 1d in the shop\'s zone; session is the whole live session',
    `window_start` DateTime64(3, 'UTC') COMMENT 'Start of the half-open window of event time; of a session the earliest event of the row: join sessions without it',
    `platform` LowCardinality(String) COMMENT 'Platform of the room',
    `room_id` String COMMENT 'Room; \'\' for orders that belong to none',
    `live_session_id` String COMMENT 'Live session of the room; \'\' where the event names none',
    `currency` LowCardinality(String) COMMENT 'ISO 4217 currency of all amounts of the row; amounts of two currencies are never added',
    `status` LowCardinality(String) COMMENT 'provisional: the watermark of some partition has not passed the window\'s end and the lateness (a session: the gap after its last event); final: that of all has; corrected: final, and an event came after that',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the newest event of this window was received; where only whole-view measures or online changed: the newest event that changed them',
    `gift_minor` Int64 COMMENT 'Σ gift_value_minor',
    `gmv_created_minor` Int64 COMMENT 'Σ (goods − discount) of created',
    `deposit_minor` Int64 COMMENT 'Σ paid_minor of deposit_paid',
    `gmv_paid_minor` Int64 COMMENT 'Σ paid_minor of paid, deposit included',
    `refund_minor` Int64 COMMENT 'Σ refund.minor of distinct refunds, by refund date',
    `refund_minor_by_order` Int64 COMMENT 'Σ refund.minor of distinct refunds, in the window of the order\'s paid',
    `settled_minor` Int64 COMMENT 'paid_minor − refunds so far, of settled',
    `net_minor` Int64 COMMENT 'gmv_paid_minor − refund_minor_by_order'
)
AS
SELECT defaultValueOfTypeName('Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS grain, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS window_start, defaultValueOfTypeName('LowCardinality(String)') AS platform, defaultValueOfTypeName('String') AS room_id, defaultValueOfTypeName('String') AS live_session_id, defaultValueOfTypeName('LowCardinality(String)') AS currency, defaultValueOfTypeName('LowCardinality(String)') AS status, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS updated_at, defaultValueOfTypeName('Int64') AS gift_minor, defaultValueOfTypeName('Int64') AS gmv_created_minor, defaultValueOfTypeName('Int64') AS deposit_minor, defaultValueOfTypeName('Int64') AS gmv_paid_minor, defaultValueOfTypeName('Int64') AS refund_minor, defaultValueOfTypeName('Int64') AS refund_minor_by_order, defaultValueOfTypeName('Int64') AS settled_minor, defaultValueOfTypeName('Int64') AS net_minor
FROM system.one
WHERE (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).1 < toDateTime64(0, 3, 'UTC')
UNION ALL
SELECT
    r.row_grain AS grain,
    r.window_start AS window_start,
    r.platform AS platform,
    r.room_id AS room_id,
    r.live_session_id AS live_session_id,
    r.currency AS currency,
    multiIf(r.window_start + toIntervalSecond(10) > (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).3, 'provisional', max(r.pane_value[indexOf(r.pane_at, r.pane + 126)]) > 0, 'corrected', 'final') AS status,
    fromUnixTimestamp64Milli(if(max(r.pane_value[indexOf(r.pane_at, r.pane + 127)]) > 0, max(r.pane_value[indexOf(r.pane_at, r.pane + 127)]), -min(r.pane_value[indexOf(r.pane_at, r.pane + 127)])), 'UTC') AS updated_at,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 0)]) AS gift_minor,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 1)]) AS gmv_created_minor,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 2)]) AS deposit_minor,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 3)]) AS gmv_paid_minor,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 4)]) AS refund_minor,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 5)]) AS refund_minor_by_order,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 6)]) AS settled_minor,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 3)]) - sum(r.pane_value[indexOf(r.pane_at, r.pane + 5)]) AS net_minor
FROM (SELECT CAST('10s', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, r.window_start + toIntervalSecond(0) AS window_start, 0 AS pane, r.platform, r.room_id, r.live_session_id, r.currency, r.pane_at, r.pane_value
FROM livemeter.room_money_rows AS r FINAL
WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1m' AND has(r.pane_at, toUInt16(127))
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1
UNION ALL
SELECT CAST('10s', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, r.window_start + toIntervalSecond(10) AS window_start, 128 AS pane, r.platform, r.room_id, r.live_session_id, r.currency, r.pane_at, r.pane_value
FROM livemeter.room_money_rows AS r FINAL
WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1m' AND has(r.pane_at, toUInt16(255))
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1
UNION ALL
SELECT CAST('10s', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, r.window_start + toIntervalSecond(20) AS window_start, 256 AS pane, r.platform, r.room_id, r.live_session_id, r.currency, r.pane_at, r.pane_value
FROM livemeter.room_money_rows AS r FINAL
WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1m' AND has(r.pane_at, toUInt16(383))
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1
UNION ALL
SELECT CAST('10s', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, r.window_start + toIntervalSecond(30) AS window_start, 384 AS pane, r.platform, r.room_id, r.live_session_id, r.currency, r.pane_at, r.pane_value
FROM livemeter.room_money_rows AS r FINAL
WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1m' AND has(r.pane_at, toUInt16(511))
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1
UNION ALL
SELECT CAST('10s', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, r.window_start + toIntervalSecond(40) AS window_start, 512 AS pane, r.platform, r.room_id, r.live_session_id, r.currency, r.pane_at, r.pane_value
FROM livemeter.room_money_rows AS r FINAL
WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1m' AND has(r.pane_at, toUInt16(639))
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1
UNION ALL
SELECT CAST('10s', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, r.window_start + toIntervalSecond(50) AS window_start, 640 AS pane, r.platform, r.room_id, r.live_session_id, r.currency, r.pane_at, r.pane_value
FROM livemeter.room_money_rows AS r FINAL
WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1m' AND has(r.pane_at, toUInt16(767))
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1) AS r
GROUP BY r.row_grain, r.window_start, r.platform, r.room_id, r.live_session_id, r.currency
COMMENT 'The grain 10s of room_money (1d79d11a9af7)';

CREATE OR REPLACE VIEW livemeter.room_money_1m
(
    `grain` Enum8('10s' = 0, '1m' = 1, '1h' = 2, '1d' = 3, 'session' = 4) COMMENT 'Length of the window: 10s, 1m, 1h in UTC; 1d in the shop\'s zone; session is the whole live session',
    `window_start` DateTime64(3, 'UTC') COMMENT 'Start of the half-open window of event time; of a session the earliest event of the row: join sessions without it',
    `platform` LowCardinality(String) COMMENT 'Platform of the room',
    `room_id` String COMMENT 'Room; \'\' for orders that belong to none',
    `live_session_id` String COMMENT 'Live session of the room; \'\' where the event names none',
    `currency` LowCardinality(String) COMMENT 'ISO 4217 currency of all amounts of the row; amounts of two currencies are never added',
    `status` LowCardinality(String) COMMENT 'provisional: the watermark of some partition has not passed the window\'s end and the lateness (a session: the gap after its last event); final: that of all has; corrected: final, and an event came after that',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the newest event of this window was received; where only whole-view measures or online changed: the newest event that changed them',
    `gift_minor` Int64 COMMENT 'Σ gift_value_minor',
    `gmv_created_minor` Int64 COMMENT 'Σ (goods − discount) of created',
    `deposit_minor` Int64 COMMENT 'Σ paid_minor of deposit_paid',
    `gmv_paid_minor` Int64 COMMENT 'Σ paid_minor of paid, deposit included',
    `refund_minor` Int64 COMMENT 'Σ refund.minor of distinct refunds, by refund date',
    `refund_minor_by_order` Int64 COMMENT 'Σ refund.minor of distinct refunds, in the window of the order\'s paid',
    `settled_minor` Int64 COMMENT 'paid_minor − refunds so far, of settled',
    `net_minor` Int64 COMMENT 'gmv_paid_minor − refund_minor_by_order'
)
AS
SELECT defaultValueOfTypeName('Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS grain, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS window_start, defaultValueOfTypeName('LowCardinality(String)') AS platform, defaultValueOfTypeName('String') AS room_id, defaultValueOfTypeName('String') AS live_session_id, defaultValueOfTypeName('LowCardinality(String)') AS currency, defaultValueOfTypeName('LowCardinality(String)') AS status, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS updated_at, defaultValueOfTypeName('Int64') AS gift_minor, defaultValueOfTypeName('Int64') AS gmv_created_minor, defaultValueOfTypeName('Int64') AS deposit_minor, defaultValueOfTypeName('Int64') AS gmv_paid_minor, defaultValueOfTypeName('Int64') AS refund_minor, defaultValueOfTypeName('Int64') AS refund_minor_by_order, defaultValueOfTypeName('Int64') AS settled_minor, defaultValueOfTypeName('Int64') AS net_minor
FROM system.one
WHERE (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).1 < toDateTime64(0, 3, 'UTC')
UNION ALL
SELECT
    r.row_grain AS grain,
    r.window_start AS window_start,
    r.platform AS platform,
    r.room_id AS room_id,
    r.live_session_id AS live_session_id,
    r.currency AS currency,
    multiIf(r.window_start + toIntervalMinute(1) > (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).3, 'provisional', max(bitAnd(r.state, 2)) != 0, 'corrected', 'final') AS status,
    max((bitAnd(r.state, 16) = 0, r.updated_at)).2 AS updated_at,
    sum(r.gift_minor) AS gift_minor,
    sum(r.gmv_created_minor) AS gmv_created_minor,
    sum(r.deposit_minor) AS deposit_minor,
    sum(r.gmv_paid_minor) AS gmv_paid_minor,
    sum(r.refund_minor) AS refund_minor,
    sum(r.refund_minor_by_order) AS refund_minor_by_order,
    sum(r.settled_minor) AS settled_minor,
    sum(r.gmv_paid_minor) - sum(r.refund_minor_by_order) AS net_minor
FROM (SELECT r.grain AS row_grain, r.* FROM livemeter.room_money_rows AS r FINAL WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1m'
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1) AS r
GROUP BY r.row_grain, r.window_start, r.platform, r.room_id, r.live_session_id, r.currency
COMMENT 'The grain 1m of room_money (7313a27427ad)';

CREATE OR REPLACE VIEW livemeter.room_money_1h
(
    `grain` Enum8('10s' = 0, '1m' = 1, '1h' = 2, '1d' = 3, 'session' = 4) COMMENT 'Length of the window: 10s, 1m, 1h in UTC; 1d in the shop\'s zone; session is the whole live session',
    `window_start` DateTime64(3, 'UTC') COMMENT 'Start of the half-open window of event time; of a session the earliest event of the row: join sessions without it',
    `platform` LowCardinality(String) COMMENT 'Platform of the room',
    `room_id` String COMMENT 'Room; \'\' for orders that belong to none',
    `live_session_id` String COMMENT 'Live session of the room; \'\' where the event names none',
    `currency` LowCardinality(String) COMMENT 'ISO 4217 currency of all amounts of the row; amounts of two currencies are never added',
    `status` LowCardinality(String) COMMENT 'provisional: the watermark of some partition has not passed the window\'s end and the lateness (a session: the gap after its last event); final: that of all has; corrected: final, and an event came after that',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the newest event of this window was received; where only whole-view measures or online changed: the newest event that changed them',
    `gift_minor` Int64 COMMENT 'Σ gift_value_minor',
    `gmv_created_minor` Int64 COMMENT 'Σ (goods − discount) of created',
    `deposit_minor` Int64 COMMENT 'Σ paid_minor of deposit_paid',
    `gmv_paid_minor` Int64 COMMENT 'Σ paid_minor of paid, deposit included',
    `refund_minor` Int64 COMMENT 'Σ refund.minor of distinct refunds, by refund date',
    `refund_minor_by_order` Int64 COMMENT 'Σ refund.minor of distinct refunds, in the window of the order\'s paid',
    `settled_minor` Int64 COMMENT 'paid_minor − refunds so far, of settled',
    `net_minor` Int64 COMMENT 'gmv_paid_minor − refund_minor_by_order'
)
AS
SELECT defaultValueOfTypeName('Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS grain, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS window_start, defaultValueOfTypeName('LowCardinality(String)') AS platform, defaultValueOfTypeName('String') AS room_id, defaultValueOfTypeName('String') AS live_session_id, defaultValueOfTypeName('LowCardinality(String)') AS currency, defaultValueOfTypeName('LowCardinality(String)') AS status, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS updated_at, defaultValueOfTypeName('Int64') AS gift_minor, defaultValueOfTypeName('Int64') AS gmv_created_minor, defaultValueOfTypeName('Int64') AS deposit_minor, defaultValueOfTypeName('Int64') AS gmv_paid_minor, defaultValueOfTypeName('Int64') AS refund_minor, defaultValueOfTypeName('Int64') AS refund_minor_by_order, defaultValueOfTypeName('Int64') AS settled_minor, defaultValueOfTypeName('Int64') AS net_minor
FROM system.one
WHERE (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).1 < toDateTime64(0, 3, 'UTC')
UNION ALL
SELECT
    r.row_grain AS grain,
    r.hour AS window_start,
    r.platform AS platform,
    r.room_id AS room_id,
    r.live_session_id AS live_session_id,
    r.currency AS currency,
    multiIf(r.hour + toIntervalHour(1) > (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).3, 'provisional', max(if(r.grain = '1h', bitAnd(r.state, 2), 0)) != 0, 'corrected', 'final') AS status,
    max((bitAnd(r.state, 16) = 0, r.updated_at)).2 AS updated_at,
    sum(r.gift_minor) AS gift_minor,
    sum(r.gmv_created_minor) AS gmv_created_minor,
    sum(r.deposit_minor) AS deposit_minor,
    sum(r.gmv_paid_minor) AS gmv_paid_minor,
    sum(r.refund_minor) AS refund_minor,
    sum(r.refund_minor_by_order) AS refund_minor_by_order,
    sum(r.settled_minor) AS settled_minor,
    sum(r.gmv_paid_minor) - sum(r.refund_minor_by_order) AS net_minor
FROM (SELECT CAST('1h', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, CAST(r.window_start, 'DateTime64(3, \'UTC\')') AS hour, r.* FROM livemeter.room_money_rows AS r FINAL WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1h' AND (r.window_start < (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).2 OR r.part = 65534)
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1
UNION ALL
SELECT CAST('1h', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, CAST(toStartOfHour(r.window_start, 'UTC'), 'DateTime64(3, \'UTC\')') AS hour, r.* FROM livemeter.room_money_rows AS r FINAL WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1m' AND bitAnd(r.state, 1) != 0 AND r.window_start >= (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).2 AND r.part != 65534
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1) AS r
GROUP BY r.row_grain, r.hour, r.platform, r.room_id, r.live_session_id, r.currency
COMMENT 'The grain 1h of room_money (3362a9f4a5f7)';

CREATE OR REPLACE VIEW livemeter.room_money_1d
(
    `grain` Enum8('10s' = 0, '1m' = 1, '1h' = 2, '1d' = 3, 'session' = 4) COMMENT 'Length of the window: 10s, 1m, 1h in UTC; 1d in the shop\'s zone; session is the whole live session',
    `window_start` DateTime64(3, 'UTC') COMMENT 'Start of the half-open window of event time; of a session the earliest event of the row: join sessions without it',
    `platform` LowCardinality(String) COMMENT 'Platform of the room',
    `room_id` String COMMENT 'Room; \'\' for orders that belong to none',
    `live_session_id` String COMMENT 'Live session of the room; \'\' where the event names none',
    `currency` LowCardinality(String) COMMENT 'ISO 4217 currency of all amounts of the row; amounts of two currencies are never added',
    `status` LowCardinality(String) COMMENT 'provisional: the watermark of some partition has not passed the window\'s end and the lateness (a session: the gap after its last event); final: that of all has; corrected: final, and an event came after that',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the newest event of this window was received; where only whole-view measures or online changed: the newest event that changed them',
    `gift_minor` Int64 COMMENT 'Σ gift_value_minor',
    `gmv_created_minor` Int64 COMMENT 'Σ (goods − discount) of created',
    `deposit_minor` Int64 COMMENT 'Σ paid_minor of deposit_paid',
    `gmv_paid_minor` Int64 COMMENT 'Σ paid_minor of paid, deposit included',
    `refund_minor` Int64 COMMENT 'Σ refund.minor of distinct refunds, by refund date',
    `refund_minor_by_order` Int64 COMMENT 'Σ refund.minor of distinct refunds, in the window of the order\'s paid',
    `settled_minor` Int64 COMMENT 'paid_minor − refunds so far, of settled',
    `net_minor` Int64 COMMENT 'gmv_paid_minor − refund_minor_by_order'
)
AS
SELECT defaultValueOfTypeName('Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS grain, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS window_start, defaultValueOfTypeName('LowCardinality(String)') AS platform, defaultValueOfTypeName('String') AS room_id, defaultValueOfTypeName('String') AS live_session_id, defaultValueOfTypeName('LowCardinality(String)') AS currency, defaultValueOfTypeName('LowCardinality(String)') AS status, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS updated_at, defaultValueOfTypeName('Int64') AS gift_minor, defaultValueOfTypeName('Int64') AS gmv_created_minor, defaultValueOfTypeName('Int64') AS deposit_minor, defaultValueOfTypeName('Int64') AS gmv_paid_minor, defaultValueOfTypeName('Int64') AS refund_minor, defaultValueOfTypeName('Int64') AS refund_minor_by_order, defaultValueOfTypeName('Int64') AS settled_minor, defaultValueOfTypeName('Int64') AS net_minor
FROM system.one
WHERE (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).1 < toDateTime64(0, 3, 'UTC')
UNION ALL
SELECT
    r.row_grain AS grain,
    CAST(toStartOfDay(r.window_start, 'Asia/Shanghai'), 'DateTime64(3, \'UTC\')') AS window_start,
    r.platform AS platform,
    r.room_id AS room_id,
    r.live_session_id AS live_session_id,
    r.currency AS currency,
    multiIf(toStartOfDay(toStartOfDay(r.window_start, 'Asia/Shanghai') + toIntervalHour(36), 'Asia/Shanghai') > (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).3, 'provisional', max(if(r.grain = '1h', bitAnd(r.state, 8), 0)) != 0, 'corrected', 'final') AS status,
    max((bitAnd(r.state, 16) = 0, r.updated_at)).2 AS updated_at,
    sum(r.gift_minor) AS gift_minor,
    sum(r.gmv_created_minor) AS gmv_created_minor,
    sum(r.deposit_minor) AS deposit_minor,
    sum(r.gmv_paid_minor) AS gmv_paid_minor,
    sum(r.refund_minor) AS refund_minor,
    sum(r.refund_minor_by_order) AS refund_minor_by_order,
    sum(r.settled_minor) AS settled_minor,
    sum(r.gmv_paid_minor) - sum(r.refund_minor_by_order) AS net_minor
FROM (SELECT CAST('1d', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, r.* FROM livemeter.room_money_rows AS r FINAL WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND (r.part != 65534 AND (r.grain = '1h' AND r.window_start < (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).2 OR r.grain = '1m' AND bitAnd(r.state, 1) != 0 AND r.window_start >= (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).2) OR r.grain = '1d')
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1) AS r
GROUP BY r.row_grain, toStartOfDay(r.window_start, 'Asia/Shanghai'), r.platform, r.room_id, r.live_session_id, r.currency
COMMENT 'The grain 1d of room_money (c71450c87aac)';

CREATE OR REPLACE VIEW livemeter.room_money_session
(
    `grain` Enum8('10s' = 0, '1m' = 1, '1h' = 2, '1d' = 3, 'session' = 4) COMMENT 'Length of the window: 10s, 1m, 1h in UTC; 1d in the shop\'s zone; session is the whole live session',
    `window_start` DateTime64(3, 'UTC') COMMENT 'Start of the half-open window of event time; of a session the earliest event of the row: join sessions without it',
    `platform` LowCardinality(String) COMMENT 'Platform of the room',
    `room_id` String COMMENT 'Room; \'\' for orders that belong to none',
    `live_session_id` String COMMENT 'Live session of the room; \'\' where the event names none',
    `currency` LowCardinality(String) COMMENT 'ISO 4217 currency of all amounts of the row; amounts of two currencies are never added',
    `status` LowCardinality(String) COMMENT 'provisional: the watermark of some partition has not passed the window\'s end and the lateness (a session: the gap after its last event); final: that of all has; corrected: final, and an event came after that',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the newest event of this window was received; where only whole-view measures or online changed: the newest event that changed them',
    `gift_minor` Int64 COMMENT 'Σ gift_value_minor',
    `gmv_created_minor` Int64 COMMENT 'Σ (goods − discount) of created',
    `deposit_minor` Int64 COMMENT 'Σ paid_minor of deposit_paid',
    `gmv_paid_minor` Int64 COMMENT 'Σ paid_minor of paid, deposit included',
    `refund_minor` Int64 COMMENT 'Σ refund.minor of distinct refunds, by refund date',
    `refund_minor_by_order` Int64 COMMENT 'Σ refund.minor of distinct refunds, in the window of the order\'s paid',
    `settled_minor` Int64 COMMENT 'paid_minor − refunds so far, of settled',
    `net_minor` Int64 COMMENT 'gmv_paid_minor − refund_minor_by_order'
)
AS
SELECT defaultValueOfTypeName('Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS grain, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS window_start, defaultValueOfTypeName('LowCardinality(String)') AS platform, defaultValueOfTypeName('String') AS room_id, defaultValueOfTypeName('String') AS live_session_id, defaultValueOfTypeName('LowCardinality(String)') AS currency, defaultValueOfTypeName('LowCardinality(String)') AS status, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS updated_at, defaultValueOfTypeName('Int64') AS gift_minor, defaultValueOfTypeName('Int64') AS gmv_created_minor, defaultValueOfTypeName('Int64') AS deposit_minor, defaultValueOfTypeName('Int64') AS gmv_paid_minor, defaultValueOfTypeName('Int64') AS refund_minor, defaultValueOfTypeName('Int64') AS refund_minor_by_order, defaultValueOfTypeName('Int64') AS settled_minor, defaultValueOfTypeName('Int64') AS net_minor
FROM system.one
WHERE (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).1 < toDateTime64(0, 3, 'UTC')
UNION ALL
SELECT
    r.row_grain AS grain,
    min(r.first_event) AS window_start,
    r.platform AS platform,
    r.room_id AS room_id,
    r.live_session_id AS live_session_id,
    r.currency AS currency,
    multiIf(arrayExists(t -> arrayExists(k ->
        (arrayExists(j -> j.1 < k.1, t) AND NOT arrayExists(j -> j.1 < k.1 AND j.2 > k.1, t))
        OR (k.3 > 0 AND NOT arrayExists(j -> j.1 <= k.3 AND j.2 > k.3, t)), t), [arrayConcat(arrayFlatten(arrayMap(x -> arrayMap(i -> (x[i], x[i + 1], x[i + 2]), range(1, length(x), 3)), [groupArrayArrayIf(r.runs, r.grain = '1h')])), arrayZip(minMapIf([toUnixTimestamp(toStartOfHour(r.window_start, 'UTC')) * 65536 + r.part], [r.runs[1]], r.grain = '1m' AND notEmpty(r.runs)).2, maxMapIf([toUnixTimestamp(toStartOfHour(r.window_start, 'UTC')) * 65536 + r.part], [r.runs[2]], r.grain = '1m' AND notEmpty(r.runs)).2, maxMapIf([toUnixTimestamp(toStartOfHour(r.window_start, 'UTC')) * 65536 + r.part], [r.runs[3]], r.grain = '1m' AND notEmpty(r.runs)).2))]), 'corrected', arrayMax(j -> j.2, arrayConcat(arrayFlatten(arrayMap(x -> arrayMap(i -> (x[i], x[i + 1], x[i + 2]), range(1, length(x), 3)), [groupArrayArrayIf(r.runs, r.grain = '1h')])), arrayZip(minMapIf([toUnixTimestamp(toStartOfHour(r.window_start, 'UTC')) * 65536 + r.part], [r.runs[1]], r.grain = '1m' AND notEmpty(r.runs)).2, maxMapIf([toUnixTimestamp(toStartOfHour(r.window_start, 'UTC')) * 65536 + r.part], [r.runs[2]], r.grain = '1m' AND notEmpty(r.runs)).2, maxMapIf([toUnixTimestamp(toStartOfHour(r.window_start, 'UTC')) * 65536 + r.part], [r.runs[3]], r.grain = '1m' AND notEmpty(r.runs)).2))) > toUnixTimestamp64Milli((SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).1), 'provisional', 'final') AS status,
    max((bitAnd(r.state, 16) = 0, r.updated_at)).2 AS updated_at,
    sum(r.gift_minor) AS gift_minor,
    sum(r.gmv_created_minor) AS gmv_created_minor,
    sum(r.deposit_minor) AS deposit_minor,
    sum(r.gmv_paid_minor) AS gmv_paid_minor,
    sum(r.refund_minor) AS refund_minor,
    sum(r.refund_minor_by_order) AS refund_minor_by_order,
    sum(r.settled_minor) AS settled_minor,
    sum(r.gmv_paid_minor) - sum(r.refund_minor_by_order) AS net_minor
FROM (SELECT CAST('session', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, r.* FROM livemeter.room_money_rows AS r FINAL WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND (r.part != 65534 AND (r.grain = '1h' AND r.window_start < (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).2 OR r.grain = '1m' AND bitAnd(r.state, 1) != 0 AND r.window_start >= (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).2) OR r.grain = 'session')
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1) AS r
GROUP BY r.row_grain, r.platform, r.room_id, r.live_session_id, r.currency
COMMENT 'The grain session of room_money (7d3146767c5b)';

CREATE OR REPLACE VIEW livemeter.room_money
(
    `grain` Enum8('10s' = 0, '1m' = 1, '1h' = 2, '1d' = 3, 'session' = 4) COMMENT 'Length of the window: 10s, 1m, 1h in UTC; 1d in the shop\'s zone; session is the whole live session',
    `window_start` DateTime64(3, 'UTC') COMMENT 'Start of the half-open window of event time; of a session the earliest event of the row: join sessions without it',
    `platform` LowCardinality(String) COMMENT 'Platform of the room',
    `room_id` String COMMENT 'Room; \'\' for orders that belong to none',
    `live_session_id` String COMMENT 'Live session of the room; \'\' where the event names none',
    `currency` LowCardinality(String) COMMENT 'ISO 4217 currency of all amounts of the row; amounts of two currencies are never added',
    `status` LowCardinality(String) COMMENT 'provisional: the watermark of some partition has not passed the window\'s end and the lateness (a session: the gap after its last event); final: that of all has; corrected: final, and an event came after that',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the newest event of this window was received; where only whole-view measures or online changed: the newest event that changed them',
    `gift_minor` Int64 COMMENT 'Σ gift_value_minor',
    `gmv_created_minor` Int64 COMMENT 'Σ (goods − discount) of created',
    `deposit_minor` Int64 COMMENT 'Σ paid_minor of deposit_paid',
    `gmv_paid_minor` Int64 COMMENT 'Σ paid_minor of paid, deposit included',
    `refund_minor` Int64 COMMENT 'Σ refund.minor of distinct refunds, by refund date',
    `refund_minor_by_order` Int64 COMMENT 'Σ refund.minor of distinct refunds, in the window of the order\'s paid',
    `settled_minor` Int64 COMMENT 'paid_minor − refunds so far, of settled',
    `net_minor` Int64 COMMENT 'gmv_paid_minor − refund_minor_by_order'
)
AS
SELECT CAST(substring(_table, 12), 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS grain, window_start, platform, room_id, live_session_id, currency, status, updated_at, gift_minor, gmv_created_minor, deposit_minor, gmv_paid_minor, refund_minor, refund_minor_by_order, settled_minor, net_minor
FROM merge('livemeter', '^room_money_(10s|1m|1h|1d|session)$')
WHERE hasColumnInTable('livemeter', 'room_money_10s', 'grain') AND hasColumnInTable('livemeter', 'room_money_1m', 'grain') AND hasColumnInTable('livemeter', 'room_money_1h', 'grain') AND hasColumnInTable('livemeter', 'room_money_1d', 'grain') AND hasColumnInTable('livemeter', 'room_money_session', 'grain')
COMMENT 'Money of each room by currency, in minor units (67789f630607)';

CREATE OR REPLACE VIEW livemeter.sku_money_10s
(
    `grain` Enum8('10s' = 0, '1m' = 1, '1h' = 2, '1d' = 3, 'session' = 4) COMMENT 'Length of the window: 10s, 1m, 1h in UTC; 1d in the shop\'s zone; session is the whole live session',
    `window_start` DateTime64(3, 'UTC') COMMENT 'Start of the half-open window of event time; of a session the earliest event of the row: join sessions without it',
    `platform` LowCardinality(String) COMMENT 'Platform of the room',
    `room_id` String COMMENT 'Room; \'\' for orders that belong to none',
    `live_session_id` String COMMENT 'Live session of the room; \'\' where the event names none',
    `sku_id` String COMMENT 'Product named by the event or the order line',
    `currency` LowCardinality(String) COMMENT 'ISO 4217 currency of all amounts of the row; amounts of two currencies are never added',
    `status` LowCardinality(String) COMMENT 'provisional: the watermark of some partition has not passed the window\'s end and the lateness (a session: the gap after its last event); final: that of all has; corrected: final, and an event came after that',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the newest event of this window was received; where only whole-view measures or online changed: the newest event that changed them',
    `gmv_paid_minor` Int64 COMMENT 'Σ paid_minor of the SKU\'s lines',
    `refund_minor` Int64 COMMENT 'Σ refund.minor of the SKU\'s lines, by refund date; a refund without line_id, or of a line that items does not have, is in room_money alone',
    `refund_minor_by_order` Int64 COMMENT 'Σ refund.minor of the SKU\'s lines, in the window of the order\'s paid; as refund_minor, without refunds of no known line',
    `net_minor` Int64 COMMENT 'gmv_paid_minor − refund_minor_by_order'
)
AS
SELECT defaultValueOfTypeName('Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS grain, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS window_start, defaultValueOfTypeName('LowCardinality(String)') AS platform, defaultValueOfTypeName('String') AS room_id, defaultValueOfTypeName('String') AS live_session_id, defaultValueOfTypeName('String') AS sku_id, defaultValueOfTypeName('LowCardinality(String)') AS currency, defaultValueOfTypeName('LowCardinality(String)') AS status, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS updated_at, defaultValueOfTypeName('Int64') AS gmv_paid_minor, defaultValueOfTypeName('Int64') AS refund_minor, defaultValueOfTypeName('Int64') AS refund_minor_by_order, defaultValueOfTypeName('Int64') AS net_minor
FROM system.one
WHERE (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).1 < toDateTime64(0, 3, 'UTC')
UNION ALL
SELECT
    r.row_grain AS grain,
    r.window_start AS window_start,
    r.platform AS platform,
    r.room_id AS room_id,
    r.live_session_id AS live_session_id,
    r.sku_id AS sku_id,
    r.currency AS currency,
    multiIf(r.window_start + toIntervalSecond(10) > (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).3, 'provisional', max(r.pane_value[indexOf(r.pane_at, r.pane + 126)]) > 0, 'corrected', 'final') AS status,
    fromUnixTimestamp64Milli(if(max(r.pane_value[indexOf(r.pane_at, r.pane + 127)]) > 0, max(r.pane_value[indexOf(r.pane_at, r.pane + 127)]), -min(r.pane_value[indexOf(r.pane_at, r.pane + 127)])), 'UTC') AS updated_at,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 3)]) AS gmv_paid_minor,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 4)]) AS refund_minor,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 5)]) AS refund_minor_by_order,
    sum(r.pane_value[indexOf(r.pane_at, r.pane + 3)]) - sum(r.pane_value[indexOf(r.pane_at, r.pane + 5)]) AS net_minor
FROM (SELECT CAST('10s', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, r.window_start + toIntervalSecond(0) AS window_start, 0 AS pane, r.platform, r.room_id, r.live_session_id, r.sku_id, r.currency, r.pane_at, r.pane_value
FROM livemeter.sku_money_rows AS r FINAL
WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1m' AND has(r.pane_at, toUInt16(127))
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1
UNION ALL
SELECT CAST('10s', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, r.window_start + toIntervalSecond(10) AS window_start, 128 AS pane, r.platform, r.room_id, r.live_session_id, r.sku_id, r.currency, r.pane_at, r.pane_value
FROM livemeter.sku_money_rows AS r FINAL
WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1m' AND has(r.pane_at, toUInt16(255))
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1
UNION ALL
SELECT CAST('10s', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, r.window_start + toIntervalSecond(20) AS window_start, 256 AS pane, r.platform, r.room_id, r.live_session_id, r.sku_id, r.currency, r.pane_at, r.pane_value
FROM livemeter.sku_money_rows AS r FINAL
WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1m' AND has(r.pane_at, toUInt16(383))
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1
UNION ALL
SELECT CAST('10s', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, r.window_start + toIntervalSecond(30) AS window_start, 384 AS pane, r.platform, r.room_id, r.live_session_id, r.sku_id, r.currency, r.pane_at, r.pane_value
FROM livemeter.sku_money_rows AS r FINAL
WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1m' AND has(r.pane_at, toUInt16(511))
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1
UNION ALL
SELECT CAST('10s', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, r.window_start + toIntervalSecond(40) AS window_start, 512 AS pane, r.platform, r.room_id, r.live_session_id, r.sku_id, r.currency, r.pane_at, r.pane_value
FROM livemeter.sku_money_rows AS r FINAL
WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1m' AND has(r.pane_at, toUInt16(639))
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1
UNION ALL
SELECT CAST('10s', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, r.window_start + toIntervalSecond(50) AS window_start, 640 AS pane, r.platform, r.room_id, r.live_session_id, r.sku_id, r.currency, r.pane_at, r.pane_value
FROM livemeter.sku_money_rows AS r FINAL
WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1m' AND has(r.pane_at, toUInt16(767))
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1) AS r
GROUP BY r.row_grain, r.window_start, r.platform, r.room_id, r.live_session_id, r.sku_id, r.currency
COMMENT 'The grain 10s of sku_money (c55c0a19bb19)';

CREATE OR REPLACE VIEW livemeter.sku_money_1m
(
    `grain` Enum8('10s' = 0, '1m' = 1, '1h' = 2, '1d' = 3, 'session' = 4) COMMENT 'Length of the window: 10s, 1m, 1h in UTC; 1d in the shop\'s zone; session is the whole live session',
    `window_start` DateTime64(3, 'UTC') COMMENT 'Start of the half-open window of event time; of a session the earliest event of the row: join sessions without it',
    `platform` LowCardinality(String) COMMENT 'Platform of the room',
    `room_id` String COMMENT 'Room; \'\' for orders that belong to none',
    `live_session_id` String COMMENT 'Live session of the room; \'\' where the event names none',
    `sku_id` String COMMENT 'Product named by the event or the order line',
    `currency` LowCardinality(String) COMMENT 'ISO 4217 currency of all amounts of the row; amounts of two currencies are never added',
    `status` LowCardinality(String) COMMENT 'provisional: the watermark of some partition has not passed the window\'s end and the lateness (a session: the gap after its last event); final: that of all has; corrected: final, and an event came after that',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the newest event of this window was received; where only whole-view measures or online changed: the newest event that changed them',
    `gmv_paid_minor` Int64 COMMENT 'Σ paid_minor of the SKU\'s lines',
    `refund_minor` Int64 COMMENT 'Σ refund.minor of the SKU\'s lines, by refund date; a refund without line_id, or of a line that items does not have, is in room_money alone',
    `refund_minor_by_order` Int64 COMMENT 'Σ refund.minor of the SKU\'s lines, in the window of the order\'s paid; as refund_minor, without refunds of no known line',
    `net_minor` Int64 COMMENT 'gmv_paid_minor − refund_minor_by_order'
)
AS
SELECT defaultValueOfTypeName('Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS grain, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS window_start, defaultValueOfTypeName('LowCardinality(String)') AS platform, defaultValueOfTypeName('String') AS room_id, defaultValueOfTypeName('String') AS live_session_id, defaultValueOfTypeName('String') AS sku_id, defaultValueOfTypeName('LowCardinality(String)') AS currency, defaultValueOfTypeName('LowCardinality(String)') AS status, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS updated_at, defaultValueOfTypeName('Int64') AS gmv_paid_minor, defaultValueOfTypeName('Int64') AS refund_minor, defaultValueOfTypeName('Int64') AS refund_minor_by_order, defaultValueOfTypeName('Int64') AS net_minor
FROM system.one
WHERE (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).1 < toDateTime64(0, 3, 'UTC')
UNION ALL
SELECT
    r.row_grain AS grain,
    r.window_start AS window_start,
    r.platform AS platform,
    r.room_id AS room_id,
    r.live_session_id AS live_session_id,
    r.sku_id AS sku_id,
    r.currency AS currency,
    multiIf(r.window_start + toIntervalMinute(1) > (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).3, 'provisional', max(bitAnd(r.state, 2)) != 0, 'corrected', 'final') AS status,
    max((bitAnd(r.state, 16) = 0, r.updated_at)).2 AS updated_at,
    sum(r.gmv_paid_minor) AS gmv_paid_minor,
    sum(r.refund_minor) AS refund_minor,
    sum(r.refund_minor_by_order) AS refund_minor_by_order,
    sum(r.gmv_paid_minor) - sum(r.refund_minor_by_order) AS net_minor
FROM (SELECT r.grain AS row_grain, r.* FROM livemeter.sku_money_rows AS r FINAL WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1m'
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1) AS r
GROUP BY r.row_grain, r.window_start, r.platform, r.room_id, r.live_session_id, r.sku_id, r.currency
COMMENT 'The grain 1m of sku_money (38e2ff57800d)';

CREATE OR REPLACE VIEW livemeter.sku_money_1h
(
    `grain` Enum8('10s' = 0, '1m' = 1, '1h' = 2, '1d' = 3, 'session' = 4) COMMENT 'Length of the window: 10s, 1m, 1h in UTC; 1d in the shop\'s zone; session is the whole live session',
    `window_start` DateTime64(3, 'UTC') COMMENT 'Start of the half-open window of event time; of a session the earliest event of the row: join sessions without it',
    `platform` LowCardinality(String) COMMENT 'Platform of the room',
    `room_id` String COMMENT 'Room; \'\' for orders that belong to none',
    `live_session_id` String COMMENT 'Live session of the room; \'\' where the event names none',
    `sku_id` String COMMENT 'Product named by the event or the order line',
    `currency` LowCardinality(String) COMMENT 'ISO 4217 currency of all amounts of the row; amounts of two currencies are never added',
    `status` LowCardinality(String) COMMENT 'provisional: the watermark of some partition has not passed the window\'s end and the lateness (a session: the gap after its last event); final: that of all has; corrected: final, and an event came after that',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the newest event of this window was received; where only whole-view measures or online changed: the newest event that changed them',
    `gmv_paid_minor` Int64 COMMENT 'Σ paid_minor of the SKU\'s lines',
    `refund_minor` Int64 COMMENT 'Σ refund.minor of the SKU\'s lines, by refund date; a refund without line_id, or of a line that items does not have, is in room_money alone',
    `refund_minor_by_order` Int64 COMMENT 'Σ refund.minor of the SKU\'s lines, in the window of the order\'s paid; as refund_minor, without refunds of no known line',
    `net_minor` Int64 COMMENT 'gmv_paid_minor − refund_minor_by_order'
)
AS
SELECT defaultValueOfTypeName('Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS grain, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS window_start, defaultValueOfTypeName('LowCardinality(String)') AS platform, defaultValueOfTypeName('String') AS room_id, defaultValueOfTypeName('String') AS live_session_id, defaultValueOfTypeName('String') AS sku_id, defaultValueOfTypeName('LowCardinality(String)') AS currency, defaultValueOfTypeName('LowCardinality(String)') AS status, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS updated_at, defaultValueOfTypeName('Int64') AS gmv_paid_minor, defaultValueOfTypeName('Int64') AS refund_minor, defaultValueOfTypeName('Int64') AS refund_minor_by_order, defaultValueOfTypeName('Int64') AS net_minor
FROM system.one
WHERE (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).1 < toDateTime64(0, 3, 'UTC')
UNION ALL
SELECT
    r.row_grain AS grain,
    r.hour AS window_start,
    r.platform AS platform,
    r.room_id AS room_id,
    r.live_session_id AS live_session_id,
    r.sku_id AS sku_id,
    r.currency AS currency,
    multiIf(r.hour + toIntervalHour(1) > (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).3, 'provisional', max(if(r.grain = '1h', bitAnd(r.state, 2), 0)) != 0, 'corrected', 'final') AS status,
    max((bitAnd(r.state, 16) = 0, r.updated_at)).2 AS updated_at,
    sum(r.gmv_paid_minor) AS gmv_paid_minor,
    sum(r.refund_minor) AS refund_minor,
    sum(r.refund_minor_by_order) AS refund_minor_by_order,
    sum(r.gmv_paid_minor) - sum(r.refund_minor_by_order) AS net_minor
FROM (SELECT CAST('1h', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, CAST(r.window_start, 'DateTime64(3, \'UTC\')') AS hour, r.* FROM livemeter.sku_money_rows AS r FINAL WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1h' AND (r.window_start < (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).2 OR r.part = 65534)
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1
UNION ALL
SELECT CAST('1h', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, CAST(toStartOfHour(r.window_start, 'UTC'), 'DateTime64(3, \'UTC\')') AS hour, r.* FROM livemeter.sku_money_rows AS r FINAL WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND r.grain = '1m' AND bitAnd(r.state, 1) != 0 AND r.window_start >= (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).2 AND r.part != 65534
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1) AS r
GROUP BY r.row_grain, r.hour, r.platform, r.room_id, r.live_session_id, r.sku_id, r.currency
COMMENT 'The grain 1h of sku_money (630fba8d31c4)';

CREATE OR REPLACE VIEW livemeter.sku_money_1d
(
    `grain` Enum8('10s' = 0, '1m' = 1, '1h' = 2, '1d' = 3, 'session' = 4) COMMENT 'Length of the window: 10s, 1m, 1h in UTC; 1d in the shop\'s zone; session is the whole live session',
    `window_start` DateTime64(3, 'UTC') COMMENT 'Start of the half-open window of event time; of a session the earliest event of the row: join sessions without it',
    `platform` LowCardinality(String) COMMENT 'Platform of the room',
    `room_id` String COMMENT 'Room; \'\' for orders that belong to none',
    `live_session_id` String COMMENT 'Live session of the room; \'\' where the event names none',
    `sku_id` String COMMENT 'Product named by the event or the order line',
    `currency` LowCardinality(String) COMMENT 'ISO 4217 currency of all amounts of the row; amounts of two currencies are never added',
    `status` LowCardinality(String) COMMENT 'provisional: the watermark of some partition has not passed the window\'s end and the lateness (a session: the gap after its last event); final: that of all has; corrected: final, and an event came after that',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the newest event of this window was received; where only whole-view measures or online changed: the newest event that changed them',
    `gmv_paid_minor` Int64 COMMENT 'Σ paid_minor of the SKU\'s lines',
    `refund_minor` Int64 COMMENT 'Σ refund.minor of the SKU\'s lines, by refund date; a refund without line_id, or of a line that items does not have, is in room_money alone',
    `refund_minor_by_order` Int64 COMMENT 'Σ refund.minor of the SKU\'s lines, in the window of the order\'s paid; as refund_minor, without refunds of no known line',
    `net_minor` Int64 COMMENT 'gmv_paid_minor − refund_minor_by_order'
)
AS
SELECT defaultValueOfTypeName('Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS grain, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS window_start, defaultValueOfTypeName('LowCardinality(String)') AS platform, defaultValueOfTypeName('String') AS room_id, defaultValueOfTypeName('String') AS live_session_id, defaultValueOfTypeName('String') AS sku_id, defaultValueOfTypeName('LowCardinality(String)') AS currency, defaultValueOfTypeName('LowCardinality(String)') AS status, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS updated_at, defaultValueOfTypeName('Int64') AS gmv_paid_minor, defaultValueOfTypeName('Int64') AS refund_minor, defaultValueOfTypeName('Int64') AS refund_minor_by_order, defaultValueOfTypeName('Int64') AS net_minor
FROM system.one
WHERE (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).1 < toDateTime64(0, 3, 'UTC')
UNION ALL
SELECT
    r.row_grain AS grain,
    CAST(toStartOfDay(r.window_start, 'Asia/Shanghai'), 'DateTime64(3, \'UTC\')') AS window_start,
    r.platform AS platform,
    r.room_id AS room_id,
    r.live_session_id AS live_session_id,
    r.sku_id AS sku_id,
    r.currency AS currency,
    multiIf(toStartOfDay(toStartOfDay(r.window_start, 'Asia/Shanghai') + toIntervalHour(36), 'Asia/Shanghai') > (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).3, 'provisional', max(if(r.grain = '1h', bitAnd(r.state, 8), 0)) != 0, 'corrected', 'final') AS status,
    max((bitAnd(r.state, 16) = 0, r.updated_at)).2 AS updated_at,
    sum(r.gmv_paid_minor) AS gmv_paid_minor,
    sum(r.refund_minor) AS refund_minor,
    sum(r.refund_minor_by_order) AS refund_minor_by_order,
    sum(r.gmv_paid_minor) - sum(r.refund_minor_by_order) AS net_minor
FROM (SELECT CAST('1d', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, r.* FROM livemeter.sku_money_rows AS r FINAL WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND (r.part != 65534 AND (r.grain = '1h' AND r.window_start < (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).2 OR r.grain = '1m' AND bitAnd(r.state, 1) != 0 AND r.window_start >= (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).2) OR r.grain = '1d')
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1) AS r
GROUP BY r.row_grain, toStartOfDay(r.window_start, 'Asia/Shanghai'), r.platform, r.room_id, r.live_session_id, r.sku_id, r.currency
COMMENT 'The grain 1d of sku_money (ad2b8df3bd2e)';

CREATE OR REPLACE VIEW livemeter.sku_money_session
(
    `grain` Enum8('10s' = 0, '1m' = 1, '1h' = 2, '1d' = 3, 'session' = 4) COMMENT 'Length of the window: 10s, 1m, 1h in UTC; 1d in the shop\'s zone; session is the whole live session',
    `window_start` DateTime64(3, 'UTC') COMMENT 'Start of the half-open window of event time; of a session the earliest event of the row: join sessions without it',
    `platform` LowCardinality(String) COMMENT 'Platform of the room',
    `room_id` String COMMENT 'Room; \'\' for orders that belong to none',
    `live_session_id` String COMMENT 'Live session of the room; \'\' where the event names none',
    `sku_id` String COMMENT 'Product named by the event or the order line',
    `currency` LowCardinality(String) COMMENT 'ISO 4217 currency of all amounts of the row; amounts of two currencies are never added',
    `status` LowCardinality(String) COMMENT 'provisional: the watermark of some partition has not passed the window\'s end and the lateness (a session: the gap after its last event); final: that of all has; corrected: final, and an event came after that',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the newest event of this window was received; where only whole-view measures or online changed: the newest event that changed them',
    `gmv_paid_minor` Int64 COMMENT 'Σ paid_minor of the SKU\'s lines',
    `refund_minor` Int64 COMMENT 'Σ refund.minor of the SKU\'s lines, by refund date; a refund without line_id, or of a line that items does not have, is in room_money alone',
    `refund_minor_by_order` Int64 COMMENT 'Σ refund.minor of the SKU\'s lines, in the window of the order\'s paid; as refund_minor, without refunds of no known line',
    `net_minor` Int64 COMMENT 'gmv_paid_minor − refund_minor_by_order'
)
AS
SELECT defaultValueOfTypeName('Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS grain, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS window_start, defaultValueOfTypeName('LowCardinality(String)') AS platform, defaultValueOfTypeName('String') AS room_id, defaultValueOfTypeName('String') AS live_session_id, defaultValueOfTypeName('String') AS sku_id, defaultValueOfTypeName('LowCardinality(String)') AS currency, defaultValueOfTypeName('LowCardinality(String)') AS status, defaultValueOfTypeName('DateTime64(3, \'UTC\')') AS updated_at, defaultValueOfTypeName('Int64') AS gmv_paid_minor, defaultValueOfTypeName('Int64') AS refund_minor, defaultValueOfTypeName('Int64') AS refund_minor_by_order, defaultValueOfTypeName('Int64') AS net_minor
FROM system.one
WHERE (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).1 < toDateTime64(0, 3, 'UTC')
UNION ALL
SELECT
    r.row_grain AS grain,
    min(r.first_event) AS window_start,
    r.platform AS platform,
    r.room_id AS room_id,
    r.live_session_id AS live_session_id,
    r.sku_id AS sku_id,
    r.currency AS currency,
    multiIf(arrayExists(t -> arrayExists(k ->
        (arrayExists(j -> j.1 < k.1, t) AND NOT arrayExists(j -> j.1 < k.1 AND j.2 > k.1, t))
        OR (k.3 > 0 AND NOT arrayExists(j -> j.1 <= k.3 AND j.2 > k.3, t)), t), [arrayConcat(arrayFlatten(arrayMap(x -> arrayMap(i -> (x[i], x[i + 1], x[i + 2]), range(1, length(x), 3)), [groupArrayArrayIf(r.runs, r.grain = '1h')])), arrayZip(minMapIf([toUnixTimestamp(toStartOfHour(r.window_start, 'UTC')) * 65536 + r.part], [r.runs[1]], r.grain = '1m' AND notEmpty(r.runs)).2, maxMapIf([toUnixTimestamp(toStartOfHour(r.window_start, 'UTC')) * 65536 + r.part], [r.runs[2]], r.grain = '1m' AND notEmpty(r.runs)).2, maxMapIf([toUnixTimestamp(toStartOfHour(r.window_start, 'UTC')) * 65536 + r.part], [r.runs[3]], r.grain = '1m' AND notEmpty(r.runs)).2))]), 'corrected', arrayMax(j -> j.2, arrayConcat(arrayFlatten(arrayMap(x -> arrayMap(i -> (x[i], x[i + 1], x[i + 2]), range(1, length(x), 3)), [groupArrayArrayIf(r.runs, r.grain = '1h')])), arrayZip(minMapIf([toUnixTimestamp(toStartOfHour(r.window_start, 'UTC')) * 65536 + r.part], [r.runs[1]], r.grain = '1m' AND notEmpty(r.runs)).2, maxMapIf([toUnixTimestamp(toStartOfHour(r.window_start, 'UTC')) * 65536 + r.part], [r.runs[2]], r.grain = '1m' AND notEmpty(r.runs)).2, maxMapIf([toUnixTimestamp(toStartOfHour(r.window_start, 'UTC')) * 65536 + r.part], [r.runs[3]], r.grain = '1m' AND notEmpty(r.runs)).2))) > toUnixTimestamp64Milli((SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).1), 'provisional', 'final') AS status,
    max((bitAnd(r.state, 16) = 0, r.updated_at)).2 AS updated_at,
    sum(r.gmv_paid_minor) AS gmv_paid_minor,
    sum(r.refund_minor) AS refund_minor,
    sum(r.refund_minor_by_order) AS refund_minor_by_order,
    sum(r.gmv_paid_minor) - sum(r.refund_minor_by_order) AS net_minor
FROM (SELECT CAST('session', 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS row_grain, r.* FROM livemeter.sku_money_rows AS r FINAL WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) AND (r.part != 65534 AND (r.grain = '1h' AND r.window_start < (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).2 OR r.grain = '1m' AND bitAnd(r.state, 1) != 0 AND r.window_start >= (SELECT (min(watermark), greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(90)), 'DateTime64(3, \'UTC\')')), min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM livemeter.watermarks_rows AS r WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1) GROUP BY r.part)).2) OR r.grain = 'session')
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1) AS r
GROUP BY r.row_grain, r.platform, r.room_id, r.live_session_id, r.sku_id, r.currency
COMMENT 'The grain session of sku_money (c1e4c84bd205)';

CREATE OR REPLACE VIEW livemeter.sku_money
(
    `grain` Enum8('10s' = 0, '1m' = 1, '1h' = 2, '1d' = 3, 'session' = 4) COMMENT 'Length of the window: 10s, 1m, 1h in UTC; 1d in the shop\'s zone; session is the whole live session',
    `window_start` DateTime64(3, 'UTC') COMMENT 'Start of the half-open window of event time; of a session the earliest event of the row: join sessions without it',
    `platform` LowCardinality(String) COMMENT 'Platform of the room',
    `room_id` String COMMENT 'Room; \'\' for orders that belong to none',
    `live_session_id` String COMMENT 'Live session of the room; \'\' where the event names none',
    `sku_id` String COMMENT 'Product named by the event or the order line',
    `currency` LowCardinality(String) COMMENT 'ISO 4217 currency of all amounts of the row; amounts of two currencies are never added',
    `status` LowCardinality(String) COMMENT 'provisional: the watermark of some partition has not passed the window\'s end and the lateness (a session: the gap after its last event); final: that of all has; corrected: final, and an event came after that',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the newest event of this window was received; where only whole-view measures or online changed: the newest event that changed them',
    `gmv_paid_minor` Int64 COMMENT 'Σ paid_minor of the SKU\'s lines',
    `refund_minor` Int64 COMMENT 'Σ refund.minor of the SKU\'s lines, by refund date; a refund without line_id, or of a line that items does not have, is in room_money alone',
    `refund_minor_by_order` Int64 COMMENT 'Σ refund.minor of the SKU\'s lines, in the window of the order\'s paid; as refund_minor, without refunds of no known line',
    `net_minor` Int64 COMMENT 'gmv_paid_minor − refund_minor_by_order'
)
AS
SELECT CAST(substring(_table, 11), 'Enum8(\'10s\' = 0, \'1m\' = 1, \'1h\' = 2, \'1d\' = 3, \'session\' = 4)') AS grain, window_start, platform, room_id, live_session_id, sku_id, currency, status, updated_at, gmv_paid_minor, refund_minor, refund_minor_by_order, net_minor
FROM merge('livemeter', '^sku_money_(10s|1m|1h|1d|session)$')
WHERE hasColumnInTable('livemeter', 'sku_money_10s', 'grain') AND hasColumnInTable('livemeter', 'sku_money_1m', 'grain') AND hasColumnInTable('livemeter', 'sku_money_1h', 'grain') AND hasColumnInTable('livemeter', 'sku_money_1d', 'grain') AND hasColumnInTable('livemeter', 'sku_money_session', 'grain')
COMMENT 'Money of each product in a room by currency, in minor units (37231d3e9dc9)';

CREATE OR REPLACE VIEW livemeter.outcomes
(
    `source_topic` LowCardinality(String) COMMENT 'Raw topic, with prefix',
    `source_partition` Int32 COMMENT 'Partition of the raw topic',
    `minute` DateTime64(3, 'UTC') COMMENT 'Start of the minute of receive time',
    `outcome` LowCardinality(String) COMMENT 'accepted, duplicate or invalid',
    `reason` LowCardinality(String) COMMENT 'Why invalid, else \'\'',
    `records` Int64 COMMENT 'Records with this outcome'
)
AS
SELECT r.source_topic AS source_topic, r.source_partition AS source_partition, r.minute AS minute, r.outcome AS outcome, r.reason AS reason, sum(r.records) AS records
FROM livemeter.outcomes_rows AS r FINAL
WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1)
GROUP BY r.source_topic, r.source_partition, r.minute, r.outcome, r.reason
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1
COMMENT 'What became of every consumed record: the ledger of conservation (4be17f3af0c1)';

CREATE OR REPLACE VIEW livemeter.completeness
(
    `platform` LowCardinality(String) COMMENT 'Platform',
    `kind` LowCardinality(String) COMMENT 'What is numbered: seq of an SDK instance, versions of order, cost, stock',
    `sdk_name` LowCardinality(String) COMMENT 'sdk.name of the event, \'\' without one',
    `sdk_version` LowCardinality(String) COMMENT 'sdk.version of the event, \'\' without one',
    `minute` DateTime64(3, 'UTC') COMMENT 'Start of the minute of receive time',
    `expected` Int64 COMMENT 'Numbers received, and those below each down to the next one received',
    `received` Int64 COMMENT 'Numbers received, of rejected events too, each once',
    `late` Int64 COMMENT 'Of them: behind a higher one in the log',
    `missing` Int64 COMMENT 'expected − received: goes back when they come after all'
)
AS
SELECT r.platform AS platform, r.kind AS kind, r.sdk_name AS sdk_name, r.sdk_version AS sdk_version, r.minute AS minute, sum(r.expected) AS expected, sum(r.received) AS received, sum(r.late) AS late, expected - received AS missing
FROM livemeter.completeness_rows AS r FINAL
WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1)
GROUP BY r.platform, r.kind, r.sdk_name, r.sdk_version, r.minute
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1
COMMENT 'What was numbered and did not arrive, by the minute in which the next number was received (c6e0e73ed2a0)';

CREATE OR REPLACE VIEW livemeter.orders
(
    `platform` LowCardinality(String) COMMENT 'Platform of the shop',
    `order_id` String COMMENT 'Order',
    `buyer` String COMMENT 'Pseudonym of the buyer',
    `state` LowCardinality(String) COMMENT 'State of the highest order_version',
    `order_version` Int64 COMMENT 'Highest version seen',
    `room_id` String COMMENT 'Room of the highest version, \'\' without one',
    `live_session_id` String COMMENT 'Live session of the highest version',
    `currency` LowCardinality(String) COMMENT 'Currency of the amounts',
    `paid_minor` Int64 COMMENT 'Paid so far, of the highest version',
    `refund_minor` Int64 COMMENT 'Σ of all refunds, each by its highest version',
    `net_minor` Int64 COMMENT 'paid_minor − refund_minor',
    `created_ts` DateTime64(3, 'UTC') COMMENT 'Event time of created, 1970 if unknown',
    `paid_ts` DateTime64(3, 'UTC') COMMENT 'Event time of paid, 1970 if unknown',
    `event_ts` DateTime64(3, 'UTC') COMMENT 'Event time of the highest version',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'Receive time of the last event of the order'
)
AS
SELECT
    r.platform AS platform,
    r.order_id AS order_id,
    lower(hex(r.buyer)) AS buyer,
    r.state AS state,
    r.order_version AS order_version,
    r.room_id AS room_id,
    r.live_session_id AS live_session_id,
    r.currency AS currency,
    r.paid_minor AS paid_minor,
    r.refund_minor AS refund_minor,
    r.paid_minor - r.refund_minor AS net_minor,
    r.created_ts AS created_ts,
    r.paid_ts AS paid_ts,
    r.event_ts AS event_ts,
    r.updated_at AS updated_at
FROM livemeter.orders_rows AS r FINAL
WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1)
COMMENT 'One row an order: its current state (3e380e2c866c)';

CREATE OR REPLACE VIEW livemeter.watermarks
(
    `part` UInt16 COMMENT 'Partition of events',
    `watermark` DateTime64(3, 'UTC') COMMENT 'Whatever was received before this time is counted in the rows; 1970 while unknown',
    `final_before` DateTime64(3, 'UTC') COMMENT 'Windows that end at this or before it are final: the watermark less the lateness',
    `version` UInt64 COMMENT 'Offset in this partition'
)
AS
SELECT r.part AS part, r.watermark AS watermark, r.final_before AS final_before, r.version AS version
FROM livemeter.watermarks_rows AS r FINAL
WHERE r.epoch = (SELECT max(epoch) FROM livemeter.epochs FINAL WHERE active = 1)
COMMENT 'How far each partition of events has come (d9f429d14bd2)';

CREATE OR REPLACE VIEW livemeter.rejected
(
    `source_topic` LowCardinality(String) COMMENT 'Raw topic, with prefix',
    `topic_id` UUID COMMENT 'Kafka\'s id of the raw topic',
    `source_partition` Int32 COMMENT 'Partition of the raw topic',
    `source_offset` Int64 COMMENT 'Offset of the record',
    `received_ts` DateTime64(3, 'UTC') COMMENT 'Receive time of the record',
    `reason` LowCardinality(String) COMMENT 'Why the record is invalid',
    `field` LowCardinality(String) COMMENT 'Path of the field that is wrong, \'\' where it is the whole record',
    `original` String COMMENT 'The record\'s bytes as they came; only the first of them where original_length is more',
    `original_length` Int64 COMMENT 'Bytes of the record as it came: more than length(original) where events.rejected could not take it whole'
)
AS
SELECT source_topic, topic_id, source_partition, source_offset, received_ts, reason, field, original, original_length
FROM livemeter.rejected_rows FINAL
SETTINGS do_not_merge_across_partitions_select_final = 0
COMMENT 'Invalid records with their original bytes, kept seven days (035a8522942f)';
