-- The cells of a line, in the dialect of SQLite: only exports run these expressions.

-- part: text
$column

-- part: integer
coalesce($column, '$blank')

-- part: number
-- As Python writes it, from whole numbers alone: not every version of SQLite prints a fraction
-- right. No two numbers of at most four decimals and 15 digits are the same double, so these digits
-- are the shortest ones. For another number, two integers give the exact value: its whole part, and
-- the rest in units of 2^-62. If they cannot, the result is the mark alone.
CASE WHEN $column = CAST($column AS INTEGER) THEN CAST($column AS INTEGER)
     WHEN $column IS NULL THEN '$blank'
     WHEN abs($column) < 100000000000.0
          AND CAST(round($column * 10000.0) AS INTEGER) / 10000.0 = $column
     THEN substr('-', 1, $column < 0) || rtrim(printf(
              '%d.%04d',
              abs(CAST(round($column * 10000.0) AS INTEGER)) / 10000,
              abs(CAST(round($column * 10000.0) AS INTEGER)) % 10000), '0')
     WHEN abs($column) * (1 << 10) >= 1 AND abs($column) < (1 << 53)
     THEN printf('"%d;%d', CAST($column AS INTEGER),
                 CAST(($column - CAST($column AS INTEGER)) * (1 << 62) AS INTEGER))
     ELSE '"' END
