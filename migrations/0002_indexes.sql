-- Reads that grew with the tables: a page of all contributions, and a person's replies on erasure.
-- Expand only: a running older version is not disturbed.

CREATE INDEX contribution_by_time ON contribution (received_at, id);
CREATE INDEX reply_by_citizen ON reply (citizen) WHERE citizen IS NOT NULL;
