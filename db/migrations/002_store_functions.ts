import { type Kysely, sql } from "kysely";

/**
 * The writer's statements as functions: a session parses and plans each once instead of with every
 * batch, which is most of what a small batch costs. The plans must fit a database that grows under
 * them, so they always go through the indexes.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create function known_messages(sent jsonb) returns setof chat_messages
    language plpgsql stable
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
    as $$ begin
      return query select m.* from jsonb_to_recordset(sent) as k(c uuid, s text, m text)
        join chat_messages m on m.conversation_id = k.c and m.sender_id = k.s
          and m.client_message_id = k.m;
    end $$`.execute(db);
  await sql`create function store_batch(
      changed_rows jsonb, created jsonb, changed jsonb, logged jsonb, pointers jsonb
    ) returns setof participants
    language plpgsql
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
    as $$ begin
      update conversations c set
        status = x.status, assignee_id = x.assignee_id, last_seq = x.last_seq,
        inbound_count = x.inbound_count, outbound_count = x.outbound_count,
        agent_delivered_seq = x.agent_delivered_seq, agent_read_seq = x.agent_read_seq,
        contact_delivered_seq = x.contact_delivered_seq, contact_read_seq = x.contact_read_seq,
        last_message_seq = x.last_message_seq, last_message_preview = x.last_message_preview,
        last_message_role = x.last_message_role,
        last_message_sender_id = x.last_message_sender_id,
        last_message_sender_name = x.last_message_sender_name,
        last_message_private = x.last_message_private,
        last_message_at = x.last_message_at, last_activity_at = x.last_activity_at,
        waiting_since = x.waiting_since, updated_at = x.updated_at, resolved_at = x.resolved_at
      from jsonb_populate_recordset(null::conversations, changed_rows) x
      where c.id = x.id;
      if created <> '[]' then
        insert into chat_messages
        select * from jsonb_populate_recordset(null::chat_messages, created);
      end if;
      if changed <> '[]' then
        update chat_messages m set
          content = x.content, edited_at = x.edited_at, deleted_at = x.deleted_at
        from jsonb_populate_recordset(null::chat_messages, changed) x
        where m.id = x.id;
      end if;
      if logged <> '[]' then
        insert into conversation_events
        select * from jsonb_populate_recordset(null::conversation_events, logged);
      end if;
      return query insert into participants as p
        (conversation_id, user_id, role, delivered_seq, read_seq, read_inbound, read_outbound)
      select x.conversation_id, x.user_id, x.role, x.delivered_seq, x.read_seq,
        coalesce(x.read_inbound, at_read.inbound_count, 0),
        coalesce(x.read_outbound, at_read.outbound_count, 0)
      from jsonb_populate_recordset(null::participants, pointers) x
      left join lateral (
        select m.inbound_count, m.outbound_count from chat_messages m
        where x.read_inbound is null and m.conversation_id = x.conversation_id
          and m.seq <= x.read_seq
        order by m.seq desc limit 1
      ) at_read on true
      on conflict (conversation_id, user_id) do update set
        delivered_seq = greatest(p.delivered_seq, excluded.delivered_seq),
        read_seq = greatest(p.read_seq, excluded.read_seq),
        read_inbound = greatest(p.read_inbound, excluded.read_inbound),
        read_outbound = greatest(p.read_outbound, excluded.read_outbound),
        updated_at = now()
      returning p.*;
    end $$`.execute(db);
}
