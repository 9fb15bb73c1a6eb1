-- The totals from which one sees how the answers depend on how the data are read: one row for each
-- contact centre and each set of months that an interaction has under the different readings.
--
-- Months are of interaction_start or of timestamp; in local time, in UTC, or in Eastern Standard
-- Time all year (UTC-5). The projected text is in local time, New York's: of -05:00 the same as EST,
-- of -04:00 an hour ahead of it, so that the first hour of a month belongs to the month before.
-- "Unknown" is the month of what cannot be read. Sums are of whole millionths, as in totals.sql.
WITH flagged AS (
    SELECT coalesce(month, 'Unknown') AS month,
           coalesce(utc_month, 'Unknown') AS utc_month,
           coalesce(CASE WHEN substr(interaction_start, 9, 5) <> '01T00'
                           OR interaction_start LIKE '%-05:00' THEN month
                         WHEN month LIKE '%-01'
                           THEN (CAST(substr(month, 1, 4) AS INTEGER) - 1) || '-12'
                         ELSE substr(month, 1, 5)
                           || substr('' || (99 + CAST(substr(month, 6, 2) AS INTEGER)), 2, 2)
                    END, 'Unknown') AS est_month,
           coalesce(substr(timestamp, 1, 7), 'Unknown') AS timestamp_month,
           coalesce(timestamp_utc_month, 'Unknown') AS timestamp_utc_month,
           coalesce(CASE WHEN substr(timestamp, 9, 5) <> '01T00'
                           OR timestamp LIKE '%-05:00' THEN substr(timestamp, 1, 7)
                         WHEN substr(timestamp, 6, 2) = '01'
                           THEN (CAST(substr(timestamp, 1, 4) AS INTEGER) - 1) || '-12'
                         ELSE substr(timestamp, 1, 5)
                           || substr('' || (99 + CAST(substr(timestamp, 6, 2) AS INTEGER)), 2, 2)
                    END, 'Unknown') AS timestamp_est_month,
           contact_center_id,
           round(call_duration_minutes * 1000000.0) AS micro_minutes,
           round(seconds_to_end * 1000000.0) AS micro_seconds_to_end,
           round(seconds_to_resolution * 1000000.0) AS micro_seconds_to_resolution,
           CASE WHEN channel = 'phone' THEN 1 ELSE 0 END AS is_call
    FROM interactions
)
SELECT month,
       utc_month,
       est_month,
       timestamp_month,
       timestamp_utc_month,
       timestamp_est_month,
       contact_center_id,
       count(*) AS interactions,
       sum(CASE WHEN is_call = 1 AND micro_minutes IS NOT NULL THEN 1 ELSE 0 END) AS timed_calls,
       coalesce(sum(CASE WHEN is_call = 1 THEN micro_minutes END), 0.0) AS micro_minutes,
       sum(CASE WHEN is_call = 1 AND micro_seconds_to_end IS NOT NULL THEN 1 ELSE 0 END)
           AS ended_calls,
       coalesce(sum(CASE WHEN is_call = 1 THEN micro_seconds_to_end END), 0.0)
           AS micro_seconds_to_end,
       sum(CASE WHEN is_call = 1 AND micro_seconds_to_resolution IS NOT NULL THEN 1 ELSE 0 END)
           AS resolved_calls,
       coalesce(sum(CASE WHEN is_call = 1 THEN micro_seconds_to_resolution END), 0.0)
           AS micro_seconds_to_resolution,
       sum(CASE WHEN is_call = 1
                THEN coalesce(abs(micro_minutes), 0.0) + coalesce(abs(micro_seconds_to_end), 0.0)
                     + coalesce(abs(micro_seconds_to_resolution), 0.0)
                ELSE 0.0 END) AS magnitude
FROM flagged
GROUP BY month, utc_month, est_month, timestamp_month, timestamp_utc_month, timestamp_est_month,
         contact_center_id
