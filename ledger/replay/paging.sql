-- Consecutive rows of a table as one text. In the dialect of SQLite: only exports run it.

-- part: page
-- The number of some rows, and their lines one after the other, in the order of the rows.
SELECT count(*), group_concat(line, '')
FROM (SELECT $line AS line FROM ($rows) ORDER BY $key)
