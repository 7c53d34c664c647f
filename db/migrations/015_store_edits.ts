import { type Kysely, sql } from "kysely";

/**
 * The function of 013_store_edits.ts, which leaves out what somebody else has locked instead of
 * waiting for it: whoever calls it sees that it was not stored, and waits apart.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create or replace function store_edits(documents jsonb, operations jsonb, kept bigint)
    returns uuid[]
    language plpgsql
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
    as $$ declare stored uuid[]; begin
      with wanted as (
        select * from jsonb_to_recordset(documents)
          as c(id uuid, base bigint, version bigint, content text, clients jsonb)
      ), free as (
        select d.id from collaboration_documents d
        where d.id in (select id from wanted) for update skip locked
      ), changed as (
        update collaboration_documents d set
          version = c.version,
          snapshot_version = case when c.content is null then d.snapshot_version else c.version end,
          content = coalesce(c.content, d.content),
          clients = coalesce(c.clients, d.clients),
          updated_at = now()
        from wanted c join free on free.id = c.id
        where d.id = c.id and d.version = c.base
        returning d.id
      )
      select coalesce(array_agg(id), '{}') into stored from changed;
      insert into collaboration_operations (document_id, version, client_id, client_seq, author_id,
        author_name, author_role, operation)
      select document_id, version, client_id, client_seq, author_id, author_name, author_role,
        operation
      from jsonb_to_recordset(operations) as o(document_id uuid, version bigint, client_id text,
        client_seq bigint, author_id text, author_name text, author_role text, operation jsonb)
      where document_id = any(stored);
      if jsonb_path_exists(documents, '$[*].content') then
        delete from collaboration_operations o
        using jsonb_to_recordset(documents) as c(id uuid, version bigint, content text)
        where c.id = any(stored) and c.content is not null and o.document_id = c.id
          and o.version <= c.version - kept;
      end if;
      return stored;
    end $$`.execute(db);
}
