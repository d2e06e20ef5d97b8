-- partners, with deletes=False
(t."k`1" = s."k`1") AND (t."k2" = s."k2")

-- cases
SELECT s."k`1", s."k2", s."n", s."m", s."v", CASE WHEN t._present IS NULL THEN 0 WHEN (s."n" < t."n") OR (s."n" = t."n" AND s."m" < t."m") THEN 1 WHEN s."v" IS DISTINCT FROM t."v" THEN 2 ELSE 3 END AS _case FROM s AS s LEFT JOIN (SELECT *, true AS _present FROM t) AS t ON (t."k`1" = s."k`1") AND (t."k2" = s."k2")

-- clauses, classified=False
Insert: None
Update: NOT coalesce((s."n" < t."n") OR (s."n" = t."n" AND s."m" < t."m"), false) AND (s."v" IS DISTINCT FROM t."v")

-- merge, classified=False
MERGE INTO target t USING (SELECT 1) s ON (t."k`1" = s."k`1") AND (t."k2" = s."k2") WHEN MATCHED AND s."_batch_id" = 'the_batch' AND NOT coalesce((s."n" < t."n") OR (s."n" = t."n" AND s."m" < t."m"), false) AND (s."v" IS DISTINCT FROM t."v") THEN UPDATE SET t."k`1" = s."k`1", t."k2" = s."k2", t."n" = s."n", t."m" = s."m", t."v" = s."v" WHEN NOT MATCHED AND s."_batch_id" = 'the_batch' THEN INSERT ("k`1", "k2", "n", "m", "v") VALUES (s."k`1", s."k2", s."n", s."m", s."v")

-- clauses, classified=True
Insert: s._case = 0
Update: s._case = 2

-- merge, classified=True
MERGE INTO target t USING (SELECT 1) s ON (t."k`1" = s."k`1") AND (t."k2" = s."k2") WHEN MATCHED AND s."_batch_id" = 'the_batch' AND s._case = 2 THEN UPDATE SET t."k`1" = s."k`1", t."k2" = s."k2", t."n" = s."n", t."m" = s."m", t."v" = s."v" WHEN NOT MATCHED AND s."_batch_id" = 'the_batch' AND s._case = 0 THEN INSERT ("k`1", "k2", "n", "m", "v") VALUES (s."k`1", s."k2", s."n", s."m", s."v")

-- partners, with deletes=True
(t."k`1" IS NOT DISTINCT FROM s."k`1") AND (t."k2" IS NOT DISTINCT FROM s."k2")

-- cases
SELECT s."k`1", s."k2", s."n", s."m", s."v", CASE WHEN (t._present IS NULL) AND (s._change = 'delete') THEN 0 WHEN t._present IS NULL THEN 1 WHEN (s."n" < t."n") OR (s."n" = t."n" AND s."m" < t."m") THEN 2 WHEN s._change = 'delete' THEN 3 WHEN s."v" IS DISTINCT FROM t."v" THEN 4 ELSE 5 END AS _case FROM s AS s LEFT JOIN (SELECT *, true AS _present FROM t) AS t ON (t."k`1" IS NOT DISTINCT FROM s."k`1") AND (t."k2" IS NOT DISTINCT FROM s."k2")

-- clauses, classified=False
Insert: NOT coalesce(s._change = 'delete', false)
Delete: NOT coalesce((s."n" < t."n") OR (s."n" = t."n" AND s."m" < t."m"), false) AND (s._change = 'delete')
Update: NOT coalesce((s."n" < t."n") OR (s."n" = t."n" AND s."m" < t."m"), false) AND NOT coalesce(s._change = 'delete', false) AND (s."v" IS DISTINCT FROM t."v")

-- merge, classified=False
MERGE INTO target t USING (SELECT 1) s ON (t."k`1" IS NOT DISTINCT FROM s."k`1") AND (t."k2" IS NOT DISTINCT FROM s."k2") WHEN MATCHED AND s."_batch_id" = 'the_batch' AND NOT coalesce((s."n" < t."n") OR (s."n" = t."n" AND s."m" < t."m"), false) AND (s._change = 'delete') THEN DELETE WHEN MATCHED AND s."_batch_id" = 'the_batch' AND NOT coalesce((s."n" < t."n") OR (s."n" = t."n" AND s."m" < t."m"), false) AND NOT coalesce(s._change = 'delete', false) AND (s."v" IS DISTINCT FROM t."v") THEN UPDATE SET t."k`1" = s."k`1", t."k2" = s."k2", t."n" = s."n", t."m" = s."m", t."v" = s."v" WHEN NOT MATCHED AND s."_batch_id" = 'the_batch' AND NOT coalesce(s._change = 'delete', false) THEN INSERT ("k`1", "k2", "n", "m", "v") VALUES (s."k`1", s."k2", s."n", s."m", s."v")

-- clauses, classified=True
Insert: s._case = 1
Delete: s._case = 3
Update: s._case = 4

-- merge, classified=True
MERGE INTO target t USING (SELECT 1) s ON (t."k`1" IS NOT DISTINCT FROM s."k`1") AND (t."k2" IS NOT DISTINCT FROM s."k2") WHEN MATCHED AND s."_batch_id" = 'the_batch' AND s._case = 3 THEN DELETE WHEN MATCHED AND s."_batch_id" = 'the_batch' AND s._case = 4 THEN UPDATE SET t."k`1" = s."k`1", t."k2" = s."k2", t."n" = s."n", t."m" = s."m", t."v" = s."v" WHEN NOT MATCHED AND s."_batch_id" = 'the_batch' AND s._case = 1 THEN INSERT ("k`1", "k2", "n", "m", "v") VALUES (s."k`1", s."k2", s."n", s."m", s."v")
