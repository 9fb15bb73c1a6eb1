-- The totals from which the report and the answers are computed: one row for each local month of
-- interaction_start, contact centre and category, by their keys as the interactions give them.
-- "Unknown" is the month of an interaction whose start cannot be read.
--
-- Sums of fractions depend on their order, which no engine promises. So minutes and seconds are
-- summed as whole millionths, of which a double holds every sum up to 9·10¹⁵ exactly. `magnitude`
-- adds up all of them without their signs, so that it tells whether every sum is.
WITH flagged AS (
    SELECT coalesce(month, 'Unknown') AS month,
           contact_center_id,
           category_id,
           round(call_duration_minutes * 1000000.0) AS micro_minutes,
           round(seconds_to_resolution * 1000000.0) AS micro_seconds_to,
           round(seconds_after_resolution * 1000000.0) AS micro_seconds_after,
           CASE WHEN channel = 'phone' THEN 1 ELSE 0 END AS is_call,
           CASE WHEN channel = 'phone' AND call_duration_minutes IS NOT NULL
                THEN 1 ELSE 0 END AS is_timed,
           CASE WHEN channel = 'phone' AND seconds_to_resolution IS NOT NULL
                THEN 1 ELSE 0 END AS is_resolved,
           CASE WHEN channel = 'phone' AND seconds_to_resolution IS NOT NULL
                     AND seconds_after_resolution IS NOT NULL
                THEN 1 ELSE 0 END AS is_split,
           CASE WHEN seconds_after_resolution > 0 THEN 1 ELSE 0 END AS has_tail,
           CASE WHEN satisfaction_rating IS NOT NULL THEN 1 ELSE 0 END AS is_rated
    FROM interactions
)
SELECT month,
       contact_center_id,
       category_id,
       count(*) AS interactions,
       sum(is_call) AS calls,
       sum(is_timed) AS timed_calls,
       coalesce(sum(CASE WHEN is_timed = 1 THEN micro_minutes END), 0.0) AS micro_minutes,
       sum(is_resolved) AS resolved_calls,
       coalesce(sum(CASE WHEN is_resolved = 1 THEN micro_seconds_to END), 0.0)
           AS micro_seconds_to_resolution,
       sum(is_split) AS split_calls,
       coalesce(sum(CASE WHEN is_split = 1 THEN micro_seconds_to END), 0.0)
           AS split_micro_seconds_before,
       coalesce(sum(CASE WHEN is_split = 1 THEN micro_seconds_after END), 0.0)
           AS split_micro_seconds_after,
       sum(is_split * is_rated) AS rated_split_calls,
       sum(is_split * has_tail) AS tail_calls,
       coalesce(sum(CASE WHEN is_split * has_tail = 1 THEN micro_seconds_after END), 0.0)
           AS tail_micro_seconds,
       sum(is_split * has_tail * is_rated) AS rated_tail_calls,
       sum(CASE WHEN is_timed = 1 THEN abs(micro_minutes) ELSE 0.0 END
           + CASE WHEN is_resolved = 1 THEN abs(micro_seconds_to) ELSE 0.0 END
           + CASE WHEN is_split = 1 THEN abs(micro_seconds_after) ELSE 0.0 END) AS magnitude
FROM flagged
GROUP BY month, contact_center_id, category_id
