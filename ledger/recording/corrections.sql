-- How two recorded files of a table differ: the rows of each, numbered within their key, side by
-- side. The first two values are the span of the events of the file before, the others that of the
-- file after.

-- part: rows
SELECT $cells, row_number() OVER (PARTITION BY $key ORDER BY event_id) AS place
FROM $events WHERE event_id BETWEEN ? AND ?

-- part: difference
WITH before AS ($rows), after AS ($rows)
SELECT (SELECT count(*) FROM after
        LEFT JOIN before ON before.$key = after.$key AND before.place = after.place
        WHERE before.place IS NULL),
       (SELECT count(*) FROM after
        JOIN before ON before.$key = after.$key AND before.place = after.place
        WHERE $differ),
       (SELECT count(*) FROM before
        LEFT JOIN after ON after.$key = before.$key AND after.place = before.place
        WHERE after.place IS NULL)
