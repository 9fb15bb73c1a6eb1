-- A stretch of a table's rows as one text. In SQLite's own dialect: only an export reads this.

-- part: page
-- The lines of some rows one after the other, in the order of the rows, and how many they are.
SELECT count(*), group_concat(line, '')
FROM (SELECT $line AS line FROM ($rows) ORDER BY $key)
